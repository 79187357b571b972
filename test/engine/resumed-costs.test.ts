/** A session that goes on: what was spent before is in the rows of its inputs and in its warnings (spec 6.5, 8.4). */
import { expect, test } from "vitest";
import { NOTHING_SPENT, type Spent } from "../../src/engine/totals.ts";
import { play, type PlayOptions } from "../support/fake-ports.ts";

const STEP = `steps: [{claude: "/do \${ARG}"}]`;
const OPTIONS: PlayOptions = {
  args: ["a", "b"],
  iterations: 1,
  claude: { "/do": "cost 0.5; write x.txt x" },
};

test("rows begin with what was done again, in money and in time", async () => {
  const fresh = await play(STEP, OPTIONS);
  const spent: Spent = {
    ...NOTHING_SPENT,
    knownCostUsd: 0.75,
    cutShort: 1,
    inputs: new Map([
      [1, { knownCostUsd: 0.25, isCostUnknown: false, durationMs: 5000 }],
      [2, { knownCostUsd: 0.5, isCostUnknown: true, durationMs: 7000 }],
    ]),
  };
  const { finished, of } = await play(STEP, { ...OPTIONS, spent });

  expect(finished.totals).toMatchObject({ knownCostUsd: 1.75, cutShort: 1 });
  expect(finished.inputResults).toMatchObject([
    { costUsd: 0.75, knownCostUsd: 0.75 },
    { costUsd: null, knownCostUsd: 1 },
  ]);
  const times = fresh.finished.inputResults.map(({ durationMs }) => durationMs ?? Number.NaN);
  const [first = 0, second = 0] = times;
  const expected = [first + 5000, second + 7000];
  expect(finished.inputResults.map(({ durationMs }) => durationMs)).toEqual(expected);
  expect(of("input-finished").map(({ durationMs }) => durationMs)).toEqual(expected);
});

test("an input whose turn has not come again has its cost all the same", async () => {
  const inputs = new Map([[2, { knownCostUsd: 0.25, isCostUnknown: false, durationMs: 10 }]]);
  const { finished } = await play(STEP, {
    ...OPTIONS,
    limits: { costUsd: 0.1 },
    spent: { ...NOTHING_SPENT, knownCostUsd: 0.25, inputs },
  });

  expect(finished.status).toBe("suspended");
  expect(finished.inputResults[1]).toMatchObject({ status: "not-run", costUsd: 0.25 });
});

test("a warning of a limit tells all that is spent, once, wherever in the past its share was reached", async () => {
  const before = await play(STEP, OPTIONS);
  const { of } = await play(STEP, {
    ...OPTIONS,
    past: new Map([...before.records].filter(([lane]) => lane.startsWith("input-"))),
    limits: { costUsd: 0.6 },
    spent: { ...NOTHING_SPENT, knownCostUsd: 0.3 },
  });

  const told = of("note").filter(({ severity }) => severity === "warning");
  expect(told.map(({ message }) => message)).toEqual([
    "$1.30 of $0.60 spent, the limit of this session",
  ]);
});
