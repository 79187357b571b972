/** mmm is stopped or killed while an input is brought home; `mmm resume` goes on from there (spec 7, 8.4). */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CliResult } from "../support/run-cli.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen();
});
afterEach(async () => kitchen.dispose());

const WRITE = `- {shell: "echo \${ARG} > out-\${ARG}.txt", commit_message: "add \${ARG}"}`;
const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };

/** A git that, at the first command with these words in it, does `script` first. */
function gitThat(words: string, script: string): { readonly PATH: string } {
  const bin = path.join(kitchen.repo.base, "bin");
  const once = path.join(kitchen.repo.base, "once");
  mkdirSync(bin, { recursive: true });
  const lines = [
    "#!/bin/bash",
    'rest() { PATH="${PATH#*:}" git "$@"; }',
    'place="${@: -1}"',
    `if [[ " $* " == *" ${words} "* ]] && mkdir "${once}" 2>/dev/null; then ${script}; fi`,
    'PATH="${PATH#*:}" exec git "$@"',
  ];
  writeFileSync(path.join(bin, "git"), lines.join("\n"));
  chmodSync(path.join(bin, "git"), 0o755);
  return { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
}

async function cook(env: { readonly PATH: string }, n = 2): Promise<CliResult> {
  const args = Array.from({ length: n }, (_, at) => ["--args", `a${at + 1}`]).flat();
  return kitchen.cook(WRITE, [...args, "--parallel", "2", "--yes"], { env });
}

async function expectResumed(n = 2): Promise<void> {
  const { code, stderr } = await kitchen.mmm(["resume", "--yes"]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  for (let at = 1; at <= n; at += 1)
    expect(await kitchen.repo.read(`out-a${at}.txt`)).toBe(`a${at}\n`);
  expect(await left(kitchen.repo)).toEqual(NOTHING);
}

test("Ctrl-C while the session's branch moves: what has landed stays, and is closed by a resume", async () => {
  const ran = await cook(gitThat("merge --ff-only", "kill -INT $PPID"));
  expect(ran.code).toBe(130);
  await expectResumed();
});

test.each([
  ["before git removes its worktree", "kill -9 $PPID; exit"],
  ["when some of its files are gone", 'rm "$place"/out-*; kill -9 $PPID; exit'],
  ["when git knows the folder no more", 'rm "$place/.git"; kill -9 $PPID; exit'],
  ["when the worktree is gone", 'rest "$@"; kill -9 $PPID; exit'],
])("kill -9 %s: a resume removes the rest", async (_, script) => {
  const ran = await cook(gitThat("worktree remove", script));
  expect(ran.signal).toBe("SIGKILL");
  await expectResumed();
});

test("kill -9 while the session's branch moves: the others wait for their turn", async () => {
  const ran = await cook(gitThat("merge --ff-only", "kill -9 $PPID; exit"), 4);
  expect(ran.signal).toBe("SIGKILL");
  await expectResumed(4);
});

test("a conflict resolved by hand, then kill -9 before it is merged: the next resume merges it", async () => {
  const same = `
- {shell: 'echo \${ARG} > same.txt; touch "$MEETING/\${ARG}"; while [ $(ls "$MEETING" | wc -l) -lt 2 ]; do sleep 0.02; done', commit_message: same}`;
  const meeting = path.join(kitchen.repo.base, "meeting");
  mkdirSync(meeting);
  const args = ["--args", "a1", "--args", "a2", "--parallel", "2", "--yes"];
  await kitchen.cook(same, args, { env: { MEETING: meeting } });
  const name = path.basename(kitchen.session());
  const tree = ["i1", "i2"]
    .map((end) => path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", `${name}-${end}`))
    .find((each) => existsSync(each));
  if (tree === undefined) throw new Error("no worktree was kept");
  await kitchen.repo.git("-C", tree, "merge", name).catch(() => "");
  writeFileSync(path.join(tree, "same.txt"), "both\n");
  await kitchen.repo.git("-C", tree, "commit", "-qam", "resolved");

  const env = { MEETING: meeting, ...gitThat("merge-base", "kill -9 $PPID; exit") };
  const killed = await kitchen.mmm(["resume", "--yes"], { env });
  const { code, stderr } = await kitchen.mmm(["resume", "--yes"], { env: { MEETING: meeting } });

  expect(killed.signal).toBe("SIGKILL");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await kitchen.repo.read("same.txt")).toBe("both\n");
  expect(await left(kitchen.repo)).toEqual(NOTHING);
});
