/** Which steps have to keep stdout and stderr apart: known only when every reference was seen. */
import type { Step } from "./model.ts";
import type { PlannedStep } from "./plan-model.ts";
import { mapPlanned } from "./plan-steps.ts";

/** @param ids steps of which somebody reads `.stdout` or `.stderr`. */
export function withSplit(
  steps: readonly PlannedStep[],
  ids: ReadonlySet<string>,
): readonly PlannedStep[] {
  if (ids.size === 0) return steps;
  return mapPlanned(steps, ({ path, split, step }) => ({
    path,
    split: split || (step.id !== null && ids.has(step.id)),
  }));
}

/** Does an output rule of the step read stdout or stderr alone? */
export function readsOneStream(step: Step): boolean {
  return step.outputs.some(({ rule }) => rule?.kind === "capture" && rule.from !== "both");
}
