/** `until`, asked after each iteration (spec 2.6). */
import type { Frame } from "./context.ts";
import type { Suspended } from "./cut-short.ts";
import type { StepPlace } from "./events.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";
import { judge } from "./gate.ts";
import { putBack } from "./put-back.ts";

/** `null`: there is no `until`, or mmm was told to stop. A gate that is skipped is not met: nothing was seen to be true. */
export async function askUntil(frame: Frame): Promise<"met" | "unmet" | Suspended | null> {
  const { until } = frame.run.plan;
  if (until === null || frame.run.signal.aborted) return null;
  const at = untilPlace(frame);
  // Its command takes time as a shell step does, and no money (spec 6.5).
  const isCommand = until.gate.check.kind !== "expression";
  const limit = isCommand && frame.run.isLive() ? frame.run.budget.reached(at) : null;
  if (limit?.kind === "duration") return { kind: "suspended", limit };
  const { gate } = until;
  const planned = { env: [], workingDir: null, path: at.step };
  const unit = frame.run.nextUnit(at.step);
  const point = await frame.run.ports.tree.mark(frame.look);
  const verdict = await judge(
    { frame, planned, at, attempt: 1, unit, timeoutMs: null, gate, when: "until" },
    gate.check,
    null,
  );
  await putBack(frame, point, "until");
  return verdict.kind === "ok" ? "met" : "unmet";
}

/** How the input (or the session) ends after this iteration; `null`: one more. `isLast`: nothing is left to improve. */
export function stopAfter(
  { run, iteration }: Frame,
  {
    asked,
    changed,
    isLast,
  }: {
    readonly asked: "met" | "unmet" | null;
    readonly changed: boolean;
    readonly isLast: boolean;
  },
): { readonly status: SessionStatus; readonly stop: StopReason } | null {
  const { until, maxIterations } = run.plan;
  if (isLast && until === null) return { status: "completed", stop: "nothing-to-do" };
  if (run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
  if (asked === "met") return { status: "completed", stop: "until" };
  if (asked === "unmet") {
    // A step may wait for something outside of the tree: no change does not end the loop then.
    const goesOn = !isLast && iteration < maxIterations;
    return goesOn ? null : { status: "failed", stop: "criterion-unmet" };
  }
  if (!changed && maxIterations > 1) return { status: "completed", stop: "no-changes" };
  return null;
}

/** Where events about it stand: behind the last step. */
export function untilPlace(frame: Frame): StepPlace {
  const { until, steps } = frame.run.plan;
  return {
    step: "until",
    id: null,
    label: `until ${until?.source ?? ""}`,
    kind: "shell",
    number: steps.length,
    total: steps.length,
    depth: 0,
    iteration: frame.iteration,
    input: frame.input?.index ?? null,
    place: until?.gate.place ?? "",
  };
}
