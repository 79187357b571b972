/** The end of a step, told once: its conclusion, and what it changed. */
import type { PlannedStep } from "../playbook/plan-model.ts";
import { countCommits } from "./left-by-step.ts";
import type { FailureDetail } from "./events.ts";
import type { StepConclusion } from "./outcome.ts";

/** `why`: of a step that was skipped, or that left nothing to do. */
export type Finish = (
  conclusion: StepConclusion,
  failed: FailureDetail | null,
  why?: string | null,
) => Promise<void>;

/** @param began by the monotonic clock, in milliseconds. */
export function finisher(
  step: Parameters<typeof countCommits>[0] & { readonly planned: PlannedStep },
  began: number,
): Finish {
  const { frame, record, at, planned } = step;
  const { sink, ports } = frame.run;
  return async (conclusion, failed, why = null) => {
    record.conclusion = conclusion;
    if (conclusion === "tolerated") frame.scope.tolerate();
    frame.scope.declared(record, planned.step.outputs);
    await countCommits(step);
    sink.event({
      type: "step-finished",
      at,
      conclusion,
      why,
      attempts: record.attempts,
      durationMs: ports.clock.monotonicMs() - began,
      commits: record.commits,
      files: record.filesChanged,
      failure: failed,
    });
  };
}
