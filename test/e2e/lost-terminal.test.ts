/** A terminal that goes away, or whose output nobody reads (spec 7): nothing that was done is lost. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readJournal } from "../../src/session/read-journal.ts";
import { readSession, type SessionRecord } from "../../src/session/session-file.ts";
import { isAlive } from "../process/helpers.ts";
import { mainFile } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

let repo: TempRepo;
beforeEach(async () => {
  repo = await makeRepo({
    // Waits for its word, so that what is done to mmm is done while a step runs.
    "wait.yml": `
- shell: "echo $$ > ../pid; echo READY; while [ ! -e ../go ]; do sleep 0.02; done; echo a > a.txt"
- shell: "seq 20000; echo b > b.txt"
`,
  });
});
afterEach(async () => repo.dispose());

const out = (name: string): string => path.join(repo.base, name);

async function pid(): Promise<number> {
  while (!existsSync(out("pid")) || (await readFile(out("pid"), "utf8")) === "")
    await new Promise((resolve) => setTimeout(resolve, 10));
  return Number(await readFile(out("pid"), "utf8"));
}

async function record(): Promise<SessionRecord> {
  const sessions = path.join(repo.root, ".mmm", "sessions");
  const [name = ""] = await readdir(sessions);
  const found = readSession(path.join(sessions, name, "session.json"));
  const journal = readJournal(path.join(sessions, name, "journal.jsonl"));
  expect(journal).toMatchObject({ torn: 0, damage: [] });
  expect(journal.lines.at(-1)?.type).toBe("session-finished");
  const state: unknown = JSON.parse(await repo.read(".mmm/state.json"));
  expect(state).toMatchObject({ running: [] });
  expect(existsSync(path.join(repo.root, ".mmm/session.lock"))).toBe(false);
  if (found.kind !== "sound") throw new Error(`session.json is ${found.kind}`);
  return found.value;
}

const mmm = (...args: readonly string[]): readonly string[] => [
  mainFile,
  "cook",
  "wait.yml",
  ...args,
];
const options = () => ({ cwd: repo.root, env: repo.env });

test.each([
  ["for people", []],
  ["with all output", ["-v"]],
  ["for programs", ["--reporter", "json"]],
])("nobody reads stdout and stderr any more, %s: the run goes on to its end", async (_, args) => {
  const child = spawn(process.execPath, mmm(...args), options());
  await pid();
  child.stdout.destroy();
  child.stderr.destroy();
  spawnSync("touch", [out("go")]);

  expect(await once(child, "close")).toEqual([0, null]);

  expect(await record()).toMatchObject({ status: "completed", commits: 2, exit_code: 0 });
  expect(await repo.git("status", "--porcelain", "--untracked-files=no")).toBe("");
});

test("SIGHUP ends in order, as SIGTERM does: exit 143, nothing left running, and the record says so", async () => {
  const child = spawn(process.execPath, mmm(), options());
  child.stdout.resume();
  const step = await pid();
  child.kill("SIGHUP");

  expect(await once(child, "close")).toEqual([143, null]);

  expect(isAlive(step)).toBe(false);
  expect(await record()).toMatchObject({ status: "interrupted", exit_code: 143 });
});

test.runIf(spawnSync("sh", ["-c", "script --version"]).status === 0)(
  "a terminal that is gone (its window was closed): the same, though nothing can be printed any more",
  async () => {
    const line = [process.execPath, ...mmm("-v")].map((word) => `'${word}'`).join(" ");
    const terminal = spawn("sh", ["-c", 'exec script -qec "$1" /dev/null', "sh", line], {
      ...options(),
      detached: true,
    });
    terminal.stdout.resume();
    const step = await pid();
    terminal.kill("SIGKILL");
    await once(terminal, "close");
    while (existsSync(path.join(repo.root, ".mmm/session.lock")))
      await new Promise((resolve) => setTimeout(resolve, 10));

    expect(isAlive(step)).toBe(false);
    expect(await record()).toMatchObject({ status: "interrupted", exit_code: 143 });
  },
);
