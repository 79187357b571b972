/** What a session has spent (spec 6.5). */
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import { Ledger } from "../../src/engine/ledger.ts";
import { place } from "../support/scripted-run.ts";

type AttemptFinished = Extract<Event, { type: "attempt-finished" }>;

function attempt(
  step: string,
  costUsd: number | null,
  over: Partial<AttemptFinished> = {},
): AttemptFinished {
  return {
    type: "attempt-finished",
    at: place(step, { kind: "claude", label: `/do-${step}` }),
    attempt: 1,
    end: { kind: "exited", code: 0 },
    durationMs: 100,
    usage: {
      costUsd,
      inputTokens: 1,
      outputTokens: 2,
      cacheReadTokens: 3,
      cacheWriteTokens: 4,
    },
    turns: 1,
    model: "opus",
    failure: null,
    ...over,
  };
}

function ledgerOf(...events: readonly Event[]): Ledger {
  const ledger = new Ledger();
  for (const event of events) ledger.add(event);
  return ledger;
}

test("per step, per model and in all, over iterations and inputs", () => {
  const again = { ...place("1", { kind: "claude", label: "/do-1" }), iteration: 2, input: 3 };
  const ledger = ledgerOf(
    attempt("1", 1),
    attempt("2", 2, { model: "haiku" }),
    attempt("1", 4, { at: again }),
  );

  const { models, steps, ...total } = ledger.spending;

  expect(total).toEqual({
    runs: 3,
    costUsd: 7,
    unknownCosts: 0,
    cutShort: 0,
    tokens: 30,
    durationMs: 300,
  });
  expect(ledger.total).toEqual(total);
  expect(models.map(({ model, costUsd }) => [model, costUsd])).toEqual([
    ["opus", 5],
    ["haiku", 2],
  ]);
  expect(steps.map(({ step, label, costUsd, runs }) => [step, label, costUsd, runs])).toEqual([
    ["1", "/do-1", 5, 2],
    ["2", "/do-2", 2, 1],
  ]);
});

test("an unknown cost is counted apart and never as 0, its tokens all the same", () => {
  const { total } = ledgerOf(
    attempt("1", 1),
    attempt("2", null),
    attempt("3", 0, { usage: null, end: { kind: "timed-out", afterMs: 1 } }),
  );

  expect(total).toMatchObject({ runs: 3, costUsd: 1, unknownCosts: 2, tokens: 20 });
});

test("a run that a signal ended is told apart: nobody suspends a session for it", () => {
  const { total } = ledgerOf(
    attempt("1", 1),
    attempt("2", 0, { usage: null, end: { kind: "cancelled" } }),
  );

  expect(total).toMatchObject({ runs: 2, costUsd: 1, unknownCosts: 0, cutShort: 1 });
});

test("shell steps, refused prompts and programs that are missing cost nothing", () => {
  const { total } = ledgerOf(
    attempt("1", 1, { at: place("1") }),
    attempt("2", null, { usage: null, end: null }),
    attempt("3", null, { usage: null, end: { kind: "not-started", reason: "x" } }),
  );

  expect(total).toMatchObject({ runs: 0, costUsd: 0, unknownCosts: 0, tokens: 0 });
});

test("a run of several models is told apart, where the CLI does so", () => {
  const one = { inputTokens: 1, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  const usage = {
    ...one,
    inputTokens: 3,
    costUsd: 3,
    models: {
      opus: { ...one, costUsd: 2 },
      haiku: { ...one, costUsd: null },
      sonnet: { ...one, costUsd: 1 },
    },
  };

  const { models, ...total } = ledgerOf(attempt("1", 0, { usage }), attempt("2", 1)).spending;

  expect(total).toMatchObject({ runs: 2, costUsd: 4, unknownCosts: 0, tokens: 13 });
  expect(
    models.map(({ model, runs, costUsd, unknownCosts, tokens, durationMs }) => [
      model,
      runs,
      costUsd,
      unknownCosts,
      tokens,
      durationMs,
    ]),
  ).toEqual([
    ["opus", 2, 3, 0, 11, 200],
    ["haiku", 1, 0, 1, 1, 0],
    ["sonnet", 1, 1, 0, 1, 0],
  ]);
});

test("it goes on from what earlier parts of the session spent", () => {
  const earlier = ledgerOf(attempt("1", 1), attempt("2", null));

  const ledger = new Ledger(earlier.spending);
  ledger.add(attempt("1", 2));

  expect(ledger.total).toMatchObject({ runs: 3, costUsd: 3, unknownCosts: 1, tokens: 30 });
  expect(ledger.spending.steps.map(({ step, costUsd }) => [step, costUsd])).toEqual([
    ["1", 3],
    ["2", 0],
  ]);
});

describe("a run whose attempt is still at work", () => {
  test("counts at once, and once", () => {
    const ledger = new Ledger();
    const finished = attempt("1", 2);

    ledger.hold(finished);
    const held = [ledger.total, ledger.spending.models[0]?.costUsd];
    ledger.add(finished);

    expect(held).toEqual([ledger.total, 2]);
    expect(ledger.total).toMatchObject({ runs: 1, costUsd: 2 });
    expect(ledger.spending.steps).toHaveLength(1);
  });
});
