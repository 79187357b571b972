/** Another git in the same repository is waited for; any other trouble is told at once (spec 5). */
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { pastOthers } from "../../src/git/past-others.ts";
import { type GitResult, runGit } from "../../src/git/run.ts";
import { repoOf } from "./support.ts";

function result(code: number, stderr = ""): GitResult {
  return { code, stderr, stdout: Buffer.alloc(0), ended: "by-itself", quietMs: 0 };
}

/** A git that says this, one after the other; the last one again and again. */
function saying(...results: readonly GitResult[]) {
  const calls: number[] = [];
  const run = async (): Promise<GitResult> => {
    calls.push(calls.length);
    return Promise.resolve(results[Math.min(calls.length, results.length) - 1] ?? result(0));
  };
  return { run, calls };
}

test.each([
  "fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process seems to be running",
  "fatal: failed to read /r/.git/worktrees/mmm-x-1/commondir: Success",
])("in the way: run again until it works: %s", async (stderr) => {
  const git = saying(result(128, stderr), result(128, stderr), result(0));

  expect(await pastOthers(git.run)).toMatchObject({ code: 0 });
  expect(git.calls).toHaveLength(3);
});

test.each([
  "fatal: Unable to create '/r/.git/index.lock': Permission denied",
  "fatal: '/r/x' already exists",
  "error: pathspec 'index.lock' did not match any file(s) known to git",
  "",
])("no matter of waiting: %j", async (stderr) => {
  const git = saying(result(128, stderr), result(0));

  expect(await pastOthers(git.run)).toMatchObject({ code: 128, stderr });
  expect(git.calls).toHaveLength(1);
});

test("what works is run once, whatever it says", async () => {
  const git = saying(result(0, "index.lock': File exists"));

  await pastOthers(git.run);

  expect(git.calls).toHaveLength(1);
});

test("the words are those of the git of this machine", async () => {
  const repo = await repoOf();
  const lock = path.join(repo.root, ".git", "index.lock");
  writeFileSync(lock, "");
  const codes: (number | null)[] = [];

  const last = await pastOthers(async () => {
    const run = { cwd: repo.root, env: repo.env, args: ["rm", "--cached", "README.md"] };
    const one = await runGit(run);
    codes.push(one.code);
    // Whoever held it is done.
    rmSync(lock, { force: true });
    return one;
  });

  expect(last.code).toBe(0);
  expect(codes).toEqual([128, 0]);
});
