/** Do the benches run? What they measure is judged by `npm run bench` alone, save what is counted. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const bench = fileURLToPath(new URL("../../bench/run.mjs", import.meta.url));

async function run(...args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [bench, ...args]);
  return stdout.split("\n");
}

test("mmm --version and --help load nothing but the command tree", async () => {
  const lines = await run("startup", "--tiny");
  for (const flag of ["--version", "--help"]) {
    const line = lines.find((each) => each.startsWith(`mmm ${flag} loads`)) ?? "";
    expect(line).toMatch(/ met$/);
    expect(line).toContain("commander");
    expect(line).not.toMatch(/yaml|zod|simple-git|execa|chalk|src\/(app|engine|git|playbook)/);
  }
});

test.each([
  ["steps", /^2 steps: mmm \/ bare +[\d.]+ x /],
  ["output", /^a step prints 1 MB: peak +\d+ MB /],
  ["context", /^analyze, 50 files, 20 commits, cold +\d+ ms /],
  ["plan", /^validate, ids, references, handlers: 20 \/ 2 steps +-?[\d.]+ x /],
  ["claude", /^a Claude step: mmm's own CPU +-?\d+ ms /],
  ["claude", /^Claude says 1 MB: peak over that of 0\.1 MB +[\d.]+ x /],
  ["resume", /^resume after 1000 events, to its first step +\d+ ms /],
  ["sessions", /^list of 3 sessions: mmm \/ bare +[\d.]+ x /],
])("the bench %s runs with a tiny size, and judges no time then", async (name, figure) => {
  const lines = await run(name, "--tiny");
  const line = lines.find((each) => figure.test(each)) ?? lines.join("\n");
  expect(line).toMatch(figure);
  expect(line).toMatch(/ not judged$/);
});

test("a bench that is not there is refused with those that are", async () => {
  await expect(run("nonsense")).rejects.toMatchObject({
    code: 2,
    stderr:
      "bench: there is no bench nonsense; there are: startup, steps, output, plan, sessions, resume, context, claude, parallel, worktree, inputs-memory\n",
  });
});
