/** Whose moves of HEAD were they (spec 7)? The reflog says it: real git, real reflogs. */
import { expect, test } from "vitest";
import { headMoves, type HeadNow } from "../../src/git/head-moves.ts";
import { findRepository } from "../../src/git/repository.ts";
import type { TempRepo } from "../support/temp-repo.ts";
import { repoOf } from "./support.ts";

async function now(repo: TempRepo, from: string): Promise<HeadNow> {
  return headMoves(await findRepository(repo.root, repo.env), { from, session: "mmm-pb-1" });
}

const head = async (repo: TempRepo): Promise<string> => repo.git("rev-parse", "HEAD");

/** A commit by whoever the reflog names; `null`: git's own words, as a user's. */
async function commit(repo: TempRepo, action: string | null): Promise<string> {
  const empty = ["commit", "-q", "--allow-empty", "-m", "x"];
  if (action === null) await repo.git(...empty);
  else {
    await repo.git(
      "-c",
      "core.logAllRefUpdates=true",
      "update-ref",
      "-m",
      action,
      "HEAD",
      await child(repo),
    );
  }
  return head(repo);
}

async function child(repo: TempRepo): Promise<string> {
  return repo.git("commit-tree", "-p", "HEAD", "-m", `x ${Math.random()}`, "HEAD^{tree}");
}

test("HEAD that has not moved has no stranger, whatever happened before", async () => {
  const repo = await repoOf();
  const from = await commit(repo, null);

  expect(await now(repo, from)).toEqual({ head: from, branch: "main", stranger: null });
});

test("HEAD that has not moved needs no reflog to say so", async () => {
  const repo = await repoOf();
  await repo.git("reflog", "expire", "--expire=all", "--all");

  expect(await now(repo, await head(repo))).toMatchObject({ stranger: null });
});

test("moves of the session's own unit, and mmm's own, are nobody's else", async () => {
  const repo = await repoOf();
  const from = await head(repo);
  await commit(repo, "mmm mmm-pb-1 3: commit: mine");
  await commit(repo, "mmm commit: step");
  const tip = await commit(repo, "mmm rollback mmm-pb-1");

  expect(await now(repo, from)).toEqual({ head: tip, branch: "main", stranger: null });
});

test.each([
  ["a user's commit", null, /^commit: x$/],
  ["another session's", "mmm mmm-pb-12 1: commit: x", /mmm-pb-12/],
  ["a word that begins like mmm's", "mmm commits: x", /commits/],
])("%s is a stranger's", async (_, action, said) => {
  const repo = await repoOf();
  const from = await head(repo);
  await commit(repo, action);
  await commit(repo, "mmm mmm-pb-1 3: commit: later");

  expect((await now(repo, from)).stranger).toMatch(said);
});

test("of several the oldest is told, and what lies before the place that is known does not count", async () => {
  const repo = await repoOf();
  await commit(repo, "long ago: x");
  const from = await head(repo);
  await commit(repo, "first: x");
  await commit(repo, "second: x");

  expect(await now(repo, from)).toMatchObject({ stranger: "first: x" });
});

test("a place that HEAD never was at is no reason to forget whose move it was", async () => {
  const repo = await repoOf();
  await commit(repo, "somebody: x");

  expect((await now(repo, "0".repeat(40))).stranger).toMatch(/^\S/);
});

test("HEAD that was never there is unknown, if only the session moved it", async () => {
  const repo = await repoOf();
  await commit(repo, "mmm mmm-pb-1 3: commit: x");
  // The first commit's own move is no session's.
  await repo.git("reflog", "expire", "--expire=all", "--all");
  await commit(repo, "mmm mmm-pb-1 3: commit: y");

  expect(await now(repo, "0".repeat(40))).toMatchObject({ stranger: "unknown" });
});

test("a detached HEAD has no branch", async () => {
  const repo = await repoOf();
  await repo.git("switch", "-q", "--detach");
  const from = await head(repo);

  expect(await now(repo, from)).toEqual({ head: from, branch: null, stranger: null });
});
