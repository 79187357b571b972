/** What git leaves in a tree when it fails in the middle of a move, and what of it is put back (spec 8.3). */
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { halfMoved, undoHalfMove } from "../../src/git/half-moved.ts";
import { moveForward } from "../../src/git/merge.ts";
import { findRepository } from "../../src/git/repository.ts";
import { repoOf } from "./support.ts";

const BEFORE = { "a.txt": "a\n", "gone.txt": "gone\n", "mode.sh": "x\n", dir: "a file\n" };

/** `main`, and a branch on top of it in which all kinds of things have changed. */
async function open(attributes = "") {
  const repo = await repoOf({ ...BEFORE, ".gitattributes": attributes, "z.bin": "before\n" });
  const from = await repo.git("rev-parse", "HEAD");
  await repo.git("switch", "-q", "-c", "next");
  await rm(path.join(repo.root, "gone.txt"));
  await rm(path.join(repo.root, "dir"));
  await chmod(path.join(repo.root, "mode.sh"), 0o755);
  await repo.write("a.txt", "changed\n".repeat(100));
  await repo.write("dir/inside.txt", "inside\n");
  await repo.write("new/file.txt", "new\n".repeat(100));
  await repo.write('od"d\nname', "odd\n".repeat(10));
  await symlink("a.txt", path.join(repo.root, "link"));
  await repo.write("z.bin", "after\n");
  const to = await repo.commitAll("next");
  await repo.git("switch", "-q", "main");
  const tree = await findRepository(repo.root, repo.env);
  return { repo, tree, move: { from, to }, status: async () => repo.git("status", "--porcelain") };
}

test("git fails at the last file: all that it has written is taken back", async () => {
  const { repo, tree, move, status } = await open("z.bin filter=broken\n");
  await repo.git("config", "filter.broken.required", "true");
  await repo.git("config", "filter.broken.clean", "cat");
  await repo.git(
    "config",
    "filter.broken.smudge",
    'case "$(cat)" in after) exit 1;; *) echo before;; esac',
  );

  const moving = moveForward(tree, { branch: "main", ...move, tree });

  await expect(moving).rejects.toMatchObject({ code: "git-failed" });
  expect(await status()).toBe("");
  expect(await repo.git("rev-parse", "HEAD")).toBe(move.from);
  expect(await readFile(path.join(repo.root, "dir"), "utf8")).toBe("a file\n");
});

test("files that are there, half there, or gone are put back, with the index, whatever git got done", async () => {
  const { repo, tree, move, status } = await open();
  const names = [
    "a.txt",
    "dir/inside.txt",
    "gone.txt",
    "link",
    "mode.sh",
    "new/file.txt",
    'od"d\nname',
    "z.bin",
  ];
  await repo.git("read-tree", "-u", "-m", move.from, move.to);
  await repo.write("a.txt", "changed\nchan");
  await repo.write("new/file.txt", "");
  await repo.write('od"d\nname', "odd\nod");
  await rm(path.join(repo.root, "z.bin"));
  expect([...(await halfMoved(tree, move))].sort()).toEqual([...names, "dir"].sort());

  await undoHalfMove(tree, move);
  await undoHalfMove(tree, move);

  expect(await status()).toBe("");
  expect(await repo.git("ls-files", "new", "link")).toBe("");
});

test("what somebody else did stays: edits, staged files, files in a folder that is in the way", async () => {
  const { repo, tree, move, status } = await open();
  await repo.write("a.txt", "mine\n");
  await repo.write("new/file.txt", "mine too\n");
  await repo.write("z.bin", "staged\n");
  await repo.git("add", "z.bin");
  await rm(path.join(repo.root, "dir"));
  await mkdir(path.join(repo.root, "dir"));
  await writeFile(path.join(repo.root, "dir", "mine.txt"), "mine\n");
  await writeFile(path.join(repo.root, "dir", "inside.txt"), "inside\n");

  await undoHalfMove(tree, move);

  expect(await repo.read("a.txt")).toBe("mine\n");
  expect(await repo.read("new/file.txt")).toBe("mine too\n");
  expect(await repo.read("dir/mine.txt")).toBe("mine\n");
  expect((await status()).split("\n")).toContain("M  z.bin");
});

test("a file that git refuses to overwrite is nobody's leftover, empty or not", async () => {
  const { repo, tree, move, status } = await open();
  await repo.write("new/file.txt", "");
  const moving = moveForward(tree, { branch: "main", ...move, tree });
  await expect(moving).rejects.toThrow("would be overwritten");
  expect(await status()).toBe("?? new/");
});

test("a HEAD that has moved has nothing to put back", async () => {
  const { repo, tree, move } = await open();
  await repo.git("commit", "-q", "--allow-empty", "-m", "on");
  await rm(path.join(repo.root, "a.txt"));
  expect(await halfMoved(tree, move)).toEqual([]);
});
