/** An input's branch that its user merged with plain git: `mmm resume` goes on, and pays nothing twice (spec 7, 8.4). */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
let env: { readonly MEETING: string };
let session: string;
/** Worktree and branch of the input that has lost. */
let name: string;

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };
const SAME = `
- {shell: 'echo \${ARG} > same.txt; echo \${ARG} > own-\${ARG}.txt; touch "$MEETING/\${ARG}"; while [ $(ls "$MEETING" | wc -l) -lt 2 ]; do sleep 0.02; done', commit_message: same}`;

beforeEach(async () => {
  kitchen = await openKitchen();
  env = { MEETING: path.join(kitchen.repo.base, "meeting") };
  mkdirSync(env.MEETING);
  const args = ["--args", "a1", "--args", "a2", "--parallel", "2"];
  const ran = await kitchen.cook(SAME, args, { env });
  expect(ran.code, ran.stderr).toBe(1);
  session = path.basename(kitchen.session());
  name =
    ["i1", "i2"].map((end) => `${session}-${end}`).find((each) => existsSync(treeOf(each))) ?? "";
  expect(name).not.toBe("");
});
afterEach(async () => kitchen.dispose());

function treeOf(of: string): string {
  return path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", of);
}

async function git(...args: readonly string[]): Promise<string> {
  return kitchen.repo.git(...args);
}

/** Resolved in favour of both. */
async function mergeByHand(tree: string): Promise<void> {
  await git("-C", tree, "merge", "-q", name).catch(() => "");
  if ((await git("-C", tree, "status", "--porcelain")) === "") return;
  writeFileSync(path.join(tree, "same.txt"), "both\n");
  await git("-C", tree, "add", "same.txt");
  await git("-C", tree, "commit", "-q", "-m", "by hand");
}

const CLEANED = [
  ["and left where it is", async () => undefined],
  ["and cleaned with mmm", async () => kitchen.mmm(["worktree", "clean", name])],
  ["and its worktree removed", async () => git("worktree", "remove", treeOf(name))],
] as const;

async function expectGoneOn(): Promise<string> {
  const { code, stdout, stderr } = await kitchen.mmm(["resume", "--yes"], { env });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await left(kitchen.repo)).toEqual(NOTHING);
  for (const arg of ["a1", "a2"])
    expect(await kitchen.repo.read(`own-${arg}.txt`)).toBe(`${arg}\n`);
  // No step was run again.
  expect(kitchen.events().filter(({ type }) => type === "step-finished")).toHaveLength(2);
  expect(kitchen.events().filter(({ type }) => type === "attempt-started")).toHaveLength(2);
  return stdout + stderr;
}

describe("merged into the session's branch", () => {
  test.each(CLEANED)("%s", async (_, clean) => {
    await mergeByHand(treeOf(session));
    await clean();
    await expectGoneOn();
    expect(await kitchen.repo.read("same.txt")).toBe("both\n");
  });
});

describe("merged into the branch that the session goes to", () => {
  test.each(CLEANED.slice(0, 2))("%s", async (_, clean) => {
    await mergeByHand(kitchen.repo.root);
    await clean();
    const first = await kitchen.mmm(["resume"], { env });
    expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
    expect(first.stdout + first.stderr).toContain(`${name} is merged already`);
    // What is left is the merge of the session.
    await git("merge", "-q", session).catch(() => "");
    writeFileSync(path.join(kitchen.repo.root, "same.txt"), "both\n");
    await git("commit", "-qam", "all");
    const cleaned = await kitchen.mmm(["worktree", "clean", "--all"]);
    expect(cleaned).toMatchObject({ code: 0 });
    expect(await left(kitchen.repo)).toEqual(NOTHING);
    expect(kitchen.events().filter(({ type }) => type === "attempt-started")).toHaveLength(2);
  });
});

test("files of the user's in the session's tree stop the resume, merged by hand or not", async () => {
  await mergeByHand(treeOf(session));
  writeFileSync(path.join(treeOf(session), "mine.txt"), "mine\n");
  const ran = await kitchen.mmm(["resume"], { env });
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("mine.txt");
});

test("a session's branch that was moved back has lost what was merged: that stops the resume", async () => {
  await git("-C", treeOf(session), "reset", "-q", "--hard", "HEAD~1");
  const ran = await kitchen.mmm(["resume"], { env });
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("the tree has moved on");
});

test("a branch that was removed unmerged starts anew", async () => {
  await git("worktree", "remove", treeOf(name));
  await git("branch", "-q", "-D", name);
  const ran = await kitchen.mmm(["resume", "--yes"], { env });
  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
  const input = name.slice(-1);
  expect(ran.stderr).toContain(`worktree and branch of input ${input} are gone`);
  expect(kitchen.events().filter(({ type }) => type === "attempt-started")).toHaveLength(3);
});
