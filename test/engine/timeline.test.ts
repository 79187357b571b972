/** The course of a session, folded from its journal (spec 7). */
import { expect, test } from "vitest";
import { TimelineFold } from "../../src/engine/timeline.ts";
import type { StepEntry, TimelineItem } from "../../src/engine/timeline-model.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import {
  at,
  attempt,
  begun,
  committed,
  done,
  ITERATION,
  STARTED,
  timed,
} from "../support/journal-lines.ts";

interface Folded {
  readonly items: readonly TimelineItem[];
  readonly steps: readonly StepEntry[];
  readonly fold: TimelineFold;
}

function fold(events: readonly JsonObject[], isKilled = false): Folded {
  const made = new TimelineFold((from, to) => Date.parse(to) - Date.parse(from));
  const items = timed(events).flatMap((event) => made.add(event));
  items.push(...made.end(isKilled));
  return { items, steps: items.filter((item) => item.type === "step"), fold: made };
}

function shape(item: TimelineItem | StepEntry["parts"][number]): unknown {
  if (item.type === "step") return [`${item.step} ${item.conclusion}`, ...item.parts.map(shape)];
  if (item.type === "attempt") return `attempt ${item.attempt} ${item.result}`;
  return item.type === "handler" ? `${item.handler} ${item.ok}` : item.type;
}

test("a repaired step holds its attempts, its handler and the handler's steps, in the order of time", () => {
  const { items } = fold([
    STARTED,
    ITERATION,
    begun("1"),
    ...attempt("1", { failed: "exit code 1" }),
    { type: "handler-started", at: at("1"), attempt: 1, handler: "on_failure", steps: 1 },
    begun("c1.on_failure.1"),
    ...attempt("c1.on_failure.1", { cost: 0.5 }),
    done("c1.on_failure.1"),
    { type: "handler-finished", at: at("1"), attempt: 1, handler: "on_failure", ok: true },
    ...attempt("1", { number: 2 }),
    done("1", { attempts: 2 }),
  ]);

  expect(items.map(shape)).toEqual([
    "iteration",
    [
      "1 succeeded",
      "attempt 1 failed",
      "on_failure true",
      ["1.on_failure.1 succeeded", "attempt 1 succeeded"],
      "attempt 2 succeeded",
    ],
  ]);
  expect(items[1]).toMatchObject({
    durationMs: 2000,
    spend: { knownCostUsd: 0.5, unknownCosts: 0, calls: 1, tokens: 10 },
    parts: [{ failure: "exit code 1" }, {}, {}, {}],
  });
});

const item = (index: number, more: JsonObject = {}): JsonObject => ({
  at: at("2", { kind: "foreach" }),
  index,
  total: 3,
  item: `thing ${index}`,
  ...more,
});

test("an item of a loop has its time, its end and what its steps have cost, and the loop pays once (spec 2.8)", () => {
  const inside = (step: string): JsonObject => at(step, { depth: 1 });
  const paid = (step: string, cost: number): readonly JsonObject[] => [
    { type: "step-started", at: inside(step) },
    ...attempt(step, { cost }).map((event) => ({ ...event, at: inside(step) })),
    { ...done(step), at: inside(step) },
  ];
  const { items, fold: folded } = fold([
    STARTED,
    ITERATION,
    begun("2"),
    { ...attempt("2")[0] },
    { type: "item-started", ...item(1) },
    ...paid("c2.item.1.1", 0.5),
    ...paid("c2.item.1.2", 0.25),
    { type: "item-finished", ...item(1), conclusion: "succeeded", failure: null, durationMs: 7000 },
    { type: "item-started", ...item(2) },
    ...paid("c2.item.2.1", 2),
    { type: "item-finished", ...item(2), conclusion: "failed", failure: "bad", durationMs: 9000 },
    { type: "item-started", ...item(3) },
  ]);

  expect(items.at(-1)).toMatchObject({
    spend: { knownCostUsd: 2.75, calls: 3 },
    parts: [
      { type: "attempt" },
      { type: "item", index: 1, item: "thing 1", durationMs: 7000, spend: { knownCostUsd: 0.75 } },
      { type: "step", step: "2.item.1.1" },
      { type: "step", step: "2.item.1.2" },
      { index: 2, conclusion: "failed", failure: "bad", spend: { knownCostUsd: 2, calls: 1 } },
      { step: "2.item.2.1" },
      { index: 3, total: 3, conclusion: "unfinished", durationMs: null, spend: { calls: 0 } },
    ],
  });
  expect(folded.totals()).toMatchObject({ knownCostUsd: 2.75, steps: 0 });
});

test("an item that an earlier segment has begun is told with its end (spec 7)", () => {
  const { items } = fold([
    STARTED,
    { type: "session-resumed" },
    { type: "item-finished", ...item(2), conclusion: "tolerated", failure: "x", durationMs: 5 },
  ]);

  expect(items.at(-1)).toMatchObject({
    step: "2",
    parts: [{ type: "item", index: 2, conclusion: "tolerated", startedAt: null }],
  });
});

test("money and tokens are summed for each model, and an unknown cost is counted, never 0 (spec 6.4)", () => {
  const { fold: folded, steps } = fold([
    STARTED,
    ITERATION,
    begun("c1"),
    ...attempt("c1", { cost: 0.25, model: "haiku" }),
    done("c1"),
    begun("c2"),
    ...attempt("c2", { cost: 2, failed: "no commit" }),
    ...attempt("c2", { number: 2, cost: null }),
    done("c2"),
  ]);

  expect(folded.totals()).toMatchObject({
    iterations: 1,
    steps: 2,
    knownCostUsd: 2.25,
    unknownCosts: 1,
    calls: 3,
    models: [
      { model: "opus", knownCostUsd: 2, unknownCosts: 1, calls: 2 },
      { model: "haiku", knownCostUsd: 0.25, unknownCosts: 0, calls: 1 },
    ],
  });
  expect(steps[1]?.spend).toMatchObject({ knownCostUsd: 2, unknownCosts: 1 });
});

test("what Ctrl-C left behind is shown, and counts only until a resume does it again (spec 7)", () => {
  const stopped = [
    STARTED,
    ITERATION,
    begun("c1"),
    ...attempt("c1", { cost: 1 }),
    committed("c1", "aaa"),
    done("c1"),
    begun("c2"),
    ...attempt("c2", { cost: 4, failed: "cancelled", late: true }),
    committed("c2", "bbb", { late: true }),
    done("c2", { conclusion: "failed", late: true }),
  ];
  const again = [
    { type: "session-resumed" },
    ...attempt("c2", { cost: 2 }),
    committed("c2", "ccc"),
    done("c2"),
  ];

  const before = fold(stopped);
  const after = fold([...stopped, ...again]);

  expect(before.fold.totals()).toMatchObject({ knownCostUsd: 5, commits: 2, steps: 2, calls: 2 });
  expect(after.fold.totals()).toMatchObject({ knownCostUsd: 3, commits: 2, steps: 2, calls: 2 });
  expect(after.items.map(shape)).toEqual([
    "iteration",
    ["1 succeeded", "attempt 1 succeeded"],
    ["2 failed", "attempt 1 failed"],
    "resumed",
    ["2 succeeded", "attempt 1 succeeded"],
  ]);
  expect(after.steps.map(({ late }) => late)).toEqual([false, true, false]);
});

test("what a signal ended was paid for: it counts for good, and without usage as cut short", () => {
  const ended = (usage: JsonObject | null): JsonObject => ({
    type: "attempt-finished",
    at: at("c1"),
    attempt: 1,
    end: { kind: "cancelled" },
    durationMs: 10,
    usage,
    turns: null,
    model: "opus",
    failure: { message: "stopped" },
    late: true,
  });
  const [started = {}] = attempt("c1");
  const money = {
    costUsd: 4,
    inputTokens: 1,
    outputTokens: 1,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
  const { items, fold: folded } = fold([
    STARTED,
    ITERATION,
    begun("c1"),
    started,
    ended(money),
    { type: "session-resumed" },
    { type: "unit-restarted", head: "abc", kept: "refs/mmm/failed/s/1", files: ["a", "b"] },
    { type: "unit-restarted", head: "abc", kept: "refs/x", files: [], why: "failed" },
    ITERATION,
    begun("c1"),
    started,
    ended(null),
  ]);

  expect(folded.totals()).toMatchObject({
    iterations: 1,
    knownCostUsd: 4,
    unknownCosts: 0,
    cutShort: 1,
    calls: 2,
  });
  expect(items.map(shape)).toEqual([
    "iteration",
    ["1 unfinished", "attempt 1 failed"],
    "resumed",
    "restarted",
    "restarted",
    "iteration",
    ["1 unfinished", "attempt 1 failed"],
  ]);
  expect(items.slice(3, 5)).toMatchObject([
    { kept: "refs/mmm/failed/s/1", files: 2, why: "cut-short" },
    { why: "failed" },
  ]);
});

test("the session's own sums win: it knows what was paid for and never told", () => {
  const { fold: folded } = fold([
    STARTED,
    ITERATION,
    begun("c1"),
    ...attempt("c1", { cost: 1 }),
    done("c1"),
    {
      type: "session-finished",
      totals: { steps: 9, costUsd: null, knownCostUsd: 3, tokens: 70, cutShort: 2 },
    },
  ]);

  expect(folded.totals()).toMatchObject({
    steps: 9,
    knownCostUsd: 3,
    unknownCosts: 1,
    tokens: 70,
    cutShort: 2,
  });
});

test("a step that was cut off by a kill is unfinished, with its handler and its attempt", () => {
  const [started] = attempt("c1.on_failure.1");
  const { items, fold: folded } = fold([
    STARTED,
    ITERATION,
    begun("1"),
    ...attempt("1", { failed: "exit code 1" }),
    { type: "handler-started", at: at("1"), attempt: 1, handler: "on_failure", steps: 1 },
    begun("c1.on_failure.1"),
    started ?? {},
  ]);

  expect(items.map(shape)).toEqual([
    "iteration",
    [
      "1 unfinished",
      "attempt 1 failed",
      "on_failure null",
      ["1.on_failure.1 unfinished", "attempt 1 unfinished"],
    ],
  ]);
  expect(folded.finished).toBe(false);
});

test("a call that died with mmm counts as cut short; a gate's process, and one still at work, do not", () => {
  const [started = {}] = attempt("c1");
  const claude = { type: "process-started", at: at("c1"), attempt: 1 };
  const gate = { type: "gate-started", at: at("c1"), attempt: 1, gate: "g" };
  const head = [STARTED, ITERATION, begun("c1"), started];

  const killed = fold([...head, gate, claude, claude], true);
  const resumed = fold([...head, claude, { type: "session-resumed" }]);
  const atWork = fold([...head, claude]);
  const gates = fold([...head, claude, gate, claude], true);

  const cutShort = [killed, resumed, atWork, gates].map((each) => each.fold.totals().cutShort);
  expect(cutShort).toEqual([1, 1, 0, 0]);
  expect(killed.steps[0]?.spend).toMatchObject({ calls: 1, cutShort: 1 });
});

test("time between a stop and its resume is no time at work", () => {
  const { fold: folded } = fold([
    STARTED,
    ITERATION,
    { type: "note", time: "2026-01-01T12:03:00.000Z" },
    { type: "session-resumed", time: "2026-01-02T12:00:00.000Z" },
    { type: "note", time: "2026-01-02T12:02:00.000Z" },
  ]);

  expect(folded.totals().durationMs).toBe(5 * 60_000);
});

test("a clock that was put back makes no negative time, and nonsense makes none at all", () => {
  const { fold: folded, items } = fold([
    STARTED,
    { type: "attempt-finished", at: "here", attempt: [], time: "yesterday" },
    { type: "step-finished", at: { step: 3, depth: "deep" }, conclusion: "odd" },
    { type: 7 },
    { time: "2020-01-01T00:00:00.000Z" },
  ]);

  expect(folded.totals().durationMs).toBe(0);
  expect(items.map(shape)).toEqual([[" unfinished"]]);
});

test("the session's own count of commits wins: it leaves out what was rolled back (spec 5)", () => {
  const { fold: folded, steps } = fold([
    STARTED,
    ITERATION,
    begun("1"),
    ...attempt("1", { failed: "exit code 1" }),
    committed("1", "aaa"),
    done("1", { conclusion: "failed", failure: { message: "exit code 1" } }),
    { type: "rolled-back", at: at("1"), head: "abc", kept: "refs/mmm/failed/s/1" },
    { type: "session-finished", totals: { commits: 0, durationMs: 77 } },
  ]);

  expect(folded.totals()).toMatchObject({ commits: 0, durationMs: 77 });
  expect(folded.finished).toBe(true);
  expect(steps).toMatchObject([{ kept: "refs/mmm/failed/s/1", failure: "exit code 1" }]);
});

test("inputs at work side by side keep their steps apart (spec 8.4)", () => {
  const of = (input: number, event: JsonObject): JsonObject => ({
    ...event,
    at: { ...at("1"), input, label: `of ${input}` },
  });
  const [started = {}, finished = {}] = attempt("1");
  const { steps } = fold([
    STARTED,
    of(1, begun("1")),
    of(2, begun("1")),
    of(1, started),
    of(2, started),
    of(2, finished),
    of(2, done("1")),
    of(1, finished),
    of(1, done("1")),
  ]);

  expect(steps.map(({ input, label, parts }) => [input, label, parts.length])).toEqual([
    [2, "of 2", 1],
    [1, "of 1", 1],
  ]);
});

test("a fold of many iterations holds none of them", () => {
  const made = new TimelineFold(() => 0);
  let most = 0;
  for (let iteration = 1; iteration <= 1000; iteration += 1)
    for (const event of [{ ...ITERATION, iteration }, begun("1"), ...attempt("1"), done("1")])
      most = Math.max(most, made.add(event).length);

  expect(most).toBe(1);
  expect(made.end(false)).toEqual([]);
  expect(made.totals()).toMatchObject({ iterations: 1000, steps: 1000 });
});
