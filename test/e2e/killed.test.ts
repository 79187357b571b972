/** After `kill -9` the next `cook` ends what still lives, and says so (spec 7, 11). */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAlive } from "../process/helpers.ts";
import { runCli } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

let repo: TempRepo;

beforeEach(async () => {
  repo = await makeRepo();
});

afterEach(async () => {
  await repo.dispose();
});

test("what a killed mmm left running is ended first, processes in sessions of their own too", async () => {
  const pids = path.join(repo.base, "pids");
  await repo.write(
    "long.yml",
    `- shell: "setsid sleep 600 & echo $! $$ > ${pids}; echo ready; sleep 600"`,
  );
  await repo.write("short.yml", '- shell: "true"');
  await repo.commitAll("playbooks");

  let mmm = -1;
  await runCli(["cook", "long.yml", "-v"], {
    cwd: repo.root,
    env: repo.env,
    onStart: ({ pid }) => (mmm = pid),
    onStdout: (text) => {
      if (text.includes("│ ready")) process.kill(mmm, "SIGKILL");
    },
  });
  const left = (await readFile(pids, "utf8")).trim().split(" ").map(Number);
  expect(left.map(isAlive)).toEqual([true, true]);

  const next = await runCli(["cook", "short.yml"], { cwd: repo.root, env: repo.env });

  expect(next).toMatchObject({ code: 0 });
  expect(next.stderr).toMatch(
    /mmm-long-\d+ was killed; \d+ processes it had left running were ended/,
  );
  expect(left.map(isAlive)).toEqual([false, false]);
  const state: unknown = JSON.parse(await repo.read(".mmm/state.json"));
  expect(state).toMatchObject({ running: [], last_session: { status: "completed" } });
});
