/** A git that is too old to merge worktrees (2.38): said before anything starts (spec 1.1, 8.3, 8.4). */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
let env: { readonly PATH: string };

beforeEach(async () => {
  kitchen = await openKitchen();
  env = gitOf("2.34.1");
});
afterEach(async () => kitchen.dispose());

/** The real one, with another version. */
function gitOf(version: string): { readonly PATH: string } {
  const bin = path.join(kitchen.repo.base, `git-${version}`);
  mkdirSync(bin, { recursive: true });
  const lines = [
    "#!/bin/bash",
    `if [[ " $* " == *" --version "* ]]; then echo "git version ${version}"; exit; fi`,
    'PATH="${PATH#*:}" exec git "$@"',
  ];
  writeFileSync(path.join(bin, "git"), lines.join("\n"));
  chmodSync(path.join(bin, "git"), 0o755);
  return { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
}

const WORK = `- {shell: "echo x > x.txt", commit_message: x}`;
const INPUTS = ["--args", "a1", "--args", "a2", "--parallel", "2"] as const;

test.each([
  ["--parallel", INPUTS],
  ["--worktree --yes", ["--worktree", "--yes"]],
])("%s is refused, and nothing is made", async (name, args) => {
  const { code, stdout, stderr } = await kitchen.cook(WORK, args, { env });

  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toContain("needs git 2.38 or newer, and this is git version 2.34.1");
  expect(stderr).toContain(`leave out ${name.replace("--worktree ", "")}`);
  expect(existsSync(path.join(kitchen.repo.root, ".mmm", "sessions"))).toBe(false);
  expect(await left(kitchen.repo)).toMatchObject({ branches: ["main"], folders: [] });
});

test("a resume of inputs at once is refused too, and goes on with a newer one", async () => {
  const hold = path.join(kitchen.repo.base, "hold");
  const fails = `- {shell: "test -e $HOLD && echo x > \${ARG}.txt", commit_message: x}`;
  await kitchen.cook(fails, INPUTS, { env: { HOLD: hold } });
  writeFileSync(hold, "");
  const old = await kitchen.mmm(["resume"], { env: { ...env, HOLD: hold } });
  const fits = await kitchen.mmm(["resume", "--yes"], { env: { HOLD: hold } });

  expect(old).toMatchObject({ code: 3, stdout: "" });
  expect(old.stderr).toContain("needs git 2.38 or newer");
  expect(fits).toMatchObject({ code: 0 });
});

test("--worktree runs, and says first that the merge is the user's", async () => {
  const { code, stdout, stderr } = await kitchen.cook(WORK, ["--worktree"], { env });

  expect(code).toBe(0);
  expect(stderr).toContain("git merge --no-ff SESSION");
  expect(stdout).toContain("Improvements completed in worktree");
});

test("with steps of its own to merge nothing is said, and in place neither", async () => {
  const merge = `merge: [{shell: "git merge --no-ff \${merge.source_branch}"}]\nsteps:\n${WORK}`;
  const steps = await kitchen.cook(merge, ["--worktree", "--yes"], { env });
  const inPlace = await kitchen.cook(WORK.replaceAll("x", "y"), [], { env });

  expect([steps.code, inPlace.code], steps.stderr).toEqual([0, 0]);
  expect(steps.stderr + inPlace.stderr).not.toContain("2.38");
});

test.each([
  ["2.37.9", "warning"],
  ["2.38.0", "ok"],
  ["3.0.1 (Apple Git-154)", "ok"],
])("mmm doctor: git %s is %s", async (version, status) => {
  const { stdout } = await kitchen.mmm(["doctor", "--json"], { env: gitOf(version) });
  const { checks } = JSON.parse(stdout) as {
    readonly checks: readonly { readonly name: string; readonly status: string }[];
  };
  const git = checks.find(({ name }) => name === "git");
  expect(git).toMatchObject({ status });
  if (status === "warning") expect(JSON.stringify(git)).toContain("--parallel");
});

test("a dry run tells it beside the plan, and no dirt: a run makes trees of its own", async () => {
  await kitchen.repo.write("dirt.txt", "x");
  const old = await kitchen.cook(WORK, [...INPUTS, "--dry-run"], { env });
  const fits = await kitchen.cook(WORK, [...INPUTS, "--dry-run"]);

  expect(old.code).toBe(0);
  expect(old.stdout + old.stderr).toContain("needs git 2.38 or newer");
  expect(fits.stdout + fits.stderr).not.toMatch(/2\.38|dirt\.txt/);
});
