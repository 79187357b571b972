/** A branch is moved to a merge, and the tree along in which it is checked out (spec 8.3). */
import { expect, test } from "vitest";
import { moveForward } from "../../src/git/merge.ts";
import { findRepository } from "../../src/git/repository.ts";
import { branchOf } from "../../src/git/stands-on.ts";
import { repoOf } from "./support.ts";

/** `main`, and one commit on top of it that no branch has. */
async function open() {
  const repo = await repoOf({ "a.txt": "a\n" });
  const from = await repo.git("rev-parse", "HEAD");
  const to = await repo.git("commit-tree", "-p", from, "-m", "next", "HEAD^{tree}");
  const tree = await findRepository(repo.root, repo.env);
  return { repo, tree, move: { branch: "main", from, to, tree } };
}

test("a tree that stands on another branch by now is not touched, and neither is that branch", async () => {
  const { repo, tree, move } = await open();
  await repo.git("switch", "-q", "-c", "side");

  await expect(moveForward(tree, move)).rejects.toMatchObject({
    code: "target-elsewhere",
    exitCode: 3,
    next: [`git -C ${repo.root} switch main`, "merge again"],
  });

  expect(await repo.git("rev-parse", "main", "side")).toBe(`${move.from}\n${move.from}`);
});

test("a detached HEAD is no branch", async () => {
  const { repo, tree, move } = await open();
  await repo.git("switch", "-q", "--detach");

  await expect(moveForward(tree, move)).rejects.toThrow("now stands on a detached HEAD");

  expect(await repo.git("rev-parse", "HEAD")).toBe(move.from);
});

test("a tree that stands on the branch goes along", async () => {
  const { repo, tree, move } = await open();
  await moveForward(tree, move);
  expect(await repo.git("rev-parse", "HEAD", "main")).toBe(`${move.to}\n${move.to}`);
});

test.each(["main", "with/slash"])("%s is read off HEAD", async (branch) => {
  const { repo, tree } = await open();
  await repo.git("checkout", "-q", "-B", branch);
  expect(await branchOf(tree)).toBe(branch);
});

test("a HEAD that is a symbolic link, as old gits made it, is asked of git", async () => {
  const { repo, tree } = await open();
  await repo.git("config", "core.preferSymlinkRefs", "true");
  await repo.git("switch", "-q", "-c", "linked");
  expect(await branchOf(tree)).toBe("linked");
});
