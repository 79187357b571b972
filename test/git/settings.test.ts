/** What a worktree would lack: settings that are not committed (spec 8.1). */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { uncommittedSettings } from "../../src/git/ready.ts";
import { findRepository } from "../../src/git/repository.ts";
import { repoOf } from "./support.ts";

it("are those of .mmm and of each .claude, new, changed, deleted, staged, and nothing else", async () => {
  const repo = await repoOf({
    ".gitignore": ".claude/local.json\n",
    ".claude/same.md": "1",
    ".claude/changed.md": "1",
    ".mmm/gone.yml": "1",
    "deep/er/.claude/changed.md": "1",
    "a.txt": "1",
    "x.claude/a": "1",
  });
  await repo.write(".claude/changed.md", "2");
  await repo.write(".claude/local.json", "{}");
  await repo.write(".mmm/config.yml", "");
  await rm(join(repo.root, ".mmm/gone.yml"));
  await repo.write("deep/er/.claude/changed.md", "2");
  await repo.write("new/[odd] *name/.claude/commands/x.md", "1");
  await repo.write("staged/.claude/y.md", "1");
  await repo.git("add", "staged");
  await repo.write("a.txt", "2");
  await repo.write("x.claude/a", "2");
  await repo.write("deep/.mmm/z", "1");
  await repo.write("deep/.claude.md", "1");

  const expected = [
    ".claude/changed.md",
    ".claude/local.json",
    ".mmm/config.yml",
    ".mmm/gone.yml",
    "deep/er/.claude/changed.md",
    "new/[odd] *name/.claude/commands/x.md",
    "staged/.claude/y.md",
  ];
  for (const folder of [".", "deep/er", "new/[odd] *name"]) {
    const start = await findRepository(join(repo.root, folder), repo.env);
    expect((await uncommittedSettings(start)).toSorted(), folder).toEqual(expected);
  }
});

it("of a folder with wildcards in its name are not those of others, when git ignores them", async () => {
  const repo = await repoOf({ ".gitignore": "*.json\n", "a*/f": "1", "ab/f": "1" });
  await repo.write("a*/.claude/s.json", "{}");
  await repo.write("ab/.claude/s.json", "{}");

  const start = await findRepository(join(repo.root, "a*"), repo.env);

  expect(await uncommittedSettings(start)).toEqual(["a*/.claude/s.json"]);
});
