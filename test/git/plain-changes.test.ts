import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TempRepo } from "../support/temp-repo.ts";
import { repoOf, treeOf } from "./support.ts";

const FILES = {
  a: "1\n",
  b: "1\n",
  "dir/c": "1\n",
  "dir/d": "1\n",
  "text.txt": "one\ntwo\n",
  ".gitattributes": "*.txt text eol=lf\n",
  ".gitignore": "*.log\n",
};
const PATHS = ["a", "b", "dir", "dir/c", "dir/d", "a/below", "new/x", "new/y z", "text.txt"];

const OPS = {
  write: (repo: TempRepo, path: string) => repo.write(path, "2\n"),
  back: (repo: TempRepo, path: string) => repo.git("checkout", "HEAD", "--", path),
  remove: (repo: TempRepo, path: string) => rm(join(repo.root, path), { recursive: true }),
  stage: (repo: TempRepo, path: string) => repo.git("add", "--", path),
  unstage: (repo: TempRepo, path: string) => repo.git("reset", "--quiet", "--", path),
  intend: (repo: TempRepo, path: string) => repo.git("add", "-N", "--", path),
  link: (repo: TempRepo, path: string) => symlink("nowhere", join(repo.root, path)),
  program: (repo: TempRepo, path: string) => chmod(join(repo.root, path), 0o755),
  move: (repo: TempRepo, path: string) => rename(join(repo.root, path), join(repo.root, "moved")),
  windows: (repo: TempRepo, path: string) => repo.write(path, "one\r\ntwo\r\n"),
  folder: (repo: TempRepo, path: string) => mkdir(join(repo.root, path)),
  nested: async (repo: TempRepo, path: string) => {
    if (existsSync(join(repo.root, path))) return;
    await repo.git("init", "--quiet", path);
    await repo.gitIn(path, "commit", "--quiet", "--allow-empty", "-m", "x");
  },
  play: (repo: TempRepo) => repo.write("play.yml", "- y"),
} as const;
const NAMES = Object.keys(OPS) as (keyof typeof OPS)[];

const script = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...PATHS)), {
  minLength: 1,
  maxLength: 6,
});

describe("what has changed since a point", () => {
  it.each([
    ["a clean tree", false],
    ["a playbook that is not committed", true],
  ])(
    "is the same read off git status and off tree objects, from %s (spec 3.3)",
    async (_, dirty) => {
      await fc.assert(
        fc.asyncProperty(script, async (ops) => {
          const repo = await repoOf(FILES);
          if (dirty) await repo.write("play.yml", "- x");
          const options = { ownFiles: [join(repo.root, "play.yml")] };
          const quick = await treeOf(repo, options);
          const slow = await treeOf(repo, options);
          const point = await quick.mark(await quick.look());
          const byTree = {
            ...point,
            tree: point.tree ?? (await repo.git("rev-parse", "HEAD^{tree}")),
          };

          // Not all of them can be done everywhere.
          for (const [name, path] of ops)
            await Promise.resolve(OPS[name](repo, path)).catch(() => "");

          expect(await quick.filesSince(point, await quick.look())).toEqual(
            await slow.filesSince(byTree, await slow.look()),
          );
          await repo.dispose();
        }),
        { numRuns: 12 },
      );
    },
  );

  it("asks git for nothing more than the look when files came and went", async () => {
    const repo = await repoOf(FILES);
    await repo.write("play.yml", "- x");
    const trace = join(repo.base, "trace");
    const options = { ownFiles: [join(repo.root, "play.yml")], env: { GIT_TRACE: trace } };
    const tree = await treeOf(repo, options);
    const point = await tree.mark(await tree.look());
    await repo.write("new", "1");
    await rm(join(repo.root, "a"));
    const look = await tree.look();
    const before = await readFile(trace, "utf8");

    const files = await tree.filesSince(point, look);

    expect(files).toEqual([
      { path: "new", status: "added" },
      { path: "a", status: "deleted" },
    ]);
    expect(await readFile(trace, "utf8")).toBe(before);
  });

  it("leaves out what only its filters make look changed", async () => {
    const repo = await repoOf(FILES);
    const tree = await treeOf(repo);
    const point = await tree.mark(await tree.look());
    await repo.write("text.txt", "one\r\ntwo\r\n");

    expect(await tree.filesSince(point, await tree.look())).toEqual([]);
  });
});
