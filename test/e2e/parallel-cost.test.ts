/** Several inputs at once, stopped and resumed: what each has cost is what the session has cost (spec 6.5, 8.4). */
import { afterEach, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen;
afterEach(async () => kitchen.dispose());

type Finished = Extract<Event, { type: "session-finished" }>;

const PLAYBOOK = `
- {claude: "/one \${ARG}", commit_required: false}
- {claude: "/two \${ARG}", commit_required: false}
`;
const INPUTS = ["--args", "a", "--args", "b", "--parallel", "2"];
const COSTS = { "/one a": 0.3, "/one b": 0.2, "/two a": 0.15, "/two b": 0.25 } as const;

const GOOD: readonly FakeCall[] = Object.entries(COSTS).map(([prompt, cost]) => ({ prompt, cost }));

function finished(): Finished {
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  if (end?.type !== "session-finished") throw new Error("the session has no end");
  return end;
}

function costs({ inputResults }: Finished): readonly string[] {
  return inputResults.map(({ knownCostUsd }) => knownCostUsd.toFixed(2));
}

function expectSum({ inputResults, totals }: Finished): void {
  const sum = inputResults.reduce((all, { knownCostUsd }) => all + knownCostUsd, 0);
  expect(sum).toBeCloseTo(totals.knownCostUsd, 6);
}

test("refused by the usage limit: the cost of a run that is made again stays with its input", async () => {
  const limited = (prompt: string): FakeCall => ({
    prompt,
    cost: 0.1,
    do: [
      { init: {} },
      {
        result: {
          is_error: true,
          result: "Claude AI usage limit reached|1",
          api_error_status: 429,
        },
      },
      { exit: 1 },
    ],
  });
  kitchen = await openKitchen([limited("/two a"), limited("/two b"), ...GOOD]);
  const cooked = await kitchen.cook(PLAYBOOK, [...INPUTS, "--yes"]);
  expect({ code: cooked.code, stderr: cooked.stderr }).toMatchObject({ code: 75 });
  expect(costs(finished())).toEqual(["0.40", "0.30"]);

  // Nothing is spent: the same, and the warning tells all of it.
  const stopped = await kitchen.mmm(["resume", "--yes", "--max-cost", "0.6"]);
  expect(stopped.code, stopped.stderr).toBe(75);
  expect(await kitchen.prompts()).toHaveLength(4);
  expect(costs(finished())).toEqual(["0.40", "0.30"]);
  expect(stopped.stdout).toMatch(/1 {2}a +suspended +0 +\$0\.40/);
  const told = (stopped.stdout + stopped.stderr).match(/\S+ of \S+ spent/g);
  expect(told).toEqual(["$0.70 of $0.60 spent"]);

  const done = await kitchen.mmm(["resume", "--yes", "--max-cost", "5"]);
  expect(done.code, done.stderr).toBe(0);
  expect(costs(finished())).toEqual(["0.55", "0.55"]);
  expectSum(finished());
});

test("a run that a Ctrl-C ended before it told its cost makes the cost of its input unknown for good", async () => {
  const hang: FakeCall = { prompt: "/two b", do: [{ init: {} }, { waitFor: "never" }] };
  kitchen = await openKitchen([hang, ...GOOD]);
  const atWork = async (): Promise<void> => {
    while ((await kitchen.prompts()).length < 4) await new Promise((next) => setTimeout(next, 20));
    while (!kitchen.events().some(({ type }) => type === "input-finished"))
      await new Promise((next) => setTimeout(next, 20));
  };
  const cooked = await kitchen.cook(PLAYBOOK, [...INPUTS, "--yes"], {
    onStart: (mmm) => void atWork().then(() => mmm.kill("SIGINT")),
  });
  expect(cooked.code, cooked.stderr).toBe(130);
  expect(cooked.stdout).toMatch(/2 {2}b +interrupted +0 +≥ \$0\.20/);
  const [, { durationMs: before } = { durationMs: null }] = finished().inputResults;

  const done = await kitchen.mmm(["resume", "--yes"]);
  expect(done.code, done.stderr).toBe(0);
  expect(done.stdout).toMatch(/1 {2}a +completed +0 +\$0\.45/);
  expect(done.stdout).toMatch(/2 {2}b +completed +0 +≥ \$0\.45/);
  expectSum(finished());
  const [, { durationMs: after } = { durationMs: null }] = finished().inputResults;
  expect(after).toBeGreaterThan(before ?? Number.NaN);
});
