/** Where an edited playbook stops being the one that was run (spec 7). */
import { expect, test } from "vitest";
import { firstChange, type PlanChange } from "../../src/app/resume-plan.ts";
import { shortMeaning } from "../../src/app/run-of.ts";
import { meaningOf } from "../../src/playbook/meaning.ts";
import { planCondition } from "../../src/playbook/plan-condition.ts";
import type { Plan } from "../../src/playbook/plan-model.ts";
import { planPlaybook } from "../../src/playbook/plan.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import type { Story } from "../../src/session/past.ts";
import { at } from "../support/journal-lines.ts";

function plan(...scripts: readonly string[]): Plan {
  const yaml = scripts.map((script) => `- shell: ${script}\n`).join("");
  const { playbook } = readPlaybook("pb.yml", yaml);
  if (playbook === null) throw new Error(yaml);
  const made = planPlaybook(playbook, {
    inputs: { count: 0, allHaveFiles: true },
    maxIterations: null,
    environment: null,
    claude: { above: {}, below: {} },
    commandRules: new Map(),
    conditions: planCondition,
  }).plan;
  if (made === null) throw new Error(yaml);
  return made;
}

const OLD = plan("one", "two", "three");

function began(step: number, of = OLD): object {
  const planned = of.steps[step - 1];
  if (planned === undefined) throw new Error(`no step ${step}`);
  const meaning = shortMeaning(meaningOf(planned.step, of.playbook));
  return { type: "step-started", at: at(`${step}`, { label: planned.step.label }), meaning };
}
const ended = (step: string, depth = 0) => ({ type: "step-finished", at: at(step, { depth }) });
const inside = (step: string) => ({
  type: "step-started",
  at: at(step, { depth: 1 }),
  meaning: "?",
});
const ITERATION = { type: "iteration-started", iteration: 1 };
const over = (changed: boolean) => ({ type: "iteration-finished", changed });

/** Lines of the journal are 10, 11, ... in the first lane and 20, 21, ... in the second. */
function change(now: Plan, ...lanes: readonly (readonly object[])[]): PlanChange | null {
  const made = lanes.map((events, lane) => {
    const first = 10 * (lane + 1);
    return [
      `input-${lane}`,
      events.map((event, index) => ({ type: "event", event, line: first + index })),
    ] as const;
  });
  return firstChange({ lanes: new Map(made) } as unknown as Story, now); // Only its lanes count.
}

test("a playbook that means what it meant has no change, however far the session was", () => {
  expect(change(OLD, [ITERATION, began(1), ended("1"), began(2)])).toBeNull();
  const first = [ITERATION, began(1), ended("1"), began(2), ended("2"), began(3), ended("3")];
  const second = [ITERATION, began(1), ended("1"), over(false)];
  expect(change(OLD, [...first, over(true), ...second])).toBeNull();
});

test("the first step that means something else is told, with its place, and whether it was done", () => {
  const now = plan("one", "other", "three");

  expect(change(now, [ITERATION, began(1), ended("1"), began(2), ended("2")])).toEqual({
    line: 13,
    finished: true,
    why: 'step 2 (two) is now "other" (pb.yml:2)',
  });
  // Cut short, it starts again anyway.
  expect(change(now, [ITERATION, began(1), ended("1"), began(2)])).toMatchObject({
    line: 13,
    finished: false,
  });
});

test("with the label it had, and for a step that is gone, the words are others", () => {
  const { steps } = OLD;
  const same = began(2) as { readonly at: object };
  const other = { ...same, meaning: "another" };

  expect(change(OLD, [other])).toMatchObject({
    why: "step 2 (two) means something else now (pb.yml:2)",
  });
  expect(change(plan("one"), [began(1), ended("1"), began(2)])).toMatchObject({
    why: "step 2 (two) is gone",
  });
  expect(steps).toHaveLength(3);
});

test("an item that was finished is not thrown away unasked, a handler's step alone is", () => {
  const now = plan("other");

  expect(change(now, [began(1), { type: "item-finished", at: at("1") }])).toMatchObject({
    finished: true,
  });
  expect(change(now, [began(1), ended("1.on_failure.1", 1)])).toMatchObject({ finished: false });
});

test("steps inside of steps are judged with the step around them", () => {
  expect(change(OLD, [began(1), inside("1.on_failure.1"), ended("1")])).toBeNull();
});

test("of several inputs the earliest line counts", () => {
  const now = plan("other", "two", "three");
  const late = [ITERATION, ITERATION, began(1)];

  expect(change(now, late, [began(1)])).toMatchObject({ line: 12 });
  expect(change(now, [ITERATION, began(1), ended("1")], late)).toMatchObject({ line: 11 });
});

test("a step that was added behind an iteration that is over is one it did not have", () => {
  const now = plan("one", "two", "three", "four");
  const first = [ITERATION, began(1), ended("1"), began(2), ended("2"), began(3), ended("3")];

  expect(change(now, [...first, over(true), ITERATION])).toEqual({
    line: 17,
    finished: true,
    why: "an iteration had 3 steps, and now it has 4",
  });
  // One that changed nothing was the last, and one that is under way gets there.
  expect(change(now, [...first, over(false)])).toBeNull();
  expect(change(now, first)).toBeNull();
});

test("steps are counted anew in each iteration", () => {
  const now = plan("one", "two", "three", "four");
  const all = [...[1, 2, 3, 4].flatMap((step) => [began(step, now), ended(`${step}`)]), over(true)];

  expect(change(now, [ITERATION, ...all, ITERATION, ...all.slice(2)])).toMatchObject({
    why: "an iteration had 3 steps, and now it has 4",
  });
});
