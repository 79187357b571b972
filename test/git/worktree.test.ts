/** Linked worktrees, with what others have done to them by hand (spec 8.1, 8.2). */
import { existsSync } from "node:fs";
import { mkdir, realpath, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { findRepository, type RepositoryStart } from "../../src/git/repository.ts";
import {
  addWorktree,
  branchesOf,
  commitsAhead,
  deleteBranch,
  isAncestor,
  isWorktreeOf,
  listWorktrees,
  mayHaveTraces,
  onlyOn,
  removeClean,
  removeWorktree,
  tipOf,
} from "../../src/git/worktree.ts";
import type { TempRepo } from "../support/temp-repo.ts";
import { repoOf } from "./support.ts";

async function open(): Promise<{ repo: TempRepo; start: RepositoryStart; place: string }> {
  const repo = await repoOf({ "a.txt": "a\n" });
  const start = await findRepository(repo.root, repo.env);
  return { repo, start, place: path.join(await realpath(repo.base), "mmm-x-1") };
}

const branch = "mmm-x-1";

test("is made on a branch of its own or detached, listed, and removed with its record", async () => {
  const { repo, start, place } = await open();

  const made = await addWorktree(start, { path: place, branch, commit: start.head });
  const other = `${place}-detached`;
  await addWorktree(start, { path: other, branch: null, commit: start.head });

  expect(made).toMatchObject({ root: place, branch, head: start.head });
  expect((await listWorktrees(start)).slice(1)).toEqual([
    { path: place, head: start.head, branch },
    { path: other, head: start.head, branch: null },
  ]);
  expect(await isWorktreeOf(start, place)).toBe(true);
  expect(await branchesOf(start, "mmm-")).toEqual(new Set([branch]));
  for (const each of [place, other]) await removeWorktree(start, each);
  await deleteBranch(start, branch);
  expect(await listWorktrees(start)).toHaveLength(1);
  expect(await repo.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
});

test("one that does not come about leaves nothing, and what was there is not touched", async () => {
  const { repo, start, place } = await open();
  await mkdir(place);
  await writeFile(path.join(place, "mine.txt"), "mine\n");

  await expect(addWorktree(start, { path: place, branch, commit: start.head })).rejects.toThrow(
    /already exists/,
  );
  const elsewhere = `${place}-2`;
  const unknown = { path: elsewhere, branch: "mmm-y-1", commit: "f".repeat(40) };
  await expect(addWorktree(start, unknown)).rejects.toThrow();

  expect(existsSync(path.join(place, "mine.txt"))).toBe(true);
  expect(existsSync(elsewhere)).toBe(false);
  expect(await listWorktrees(start)).toHaveLength(1);
  expect(await repo.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
});

test.each([
  ["its folder", async (_: TempRepo, place: string) => rm(place, { recursive: true })],
  ["its `.git` file", async (_: TempRepo, place: string) => rm(path.join(place, ".git"))],
  [
    "its record",
    async ({ root }: TempRepo, place: string) =>
      rm(path.join(root, ".git", "worktrees", path.basename(place)), { recursive: true }),
  ],
])("%s was deleted by hand: it can be removed all the same, and again", async (_, harm) => {
  const { repo, start, place } = await open();
  await addWorktree(start, { path: place, branch, commit: start.head });
  await harm(repo, place);

  await removeWorktree(start, place);
  await removeWorktree(start, place);
  await deleteBranch(start, branch);
  await deleteBranch(start, branch);

  expect(existsSync(place)).toBe(false);
  expect(await listWorktrees(start)).toHaveLength(1);
  expect(await tipOf(start, branch)).toBeNull();
});

test("a folder and a worktree of another repository are nobody's to remove", async () => {
  const { start, place } = await open();
  const other = await open();
  await addWorktree(other.start, { path: place, branch, commit: other.start.head });
  const folder = `${place}-folder`;
  await mkdir(folder);

  expect(await isWorktreeOf(start, place)).toBe(false);
  for (const each of [place, folder]) await expect(removeWorktree(start, each)).rejects.toThrow();

  expect(existsSync(path.join(place, "a.txt"))).toBe(true);
  expect(existsSync(folder)).toBe(true);
});

test("commits are counted against a branch, and against all others", async () => {
  const { repo, start, place } = await open();
  const made = await addWorktree(start, { path: place, branch, commit: start.head });
  await writeFile(path.join(place, "b.txt"), "b\n");
  await repo.git("-C", place, "add", "b.txt");
  await repo.git("-C", place, "commit", "-qm", "b");
  const tip = (await tipOf(start, branch)) ?? "";

  expect(await commitsAhead(start, { from: "main", to: branch })).toBe(1);
  expect(await onlyOn(start, { branch, tips: [tip] })).toBe(1);
  expect(await isAncestor(start, { ancestor: tip, of: "main" })).toBe(false);
  await repo.git("merge", "-q", branch);
  expect(await onlyOn(start, { branch, tips: [tip] })).toBe(0);
  expect(await isAncestor(start, { ancestor: made.head, of: "main" })).toBe(true);
});

describe("removeClean", () => {
  async function made() {
    const opened = await open();
    const { start, place } = opened;
    await addWorktree(start, { path: place, branch, commit: start.head });
    return opened;
  }

  test("takes folder, branch and record, and ignored files with them", async () => {
    const { repo, start, place } = await made();
    await writeFile(path.join(repo.root, ".git/info/exclude"), "*.log\n");
    await writeFile(path.join(place, "x.log"), "x");

    expect(await removeClean(start, { path: place, branch })).toBe(true);

    expect(existsSync(place)).toBe(false);
    expect(await listWorktrees(start)).toHaveLength(1);
    expect(await tipOf(start, branch)).toBeNull();
  });

  test.each<[string, (place: string, repo: TempRepo) => Promise<unknown>]>([
    ["an untracked file", async (place) => writeFile(path.join(place, "b.txt"), "b")],
    [
      "an untracked file that the user lets `git status` leave out",
      async (place, repo) => {
        await repo.git("config", "status.showUntrackedFiles", "no");
        return writeFile(path.join(place, "b.txt"), "b");
      },
    ],
    ["a changed file", async (place) => writeFile(path.join(place, "a.txt"), "b")],
    ["a deleted file", async (place) => rm(path.join(place, "a.txt"))],
    ["a lock of the user's", async (place, repo) => repo.git("worktree", "lock", place)],
  ])("takes nothing when there is %s", async (_, change) => {
    const { repo, start, place } = await made();
    await change(place, repo);

    expect(await removeClean(start, { path: place, branch })).toBe(false);

    expect(existsSync(path.join(place, ".git"))).toBe(true);
    expect(await listWorktrees(start)).toHaveLength(2);
    expect(await tipOf(start, branch)).toBe(start.head);
  });

  test("takes nothing that git does not know", async () => {
    const { repo, start, place } = await open();
    await mkdir(place);
    await repo.git("branch", branch);

    expect(await removeClean(start, { path: place, branch })).toBe(false);

    expect(existsSync(place)).toBe(true);
    expect(await tipOf(start, branch)).toBe(start.head);
  });
});

describe("mayHaveTraces", () => {
  test("of nothing says no; of a folder, a record or a branch alone says yes", async () => {
    const { repo, start, place } = await open();
    const traces = async () => mayHaveTraces(start, { path: place, branch });

    expect(await traces()).toBe(false);
    await mkdir(place);
    expect(await traces()).toBe(true);
    await rm(place, { recursive: true });
    await repo.git("branch", branch);
    expect(await traces()).toBe(true);
    await repo.git("branch", "-D", branch);
    expect(await traces()).toBe(false);
    await addWorktree(start, { path: place, branch: null, commit: start.head });
    await rm(place, { recursive: true });
    expect(await traces()).toBe(true);
  });

  test("never says no where branches are in no files of their own", async () => {
    const { repo, start, place } = await open();
    // As a reftable has it.
    await rm(path.join(repo.root, ".git/refs/heads"), { recursive: true });
    await writeFile(path.join(repo.root, ".git/refs/heads"), "this repository uses reftables\n");

    expect(await mayHaveTraces(start, { path: place, branch })).toBe(true);
  });
});
