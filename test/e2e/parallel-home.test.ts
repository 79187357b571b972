/** mmm is stopped or killed while an input is brought home; `mmm resume` goes on from there (spec 7, 8.4). */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

test("kill -9 while an input is merged: a commit that somebody made in its tree since stops the resume", async () => {
  const ran = await cook(gitThat("commit-tree", "kill -9 $PPID; exit"), 1);
  expect(ran.signal).toBe("SIGKILL");
  const name = `${path.basename(kitchen.session())}-i1`;
  const tree = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", name);
  await kitchen.repo.git("-C", tree, "commit", "-q", "--allow-empty", "-m", "mine");

  const { code, stderr } = await kitchen.mmm(["resume", "--yes"]);

  expect({ code, stderr }).toMatchObject({ code: 3 });
  expect(stderr).toContain(`the tree of ${name} has moved on`);
  await kitchen.repo.git("-C", tree, "reset", "-q", "--keep", "HEAD~1");
  await expectResumed(1);
});

describe("an input whose merge failed", () => {
  const SAME = `
- {shell: 'echo \${ARG} > same.txt; touch "$MEETING/\${ARG}"; while [ $(ls "$MEETING" | wc -l) -lt 2 ]; do sleep 0.02; done', commit_message: same}`;
  let env: { readonly MEETING: string };
  let name: string;
  /** Of the one that has lost. */
  let tree: string;

  beforeEach(async () => {
    env = { MEETING: path.join(kitchen.repo.base, "meeting") };
    mkdirSync(env.MEETING);
    const args = ["--args", "a1", "--args", "a2", "--parallel", "2", "--yes"];
    await kitchen.cook(SAME, args, { env });
    name = path.basename(kitchen.session());
    tree = ["i1", "i2"]
      .map((end) => path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", `${name}-${end}`))
      .filter((each) => existsSync(each))
      .join();
  });

  test("is resolved by hand, then kill -9 before it is merged: the next resume merges it", async () => {
    await kitchen.repo.git("-C", tree, "merge", name).catch(() => "");
    writeFileSync(path.join(tree, "same.txt"), "both\n");
    await kitchen.repo.git("-C", tree, "commit", "-qam", "resolved");

    const killing = { ...env, ...gitThat("merge-base", "kill -9 $PPID; exit") };
    const killed = await kitchen.mmm(["resume", "--yes"], { env: killing });
    const { code, stderr } = await kitchen.mmm(["resume", "--yes"], { env });

    expect(killed.signal).toBe("SIGKILL");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("same.txt")).toBe("both\n");
    expect(await left(kitchen.repo)).toEqual(NOTHING);
  });

  test("is not merged behind its session's back", async () => {
    const ran = await kitchen.mmm(["worktree", "merge", path.basename(tree)]);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain(`mmm resume ${name}`);
    expect(existsSync(tree)).toBe(true);
  });

  test("was thrown away: it starts anew, on top of the others", async () => {
    const cleaned = await kitchen.mmm(["worktree", "clean", path.basename(tree), "--force"]);
    const { code, stderr } = await kitchen.mmm(["resume", "--yes"], { env });

    expect(cleaned.code).toBe(0);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("same.txt")).toBe(`a${path.basename(tree).slice(-1)}\n`);
    expect(await left(kitchen.repo)).toEqual(NOTHING);
  });
});

describe("kill -9 while an input's worktree is made", () => {
  const ADD = 'worktree add "*"-i1';
  const PLACE = 'place="${@: -2:1}"';

  test("a branch that was packed since is put aside like any other", async () => {
    const left = 'rest "$@"; rest worktree remove "$place"; rest pack-refs --all';
    const ran = await cook(gitThat(ADD, `${PLACE}; ${left}; kill -9 $PPID; exit`));
    expect(ran.signal).toBe("SIGKILL");
    await expectResumed();
  });

  test.each([
    ["a folder", 'mkdir "$place"'],
    ["a repository", 'rest init -q "$place"'],
  ])("%s of somebody else in its place is moved away, not looked into", async (_, make) => {
    const theirs = `${make}; echo mine > "$place/mine.txt"`;
    const ran = await cook(gitThat(ADD, `${PLACE}; ${theirs}; kill -9 $PPID; exit`));
    const { code, stdout, stderr } = await kitchen.mmm(["resume", "--yes"]);

    expect(ran.signal).toBe("SIGKILL");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout + stderr).toContain(".aside-1");
    const [aside = ""] = (await left(kitchen.repo)).folders;
    const file = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", aside, "mine.txt");
    expect(readFileSync(file, "utf8")).toBe("mine\n");
  });
});
