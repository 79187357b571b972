/** The usage limit of the service and inputs at once: `--wait` sleeps, then goes on (spec 6.5, 8.4). */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
afterEach(async () => kitchen.dispose());

const HOOK = pathToFileURL(path.resolve("test/support/hurry-hook.mjs")).href;

test("--wait with inputs at once: each that was refused is asked once more, and nothing is paid twice", async () => {
  const resets = Math.floor(Date.now() / 1000) + 3600;
  const limited = (prompt: string): FakeCall => ({
    prompt,
    cost: 0.25,
    do: [
      { init: {} },
      {
        result: {
          is_error: true,
          result: `Claude AI usage limit reached|${resets}`,
          api_error_status: 429,
        },
      },
      { exit: 1 },
    ],
  });
  const done = (n: number): FakeCall => ({
    prompt: `/do a${n}`,
    writes: { [`out-a${n}.txt`]: `a${n}\n` },
    cost: 0.5,
  });
  kitchen = await openKitchen([limited("/do a1"), limited("/do a2"), ...[1, 2, 3, 4].map(done)]);

  const inputs = [1, 2, 3, 4].flatMap((n) => ["--args", `a${n}`]);
  const ran = await kitchen.cook(
    '- claude: "/do ${ARG}"',
    [...inputs, "--parallel", "2", "--wait", "--yes"],
    { env: { NODE_OPTIONS: `--import=${HOOK}` } },
  );

  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
  expect(ran.stdout.match(/waiting until/g)).toHaveLength(2);
  expect((await kitchen.prompts()).toSorted()).toEqual(
    ["a1", "a1", "a2", "a2", "a3", "a4"].map((arg) => `/do ${arg}`),
  );
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  expect(end).toMatchObject({
    status: "completed",
    totals: { knownCostUsd: 2.5, commits: 4 },
    inputResults: [0.75, 0.75, 0.5, 0.5].map((costUsd) => ({ status: "completed", costUsd })),
  });
  for (const n of [1, 2, 3, 4]) expect(await kitchen.repo.read(`out-a${n}.txt`)).toBe(`a${n}\n`);
  expect(await left(kitchen.repo)).toEqual({
    branches: ["main"],
    listed: [],
    records: [],
    folders: [],
  });
});
