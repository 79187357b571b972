import { expect, test } from "vitest";

import { RunMemory } from "../../src/report/run-memory.ts";
import { attempt } from "../support/scripted-run.ts";
import { inputOf, kept, opened, parallelStarted, placeOf } from "../support/scripted-inputs.ts";

/** Everything it holds, as text. */
function held(value: unknown): number {
  const seen = (_key: string, each: unknown): unknown => {
    if (each instanceof Map) return [...each];
    return typeof each === "object" && each !== null && !Array.isArray(each) ? { ...each } : each;
  };
  return JSON.stringify(value, seen).length;
}

/** Each is stopped in the middle of a step, and its worktree stays. */
function after(inputs: number): RunMemory {
  const memory = new RunMemory(() => 0);
  memory.observe(parallelStarted(5000, 4));
  for (let index = 1; index <= inputs; index += 1) {
    const input = inputOf(index, 5000);
    const at = placeOf(input, "1", { kind: "claude" });
    const script = [...opened(input), { event: { type: "step-started", at } as const }];
    for (const entry of [...script, ...attempt(at, { number: 1, most: 1 }), ...kept(input)])
      if ("event" in entry) memory.observe(entry.event);
  }
  return memory;
}

test("what a reporter remembers does not grow with the inputs that are over", () => {
  const few = after(60);
  const many = after(3000);

  expect(many.atWork.finished).toBe(3000);
  expect(many.steps.innermost()).toBeNull();
  expect(held(many.atWork.all)).toBe(held(few.atWork.all));
  expect(many.atWork.kept.size).toBe(few.atWork.kept.size);
  expect(many.gates.size).toBe(0);
  expect(many.knownCostUsd).toBeCloseTo(3000 * 0.0412);
});
