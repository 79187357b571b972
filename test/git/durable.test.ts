/** What cost money survives a power cut (spec 7): what mmm writes into git is synced, as git itself counts it. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TempRepo } from "../support/temp-repo.ts";
import { commitOf, repoOf, treeOf } from "./support.ts";

const [, major = 0, minor = 0] = (
  /(\d+)\.(\d+)/.exec(String(execFileSync("git", ["version"]))) ?? []
).map(Number);
const canSync = major > 2 || minor >= 36;

/** How often the git of `names` has had the disk flushed; it tells that when it ends. */
async function flushesOf(file: string, names: readonly string[]): Promise<number> {
  const told = (await readFile(file, "utf8")).trimEnd().split("\n");
  const events = told.map((line) => JSON.parse(line) as Record<string, unknown>);
  const ours = new Set(
    events.flatMap(({ event, name, sid }) =>
      event === "cmd_name" && names.includes(String(name)) ? [sid] : [],
    ),
  );
  expect(ours.size).toBeGreaterThan(0);
  return events
    .filter(
      ({ sid, category, key }) =>
        ours.has(sid) && category === "fsync" && key === "fsync/hardware-flush",
    )
    .reduce((sum, { value }) => sum + Number(value), 0);
}

async function traced(): Promise<{
  readonly repo: TempRepo;
  readonly trace: string;
  readonly env: Record<string, string>;
}> {
  const repo = await repoOf({ a: "1" });
  const trace = join(repo.base, "trace");
  return { repo, trace, env: { GIT_TRACE2_EVENT: trace } };
}

describe.runIf(canSync)("synced to disk, whatever the user's git is set to", () => {
  it("a commit: its tree, itself and the branch", async () => {
    const { repo, trace, env } = await traced();
    await repo.git("config", "core.fsync", "none");
    const tree = await treeOf(repo, { env });
    await repo.write("a", "2");

    expect(await commitOf(tree)).toMatchObject({ kind: "committed" });

    expect(await flushesOf(trace, ["commit"])).toBeGreaterThanOrEqual(3);
  });

  it("the files of a commit", async () => {
    const { repo, trace, env } = await traced();
    const tree = await treeOf(repo, { env });
    await repo.write("a", "2");

    await commitOf(tree);

    expect(await flushesOf(trace, ["update-index", "hash-object", "add"])).toBeGreaterThanOrEqual(
      1,
    );
  });

  it("what a failed step left", async () => {
    const { repo, trace, env } = await traced();
    const tree = await treeOf(repo, { env });
    await repo.write("b", "left");

    await tree.keepFailed();

    expect(await flushesOf(trace, ["commit-tree"])).toBeGreaterThanOrEqual(1);
    expect(await flushesOf(trace, ["update-ref"])).toBeGreaterThanOrEqual(1);
  });
});
