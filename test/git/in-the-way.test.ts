/** Files that are not committed where a merge is to move a branch (spec 8.3). */
import { stat } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { MmmError } from "../../src/errors.ts";
import { moveForward } from "../../src/git/merge.ts";
import { findRepository } from "../../src/git/repository.ts";
import { repoOf } from "./support.ts";

/** `main`, and a branch on top of it that has changed a.txt and added files. */
async function open(attributes = "") {
  const repo = await repoOf({ "a.txt": "a\n", ".gitattributes": attributes, "z.bin": "before\n" });
  const from = await repo.git("rev-parse", "HEAD");
  await repo.git("switch", "-q", "-c", "next");
  await repo.write("a.txt", "changed\n");
  await repo.write("new/one.txt", "one\n");
  await repo.write("new/t*o $2.txt", "two\n");
  await repo.write("z.bin", "after\n");
  const to = await repo.commitAll("next");
  await repo.git("switch", "-q", "main");
  const tree = await findRepository(repo.root, repo.env);
  const move = async (): Promise<unknown> =>
    moveForward(tree, { branch: "main", from, to, tree }).then(
      () => null,
      (error: unknown) => error,
    );
  const state = async () => [
    await repo.git("rev-parse", "HEAD"),
    await repo.git("status", "--porcelain", "-z", "--untracked-files=all"),
  ];
  return { repo, from, to, move, state };
}

test("files that lie there as the merge has them are in nobody's way, and are not touched", async () => {
  const { repo, to, move, state } = await open();
  await repo.write("a.txt", "changed\n");
  await repo.write("new/one.txt", "one\n");
  await repo.write("new/t*o $2.txt", "two\n");
  const places = ["a.txt", "new/one.txt"].map((name) => path.join(repo.root, name));
  const inodes = async () => Promise.all(places.map(async (place) => (await stat(place)).ino));
  const before = await inodes();

  expect(await move()).toBe(null);

  expect(await state()).toEqual([to, ""]);
  expect(await inodes()).toEqual(before);
  expect(await repo.read("z.bin")).toBe("after\n");
});

test.each([0, 1])(
  "one with other content is refused by its name, all stays as it is, and line %i mends it",
  async (line) => {
    const { repo, from, move, state } = await open();
    await repo.write("new/one.txt", "one\n");
    await repo.write("new/t*o $2.txt", "mine\n");
    const before = await state();

    const error = await move();

    if (!(error instanceof MmmError)) throw new Error("nothing was refused");
    expect(error).toMatchObject({ code: "in-the-way", exitCode: 3 });
    expect(error.message).toContain("\n  new/t*o $2.txt");
    expect(error.message).not.toContain("one.txt");
    expect(await state()).toEqual(before);
    expect(before[0]).toBe(from);

    const typed = (error.next[line] ?? "false").replace(/^or commit it: /u, "");
    execFileSync("sh", ["-ec", typed], { cwd: repo.base, env: repo.env, stdio: "ignore" });
    const where = line === 1 ? "HEAD" : "stash@{0}^3";
    expect(await repo.git("show", `${where}:new/t*o $2.txt`)).toBe("mine");
    // The commit is one more to merge with; what was put away is not.
    if (line === 0) expect(await move()).toBe(null);
    expect(await repo.read("new/one.txt")).toBe("one\n");
  },
);

test("what somebody has staged is not staged anew", async () => {
  const { repo, move } = await open();
  await repo.write("new/one.txt", "staged\n");
  await repo.git("add", "new/one.txt");
  await repo.write("new/one.txt", "one\n");

  expect(await move()).toMatchObject({ code: "in-the-way" });

  expect(await repo.git("show", ":new/one.txt")).toBe("staged");
});

test("git fails in the middle: files that were there before stay, uncommitted as they were", async () => {
  const { repo, move, state } = await open("z.bin filter=broken\n");
  await repo.git("config", "filter.broken.required", "true");
  await repo.git("config", "filter.broken.clean", "cat");
  await repo.git(
    "config",
    "filter.broken.smudge",
    'case "$(cat)" in after) exit 1;; *) echo before;; esac',
  );
  await repo.write("a.txt", "changed\n");
  await repo.write("new/one.txt", "one\n");
  const before = await state();

  expect(await move()).toMatchObject({ code: "git-failed" });

  expect(await state()).toEqual(before);
  expect(await repo.read("a.txt")).toBe("changed\n");
  expect(await repo.read("new/one.txt")).toBe("one\n");
});
