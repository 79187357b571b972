/** Money that is shared by runs at once (spec 6.5, 8.4). */
import { expect, test } from "vitest";
import { Budget } from "../../src/engine/budget.ts";
import { NOTHING_SPENT } from "../../src/engine/totals.ts";

const signal = new AbortController().signal;
const step = { kind: "claude", step: "1" } as const;

test("who waits for what another has in hand goes on when that lets go, counted or not", async () => {
  const limits = {
    costUsd: 1,
    tokens: null,
    durationMs: null,
    allowUnknownCost: false,
    wait: false,
  };
  const clock = { monotonicMs: () => 0 };
  const budget = new Budget(limits, clock, { earlier: NOTHING_SPENT, atOnce: 2 });
  const all = budget.allot(true);
  expect(all.usd).toBe(1);
  const turn = budget.reachedInTurn(step, signal);
  all.release();
  expect(await turn).toBeNull();
});
