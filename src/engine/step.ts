/** A step with its attempts and handlers (spec 2.3), and lists of steps. */
import { unreachable } from "../lib/unreachable.ts";
import { mostAttempts } from "../playbook/plan-steps.ts";
import type { PlannedHandler, PlannedStep } from "../playbook/plan-model.ts";
import { type AttemptResult, runAttempt } from "./attempt.ts";
import { askCondition } from "./condition.ts";
import { commitLeftovers, headTrouble } from "./commit.ts";
import { isSuspended, type Suspended } from "./cut-short.ts";
import { type Frame, isUnchanged, markTree } from "./context.ts";
import type { FailureDetail, StepPlace } from "./events.ts";
import { type Finish, finisher } from "./finish.ts";
import { cancelled, withoutRun } from "./failure.ts";
import { changedFiles, takeDeclared } from "./left-by-step.ts";
import type { InsideResult } from "./kind.ts";
import type { Failure } from "./outcome.ts";
import { isItemStep } from "./place.ts";
import type { TreePoint } from "./ports.ts";
import { newRecord, type StepRecord } from "./scope.ts";

/** What the loop around a step has to know. */
export type StepResult =
  /** Succeeded, had nothing to do, or failed and was tolerated: the loop goes on. */
  | { readonly kind: "done" }
  | {
      readonly kind: "failed";
      readonly at: StepPlace;
      readonly detail: FailureDetail;
      /** The tree as the step began. */
      readonly start: TreePoint;
    }
  /** The iteration ends here, and with it the input, successfully (spec 3.3, 5). */
  | { readonly kind: "nothing-left" }
  | Suspended;

/** Where a step stands; `number` and `total` are those of its top-level step. */
export interface Position {
  readonly number: number;
  readonly total: number;
  readonly depth: number;
}

export async function runStep(
  frame: Frame,
  planned: PlannedStep,
  position: Position,
): Promise<StepResult> {
  const { run } = frame;
  const at = placeOf(frame, planned, position);
  const began = run.ports.clock.monotonicMs();
  const meaning = at.depth === 0 ? { meaning: run.meaningOf(planned) } : {};
  run.sink.event({ type: "step-started", at, ...meaning });
  const start = await markTree(run, frame.look);
  const record = newRecord(planned.step.id, planned.kind);
  frame.scope.begin(record);
  const state = { frame, planned, at, record, start, position };
  const finish = finisher(state, began);
  const asked = await askCondition(frame, planned);
  if (!asked.ok) {
    record.success = false;
    return conclude(state, { detail: withoutRun(asked.error), handler: null, finish });
  }
  if (asked.value.kind === "skipped") {
    await finish("skipped", null, asked.value.why);
    return { kind: "done" };
  }
  const { result, handler } = await attempts(state);
  switch (result.kind) {
    case "succeeded":
      await finish("succeeded", null);
      return { kind: "done" };
    case "nothing-left":
      await finish("succeeded", null, "nothing left to improve");
      return { kind: "nothing-left" };
    case "nothing-to-do": {
      // Outputs of a skipped step are null; its file outputs say that there was nothing to do.
      for (const { name, rule } of planned.step.outputs)
        if (rule?.kind === "file") record.fileOutputs.add(name);
      if (planned.kind === "claude") record.fileOutputs.add("spec");
      await finish("skipped", null, result.why);
      // In an item it ends the item, whatever else has changed.
      const ends = isItemStep(at) || (at.depth === 0 && (await isUnchanged(frame)));
      return ends ? { kind: "nothing-left" } : { kind: "done" };
    }
    case "failed":
      return conclude(state, { detail: result.detail, handler, finish });
    case "suspended": // Not finished, and not told as such: a resume goes on with it.
      return result;
    default:
      return unreachable(result);
  }
}

/** Steps that stand in another one, one after the other; the first that does not go on ends the list. */
async function runInside(
  { frame, at, position }: Pick<StepState, "frame" | "at" | "position">,
  steps: readonly PlannedStep[],
): Promise<InsideResult> {
  const { scope, run } = frame;
  const env = scope.declaredEnv;
  const inside = { ...position, depth: position.depth + 1 };
  for (const planned of steps) {
    const result = await runStep(frame, planned, inside);
    if (result.kind === "suspended") return result;
    scope.declaredEnv = env;
    if (result.kind !== "done") return result;
    // What a Ctrl-C cut short has not been done: whoever waits for this list must not go on.
    if (run.signal.aborted) return { kind: "failed", at, detail: cancelled("") };
  }
  return { kind: "done" };
}

/** A handler's steps; what failed, or `null`. */
async function runHandler(
  state: StepState,
  steps: readonly PlannedStep[],
): Promise<FailureDetail | Suspended | null> {
  const result = await runInside(state, steps);
  if (result.kind === "suspended") return result;
  return result.kind === "failed" ? result.detail : null;
}

interface StepState {
  readonly frame: Frame;
  readonly planned: PlannedStep;
  readonly at: StepPlace;
  readonly record: StepRecord;
  readonly start: TreePoint;
  readonly position: Position;
}

/** Runs of the step until one succeeds or `max_attempts` are used up; the handler stands between two runs. */
async function attempts(
  state: StepState,
): Promise<{ readonly result: AttemptResult; readonly handler: PlannedHandler | null }> {
  const { frame, planned, at, record, start } = state;
  let earlier: Extract<AttemptResult, { kind: "failed" }> | null = null;
  // Until it is known which handler counts; then as many as that one allows.
  let maxAttempts = mostAttempts(planned);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await runAttempt({
      frame,
      planned,
      at,
      attempt,
      maxAttempts,
      record,
      start,
      unit: frame.run.nextUnit(planned.path),
      onSuccess: () => onSuccess(state, attempt),
      runInside: (steps) => runInside(state, steps),
    });
    // A failed step that then has nothing to do has still failed.
    const result: AttemptResult =
      outcome.kind === "nothing-to-do" && earlier !== null ? earlier : outcome;
    if (result.kind !== "failed" || isCancelled(frame, result.detail))
      return { result, handler: null };
    const handler = handlerFor(planned, result.detail);
    if (handler === null || outcome.kind === "nothing-to-do") return { result, handler };
    earlier = result;
    ({ maxAttempts } = handler.handler);
    // max_attempts 1: the handler cleans up once, the step is not repeated (spec 2.3).
    if (attempt < maxAttempts || maxAttempts === 1) {
      const stopped = await handle(state, { handler, detail: result.detail, attempt });
      if (stopped !== null) return { result: stopped, handler: null };
    }
    if (attempt >= maxAttempts || frame.run.signal.aborted) return { result, handler };
  }
}

/** Nothing is begun after a Ctrl-C, whatever else went wrong at the same moment. */
function isCancelled({ run }: Frame, { reason }: FailureDetail): boolean {
  return reason === "cancelled" || run.signal.aborted;
}

/** `on_exit_code` replaces `on_failure` for its code. */
function handlerFor(planned: PlannedStep, detail: FailureDetail): PlannedHandler | null {
  const byCode = detail.exitCode === null ? undefined : planned.onExitCode.get(detail.exitCode);
  return byCode ?? planned.onFailure;
}

async function handle(
  state: StepState,
  failed: {
    readonly handler: PlannedHandler;
    readonly detail: FailureDetail;
    readonly attempt: number;
  },
): Promise<Suspended | null> {
  const { frame, planned, at, record } = state;
  const { handler, detail, attempt } = failed;
  if (handler.steps.length === 0) return null;
  frame.scope.undeclared(record);
  const { sink } = frame.run;
  const name = handler === planned.onFailure ? "on_failure" : "on_exit_code";
  frame.scope.pushError({
    message: detail.message,
    exitCode: detail.exitCode,
    step: planned.step.id ?? planned.path,
    record,
    outputFile: detail.reason === "validation" ? detail.log : record.outputFile,
  });
  const counts = { steps: handler.steps.length, maxAttempts: handler.handler.maxAttempts };
  sink.event({ type: "handler-started", at, attempt, handler: name, ...counts });
  // A failing handler is reported, and the step is run again all the same.
  const trouble = await runHandler(state, handler.steps);
  if (isSuspended(trouble)) return trouble;
  sink.event({ type: "handler-finished", at, attempt, handler: name, ok: trouble === null });
  frame.scope.popError();
  return null;
}

async function onSuccess(state: StepState, attempt: number): Promise<string | Suspended | null> {
  const { frame, planned, at } = state;
  const { sink } = frame.run;
  const handler = "on_success";
  const steps = planned.onSuccess.length;
  sink.event({ type: "handler-started", at, attempt, handler, steps, maxAttempts: attempt });
  const trouble = await runHandler(state, planned.onSuccess);
  if (isSuspended(trouble)) return trouble;
  sink.event({ type: "handler-finished", at, attempt, handler, ok: trouble === null });
  return trouble?.message ?? null;
}

/** A step that has failed in the end: tolerated and kept, or failed and undone by the loop around it. */
async function conclude(
  state: StepState,
  end: {
    readonly detail: FailureDetail;
    readonly handler: PlannedHandler | null;
    readonly finish: Finish;
  },
): Promise<StepResult> {
  const { frame, planned, at, start } = state;
  const { handler, finish } = end;
  let { detail } = end;
  const explicit = planned.step.continueOnError || handler?.handler.failWorkflow === false;
  if (explicit && !isCancelled(frame, detail)) {
    // The last handler may have moved HEAD too: that is never tolerated (spec 5).
    const trouble =
      (await headTrouble(frame, start)) ?? (await commitFailed({ frame, planned, at }, detail));
    if (trouble === null) {
      await takeDeclared(state, await changedFiles(state), true);
      await finish("tolerated", detail);
      return { kind: "done" };
    }
    detail = { ...detail, ...trouble };
  }
  await finish("failed", detail);
  return { kind: "failed", at, detail, start };
}

/** A tolerated failure keeps what it changed, under a trailer that says so (spec 5). */
async function commitFailed(
  { frame, planned, at }: Pick<StepState, "frame" | "planned" | "at">,
  { exitCode, reason, rendered }: FailureDetail,
): Promise<Failure | null> {
  const failed = exitCode === null ? reason : `exit ${exitCode}`;
  return commitLeftovers(frame, { planned, at, failed, rendered });
}

function placeOf(frame: Frame, planned: PlannedStep, position: Position): StepPlace {
  return {
    step: planned.path,
    id: planned.step.id,
    label: planned.step.label,
    kind: planned.kind,
    ...position,
    iteration: frame.iteration,
    input: frame.input?.index ?? null,
    place: planned.place,
  };
}
