/** Which steps have to keep stdout and stderr apart: known only when every reference was seen. */
import type { Step } from "./model.ts";
import type { PlannedHandler, PlannedStep } from "./plan-model.ts";

/** @param ids steps of which somebody reads `.stdout` or `.stderr`. */
export function withSplit(
  steps: readonly PlannedStep[],
  ids: ReadonlySet<string>,
): readonly PlannedStep[] {
  if (ids.size === 0) return steps;
  const within = (handler: PlannedHandler): PlannedHandler => ({
    ...handler,
    steps: withSplit(handler.steps, ids),
  });
  return steps.map((step) => ({
    ...step,
    split: step.split || (step.step.id !== null && ids.has(step.step.id)),
    onFailure: step.onFailure && within(step.onFailure),
    onExitCode: new Map([...step.onExitCode].map(([code, handler]) => [code, within(handler)])),
    onSuccess: withSplit(step.onSuccess, ids),
  }));
}

/** Does an output rule of the step read stdout or stderr alone? */
export function readsOneStream(step: Step): boolean {
  return step.outputs.some(({ rule }) => rule.kind === "capture" && rule.from !== "both");
}
