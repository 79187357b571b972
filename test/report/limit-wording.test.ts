/** Limits while a session runs (spec 6.5, 10). */
import { expect, test } from "vitest";
import { NO_LIMITS } from "../../src/engine/budget.ts";
import { attempt, place, play, type Scripted, SESSION_STARTED } from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

const limits = { ...NO_LIMITS, costUsd: 5, tokens: 200_000, durationMs: 7_200_000 };
const at = place("2", { kind: "claude", label: "mmm-implement-spec" });
const until = new Date(2026, 10, 22, 3, 0, 30).toISOString();
const resetsAt = new Date(2026, 10, 22, 3, 0).toISOString();
const run = attempt(at, { number: 1, most: 3 });
const wait: Scripted = {
  event: { type: "wait-started", at, until, resetsAt, durationMs: 3_600_000 },
};

test("the first lines say the limits, and nothing without any", () => {
  const { reporter, out } = rig();
  const none = rig();

  reporter.event({ ...SESSION_STARTED, limits });
  none.reporter.event(SESSION_STARTED);

  expect(out.text).toContain("ℹ️  Limits: $5.00, 200,000 tokens, 2h at work\n");
  expect(none.out.text).not.toContain("Limits");
});

test("a wait says why and until when, is no failure, and gives a sign of life each 5 minutes", () => {
  const { reporter, clock, both } = rig();

  play([{ event: { type: "step-started", at } }, ...run, wait], reporter, clock);
  const said = both.text;
  clock.advance(601_000);
  reporter.close();

  expect(said).toContain(
    "⏳ The usage limit of Claude is reached, it resets at 2026-11-22 03:00: waiting until 2026-11-22 03:00\n",
  );
  const beats = both.text
    .slice(said.length)
    .split("\n")
    .filter((line) => line !== "");
  const beat =
    "⏳ Step 2/4: mmm-implement-spec is waiting for the usage limit until 2026-11-22 03:00";
  expect(beats).toEqual([beat, beat]);
  expect(both.text).not.toContain("failed");
});

test("the run after a wait is like any other", () => {
  const { reporter, clock, both } = rig();

  play([{ event: { type: "step-started", at } }, ...run, wait, run[0] ?? wait], reporter, clock);
  const said = both.text.length;
  clock.advance(31_000);

  expect(both.text.slice(said)).toContain("still running (30s)");
});

test("the live line has what is spent of what may be, and the wait", () => {
  const { reporter, clock, both } = rig({ kind: "pretty", columns: 200 });
  const started: Scripted = { event: { ...SESSION_STARTED, limits } };

  play([started, { event: { type: "step-started", at } }, ...run, wait], reporter, clock);
  const before = both.text.length;
  clock.advance(5000);
  reporter.close();

  const live = both.text.slice(before);
  expect(live).toContain("$0.0412 of $5.00");
  expect(live).toContain("waiting for the usage limit until 2026-11-22 03:00");
});

test("a reset that is no time is shown as it came", () => {
  const { reporter, both } = rig();

  reporter.event({
    type: "wait-started",
    at,
    until,
    resetsAt: "at three\u001b[2J",
    durationMs: 1,
  });

  expect(both.text).toContain("resets at at three");
  expect(both.text).not.toContain("\u001b");
});
