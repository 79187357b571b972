/** What a resumed session says first (spec 7): the signs are true of each step. */
import { expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import type { ReusedStep, SessionResumed } from "../../src/engine/resumed-event.ts";
import { NO_LIMITS } from "../../src/engine/budget.ts";
import { place } from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

function said(event: Event): string {
  const { reporter, both } = rig({});
  reporter.event(event);
  reporter.close();
  return both.text;
}

const RESUMED: SessionResumed = {
  type: "session-resumed",
  session: "mmm-pb-1",
  playbook: "pb.yml",
  segment: 2,
  reused: [],
  inFlight: null,
  why: null,
  left: 0,
  inputs: null,
  costUsd: 0,
  limits: NO_LIMITS,
  kept: {},
  replay: null,
};

const reused = (step: string, conclusion: ReusedStep["conclusion"]): ReusedStep => ({
  at: place(step, { label: `do ${step}` }),
  conclusion,
  commits: [],
  outputs: [],
  costUsd: 0,
});

test("a step that failed, was tolerated or skipped is not shown as done", () => {
  const steps = [
    reused("1", "succeeded"),
    reused("2", "tolerated"),
    reused("3", "skipped"),
    reused("4", "failed"),
  ];

  const rows = said({ ...RESUMED, reused: steps })
    .split("\n")
    .slice(1, 5);

  expect(rows.map((row) => row.trim().split(" ").filter(Boolean)[0])).toEqual([
    "✅",
    "⚠️",
    "⏩",
    "❌",
  ]);
});

test.each([
  ["cut-short", "1 file that the unit had left when it was cut short is kept in refs/x"],
  ["failed", "1 file that the failed step had left is kept in refs/x"],
  [
    "changed",
    "1 file that the step which has changed, and those after it, had made is kept in refs/x",
  ],
] as const)("what begins again because of %s says so", (why, words) => {
  const text = said({
    type: "unit-restarted",
    head: "a".repeat(40),
    kept: "refs/x",
    files: ["f"],
    why,
  });

  expect(text).toContain(words);
});

test("of inputs at once it says how many are done, and of no one's iteration what is left", () => {
  const inputs = { finished: 1, total: 6 };
  const one = said({ ...RESUMED, left: 1, inputs });
  const several = said({ ...RESUMED, left: 1, inputs, parallel: 2 });

  expect(one).toContain("1 step of this iteration left, 1 of 6 inputs are done\n");
  expect(several).toContain(" 1 of 6 inputs are done\n");
  expect(several).not.toContain("this iteration");
});
