/** All iterations of one input, or of the session when it has none (spec 4). */
import type { LimitReached } from "./budget.ts";
import { type Frame, isUnchanged, markTree, type Run } from "./context.ts";
import { isSuspended } from "./cut-short.ts";
import type { InputValue, StepPlace } from "./events.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";
import type { TreeLook, TreePoint } from "./ports.ts";
import { Scope } from "./scope.ts";
import { runStep, type StepResult } from "./step.ts";
import { keepTaken, rollBack } from "./undo.ts";
import { askUntil, stopAfter, untilPlace } from "./until.ts";
import { variablesOf } from "./variables.ts";

export interface IterationsEnd {
  readonly status: SessionStatus;
  readonly stop: StopReason;
  /** Of `suspended`: what was reached. */
  readonly limit: LimitReached | null;
}

export interface IterationsRequest {
  readonly run: Run;
  readonly input: InputValue | null;
  /** What fails stays in its tree, for a look; else it is undone (spec 5, 8.4). */
  readonly stays: boolean;
}

export async function iterate(request: IterationsRequest): Promise<IterationsEnd> {
  const { run, input, stays } = request;
  const { ports, sink } = run;
  const { maxIterations } = run.plan;
  const number = input?.index ?? null;
  let origin: TreePoint | null = null;
  for (let iteration = 1; iteration <= maxIterations; iteration += 1) {
    if (run.signal.aborted) return INTERRUPTED;
    const over = run.goOver(iteration);
    if (over !== null) {
      origin ??= over.start;
      if (over.stop !== null) return { status: "completed", stop: over.stop, limit: null };
      continue;
    }
    const began = ports.clock.monotonicMs();
    sink.event({ type: "iteration-started", iteration, maxIterations, input: number });
    const look = await ports.tree.look();
    const frame = await frameOf(run, { iteration, input, look });
    const { point } = frame.start;
    origin ??= point;
    const end = await allSteps(frame);
    if (end?.kind === "suspended") return suspended(run, end.limit);
    if (end?.kind === "failed") return await failed(frame, { ...end, origin, stays });
    const changed = !(await isUnchanged(frame));
    const asked = await askUntil(frame);
    if (isSuspended(asked)) return suspended(run, asked.limit);
    const durationMs = ports.clock.monotonicMs() - began;
    sink.event({ type: "iteration-finished", iteration, input: number, changed, durationMs });
    const outcome = stopAfter(frame, { asked, changed, isLast: end !== null });
    if (outcome === null) continue;
    if (outcome.stop === "criterion-unmet" && input !== null && !stays)
      await undo(frame, untilPlace(frame), origin);
    return { ...outcome, limit: null };
  }
  return { status: "completed", stop: "iterations-done", limit: null };
}

async function undo(frame: Frame, at: StepPlace, point: TreePoint): Promise<void> {
  const undone = await rollBack(frame, at, point);
  if (undone !== null) frame.run.tellUndone(undone);
}

/** One pass over the steps, from the tree as it is. */
export async function frameOf(
  run: Run,
  of: {
    readonly iteration: number;
    readonly input: InputValue | null;
    readonly look: TreeLook;
    /** `${merge.x}`, in a merge. */
    readonly merge?: Readonly<Record<string, string>>;
  },
): Promise<Frame> {
  const { iteration, input, look, merge } = of;
  const { facts, plan, secrets } = run;
  const point = await markTree(run, look);
  const known = { params: plan.params, mask: secrets.mask, ...(merge && { merge }) };
  const scope = new Scope(variablesOf(run, iteration, input), facts.environment, known);
  return { run, iteration, input, scope, start: { look, point }, look, item: null, specs: [] };
}

const INTERRUPTED: IterationsEnd = { status: "interrupted", stop: "interrupted", limit: null };

async function failed(
  frame: Frame,
  end: {
    readonly at: StepPlace;
    readonly start: TreePoint;
    readonly origin: TreePoint;
    readonly stays: boolean;
  },
): Promise<IterationsEnd> {
  const { run, input } = frame;
  if (run.signal.aborted) return INTERRUPTED;
  // A failed input leaves nothing on the branch (spec 8.4); without inputs earlier steps stay (spec 5).
  const back = input === null ? end.start : end.origin;
  if (end.stays) await keepTaken(frame, end.at, end.start);
  else await undo(frame, end.at, back);
  return { status: "failed", stop: "step-failed", limit: null };
}

/** The result that ended the list early; `null`: all steps were done. */
async function allSteps(frame: Frame): Promise<Exclude<StepResult, { kind: "done" }> | null> {
  const { run } = frame;
  const { steps, usesProject } = run.plan;
  if (usesProject) frame.scope.project = await run.ports.project.commands();
  for (const [index, planned] of steps.entries()) {
    const place = { number: index + 1, total: steps.length, depth: 0 };
    const result = await runStep(frame, planned, place);
    if (result.kind !== "done") return result;
    if (run.signal.aborted) return null;
  }
  return null;
}

/** Nothing is undone: the tree stays as it is, for the resume (spec 7). */
function suspended(run: Run, limit: LimitReached): IterationsEnd {
  if (run.signal.aborted) return INTERRUPTED;
  return { status: "suspended", stop: limit.kind === "usage" ? "usage-limit" : "limit", limit };
}
