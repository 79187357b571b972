/** What its user did with git to a stopped session's own worktree: `mmm resume` says how it goes on (spec 7). */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { CliResult } from "../support/run-cli.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
let out: string;
beforeEach(async () => {
  kitchen = await openKitchen();
  out = path.join(kitchen.repo.base, "out");
  mkdirSync(out);
});
afterEach(async () => kitchen.dispose());

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };
const STEPS = `
- {shell: 'echo \${ARG} > one-\${ARG}.txt', commit_message: one}
- {shell: 'test -e "$OUT/go-\${ARG}" && echo \${ARG} > two-\${ARG}.txt', commit_message: two}
`;
const name = (): string => path.basename(kitchen.session());
const tree = (input = ""): string =>
  path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", `${name()}${input}`);

/** Of two inputs the second fails. */
async function fail(...args: readonly string[]): Promise<void> {
  writeFileSync(path.join(out, "go-a1"), "");
  const inputs = ["--args", "a1", "--args", "a2"];
  const ran = await kitchen.cook(STEPS, [...inputs, ...args], { env: { OUT: out } });
  expect(ran.code, ran.stderr).toBe(1);
  writeFileSync(path.join(out, "go-a2"), "");
}

async function resume(): Promise<CliResult> {
  return kitchen.mmm(["resume", "--yes"], { env: { OUT: out } });
}

/** The line of the refusal that begins with git and has `word`, as its user types it. */
function type({ stderr }: CliResult, word: string): void {
  const lines = stderr.split("\n").map((line) => /(git .*?)(?: {3}\(|$)/.exec(line)?.[1] ?? "");
  const line = lines.find((each) => each.includes(word)) ?? "exit 9";
  const { root: cwd, env } = kitchen.repo;
  execFileSync("sh", ["-ec", line], {
    cwd,
    env: { ...env, GIT_EDITOR: "true" },
    stdio: "ignore",
  });
}

async function expectGoesOn(): Promise<void> {
  const { code, stderr } = await resume();
  expect({ code, stderr }).toMatchObject({ code: 0 });
  for (const arg of ["a1", "a2"])
    expect(await kitchen.repo.read(`two-${arg}.txt`)).toBe(`${arg}\n`);
  expect(await left(kitchen.repo)).toEqual(NOTHING);
}

describe.each([["--worktree"], ["--parallel=2"]])("%s", (mode) => {
  test.each([
    ["with a reflog", "true"],
    ["without one", "false"],
  ])("its branch is deleted, %s: it says so, with the line that makes it again", async (_, log) => {
    await kitchen.repo.git("config", "core.logAllRefUpdates", log);
    await fail(mode);
    const tip = await kitchen.repo.git("rev-parse", name());
    await kitchen.repo.git("update-ref", "-d", `refs/heads/${name()}`);

    const refused = await resume();

    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toContain(`stands on the branch ${name()}, and there is no such branch`);
    expect(refused.stderr).not.toContain("git add");
    type(refused, "branch");
    expect(await kitchen.repo.git("rev-parse", name())).toBe(tip);
    await expectGoesOn();
  });
});

describe("a merge that was begun in the session's tree and not ended", () => {
  beforeEach(async () => {
    await fail("--parallel", "1");
    await kitchen.repo.git("-C", tree(), "switch", "-q", "--detach", "main");
    await kitchen.repo.write(`${path.relative(kitchen.repo.root, tree())}/one-a1.txt`, "other\n");
    await kitchen.repo.git("-C", tree(), "add", "-A");
    await kitchen.repo.git("-C", tree(), "commit", "-qm", "other");
    await kitchen.repo.git(
      "branch",
      "other",
      await kitchen.repo.git("-C", tree(), "rev-parse", "HEAD"),
    );
    await kitchen.repo.git("-C", tree(), "switch", "-q", name());
    await kitchen.repo.git("-C", tree(), "merge", "-q", "other").catch(() => "");
  });

  test("the line that gives it up is enough", async () => {
    const refused = await resume();

    expect(refused.code, refused.stderr).toBe(3);
    expect(refused.stderr).toContain("a merge is under way in the tree of");
    expect(refused.stderr).not.toContain("stash");
    type(refused, "--abort");
    await kitchen.repo.git("branch", "-qD", "other");
    await expectGoesOn();
  });

  test("so is the one that ends it, when it is resolved", async () => {
    await kitchen.repo.git("-C", tree(), "add", "-A");
    type(await resume(), "commit");
    await kitchen.repo.git("branch", "-qD", "other");
    await expectGoesOn();
  });
});

test("conflicts of no merge can be put aside with the line that is named", async () => {
  await fail("--parallel", "1");
  const git = async (...words: readonly string[]) => kitchen.repo.git("-C", tree(), ...words);
  writeFileSync(path.join(tree(), "one-a1.txt"), "mine\n");
  await git("stash", "-q");
  writeFileSync(path.join(tree(), "one-a1.txt"), "else\n");
  await git("commit", "-qam", "else");
  await git("stash", "pop", "-q").catch(() => "");

  const refused = await resume();

  expect(refused.code, refused.stderr).toBe(3);
  type(refused, "stash");
  await expectGoesOn();
});
