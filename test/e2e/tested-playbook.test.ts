/** The example repository of docs/testing-playbooks.md: its test passes, and fails when it has to (spec 6.6). */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mainFile, packageRoot } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

let repo: TempRepo;

beforeEach(async () => {
  repo = await makeRepo({});
  cpSync(path.join(packageRoot, "examples/tested-playbook"), repo.root, { recursive: true });
  await repo.commitAll("the example");
  const bin = path.join(repo.base, "bin");
  mkdirSync(bin);
  writeFileSync(
    path.join(bin, "mmm"),
    `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`,
  );
  chmodSync(path.join(bin, "mmm"), 0o755);
});
afterEach(() => repo.dispose());

async function runTest() {
  const PATH = `${path.join(repo.base, "bin")}:${path.dirname(process.execPath)}:${repo.env["PATH"] ?? ""}`;
  const env = { ...repo.env, PATH, MMM_CLAUDE_BIN: "/nowhere/claude" };
  return execa("sh", ["test/playbook.sh"], {
    cwd: repo.root,
    env,
    extendEnv: false,
    reject: false,
    all: true,
  });
}

test("its test passes without claude, and leaves the repository as it was", async () => {
  const before = await repo.git("rev-parse", "HEAD");

  const { exitCode, all } = await runTest();

  expect(exitCode, all).toBe(0);
  expect(all).toContain("the playbook works");
  expect(await repo.git("rev-parse", "HEAD")).toBe(before);
  expect(await repo.git("status", "--porcelain")).toBe("");
});

test("a prompt that nobody has recorded fails it, with both texts", async () => {
  const playbook = await repo.read("playbooks/fix.yml");
  await repo.write("playbooks/fix.yml", playbook.replace("in one word", "in two words"));
  await repo.commitAll("another prompt");

  const { exitCode, all } = await runTest();

  expect(exitCode).toBe(1);
  expect(all).toContain("- Say in one word what kind of mistake it was.");
  expect(all).toContain("+ Say in two words what kind of mistake it was.");
});

test("a handler that was lost fails it", async () => {
  const playbook = await repo.read("playbooks/fix.yml");
  await repo.write("playbooks/fix.yml", playbook.replace(/ {4}on_failure:\n.*\n.*\n/, ""));
  await repo.commitAll("no handler");

  const { exitCode, all } = await runTest();

  expect(exitCode).toBe(1);
  expect(all).toContain("AssertionError");
});
