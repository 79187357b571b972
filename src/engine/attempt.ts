/**
 * One attempt of a step, from condition to commit rule (spec 4):
 * run, on_success, outputs, mmm's commit, commit rule. Whatever fails on the way, the attempt has failed.
 */
import { prepareStep } from "../steps/run-registry.ts";
import type { PlannedStep } from "../playbook/plan-model.ts";
import { commitLeftovers, headTrouble } from "./commit.ts";
import { isUnchanged, type Frame } from "./context.ts";
import { surroundings } from "./environment.ts";
import { afterCut, type Cut, isSuspended, type Suspended } from "./cut-short.ts";
import type { FailureDetail, StepPlace } from "./events.ts";
import { cancelled, failure } from "./failure.ts";
import { measureBefore, validate } from "./gate.ts";
import type { GateTrouble } from "./gate-model.ts";
import { exitCodeOf, type Executed, type KindRequest, type Prepared } from "./kind.ts";
import type { Failure } from "./outcome.ts";
import { changedFiles, countCommits, takeDeclared } from "./left-by-step.ts";
import { isItemStep } from "./place.ts";
import type { TreePoint } from "./ports.ts";
import { type Again, detailOf, pause, type Ran, retried, spent } from "./rerun.ts";
import { warn } from "./warn.ts";
import type { StepRecord } from "./scope.ts";

/** What the step runner hands down; `runSteps` runs nested steps with the same engine. */
export interface AttemptRequest {
  readonly frame: Frame;
  readonly planned: PlannedStep;
  readonly at: StepPlace;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly record: StepRecord;
  /** The tree as the step (not the attempt) began. */
  readonly start: TreePoint;
  readonly unit: string;
  readonly onSuccess: () => Promise<string | Suspended | null>;
  readonly runInside: KindRequest["runInside"];
}

export type AttemptResult =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly detail: FailureDetail }
  /** Nothing was run (spec 3.3). */
  | { readonly kind: "nothing-to-do"; readonly why: string }
  /** A defaulted commit was missed in an iteration without changes (spec 5). */
  | { readonly kind: "nothing-left" }
  | Suspended;

const RENDERED_UNITS = 2_000;

export async function runAttempt(request: AttemptRequest): Promise<AttemptResult> {
  const { frame, planned, at } = request;
  request.record.outputs.clear();
  frame.scope.undeclared(request.record);
  if (planned.step.analysis !== null) await frame.run.ports.analysis.refresh(planned.step.analysis);
  const prepared = await prepare(request);
  if (prepared.kind === "nothing-to-do") return prepared;
  const rendered = shortened(frame, prepared.rendered);
  if (prepared.kind === "refused") {
    begin(request, rendered, null);
    return finish(request, { rendered, log: null, executed: null }, prepared.failure);
  }
  let cuts = 0;
  let turn: Turn = { times: 1, run: 1, why: "first" };
  for (;;) {
    // What an earlier process has run was within the limits of then.
    const { budget, signal } = frame.run;
    const limit = frame.run.isLive() ? await budget.reachedInTurn(at, signal) : null;
    if (limit !== null) return { kind: "suspended", limit };
    const result = await runOnce(request, prepared, turn);
    const times = turn.times + 1;
    if (result.kind === "again") turn = { times, run: turn.run + 1, why: result };
    else if (result.kind === "cut-short") {
      turn = { times, run: turn.run, why: "cut-short" };
      cuts += 1;
      const reached = await afterCut(frame.run, at, { cut: result.cut, times: cuts });
      if (reached !== null) return { kind: "suspended", limit: reached };
      if (frame.run.signal.aborted) return { kind: "failed", detail: cancelled(rendered) };
    } else return result;
  }
}

/** One child of an attempt. */
interface Turn {
  /** Counts children, those included that a limit cut short; from 1. */
  readonly times: number;
  /** Counts results. */
  readonly run: number;
  readonly why: "first" | "cut-short" | Again;
}

type Ready = Extract<Prepared, { kind: "ready" }>;

/** The child, and what comes after it; made again when a limit cut it short, or when `retry` says so. */
async function runOnce(
  request: AttemptRequest,
  prepared: Ready,
  turn: Turn,
): Promise<AttemptResult | Again | { readonly kind: "cut-short"; readonly cut: Cut }> {
  const { frame, at, attempt } = request;
  const { sink, signal, ports } = frame.run;
  const rendered = shortened(frame, prepared.rendered);
  const { times } = turn;
  const unit = times === 1 ? request.unit : frame.run.runUnit(request.unit, times);
  const kind = at.kind === "claude" ? "events" : "log";
  const log = times === 1 || prepared.log === null ? prepared.log : ports.store.file(kind, unit);
  if (turn.why === "first") {
    begin(request, rendered, log);
    tell(frame, at, prepared.warnings);
  } else if (turn.why === "cut-short") {
    // As a resume does it: from the tree it started on (spec 7).
    await frame.run.startOver();
    begin(request, rendered, log, "aside");
  } else {
    const stopped = await pause(request, turn.run, { ...turn.why, log });
    if (stopped === "cancelled")
      return finish(
        request,
        { rendered, log, executed: null },
        failure("cancelled", "mmm was told to stop"),
      );
    if (stopped !== null) return stopped;
  }
  const unmeasured = await measureBefore(gatesOf(request), request.record.before, request.start);
  if (unmeasured !== null)
    return finish(request, { rendered, log: null, executed: null }, unmeasured);
  const executed = await prepared.execute(
    {
      onStart: (process) => sink.event({ type: "process-started", at, attempt, process }),
      onOutput: (text) => sink.live({ type: "output", at, text }),
      onActivity: (activity) => sink.live({ type: "activity", at, activity }),
    },
    signal,
    unit,
  );
  if (executed.suspended) return { kind: "suspended", limit: executed.suspended };
  const ran = { rendered, log, executed };
  if (executed.cut !== null) {
    finish(request, ran, executed.failure, "aside");
    return { kind: "cut-short", cut: executed.cut };
  }
  tell(frame, at, executed.warnings);
  const again = await retried(request, { rendered, log, executed }, turn.run);
  if (again !== null) return again;
  keep(request, executed);
  const after = await settle(request, executed, rendered);
  if (isSuspended(after)) return after;
  if (after === "nothing-left") {
    finish(request, ran, null);
    return { kind: "nothing-left" };
  }
  return finish(request, ran, after);
}

/** A run that a limit cut short, and the start of one made again, is told aside. */
type Told = "event" | "aside";

function begin(
  request: AttemptRequest,
  rendered: string,
  log: string | null,
  told: Told = "event",
): void {
  const { frame, at, attempt, maxAttempts } = request;
  frame.run.sink[told]({ type: "attempt-started", at, attempt, maxAttempts, rendered, log });
}

function tell(frame: Frame, at: StepPlace, warnings: readonly string[]): void {
  for (const warning of warnings) warn(frame, `${at.place}: ${warning}`);
}

/** Masked before it is cut: half a secret is one still. */
function shortened({ run }: Frame, text: string): string {
  const rendered = run.secrets.mask(text);
  return rendered.length > RENDERED_UNITS ? `${rendered.slice(0, RENDERED_UNITS)}…` : rendered;
}

async function prepare(request: AttemptRequest): Promise<Prepared> {
  const { frame, planned, unit, record, at, runInside } = request;
  const around = await surroundings(frame, planned, unit);
  if (!around.ok) return { kind: "refused", rendered: planned.step.label, failure: around.error };
  return prepareStep({ frame, planned, unit, record, at, runInside, ...around.value });
}

/** What the attempt leaves in the scope, failed or not. */
function keep({ frame, planned, record, attempt }: AttemptRequest, executed: Executed): void {
  record.attempts = attempt;
  record.exitCode = exitCodeOf(executed.end);
  record.success = executed.failure === null;
  record.masked = executed.masked ?? false;
  record.outputFile = executed.outputFile;
  record.stdoutFile = executed.stdoutFile;
  record.stderrFile = executed.stderrFile;
  spent(record, executed);
  if (executed.conversation) frame.scope.conversed(record, executed.conversation);
  frame.scope.attempted(record, planned.step.captureOutput);
}

/** Everything after the child has ended; `null`: the attempt has succeeded. */
async function settle(
  request: AttemptRequest,
  executed: Executed,
  rendered: string,
): Promise<Failure | GateTrouble | Suspended | null | "nothing-left"> {
  const { frame, planned, at, start } = request;
  const { ports, signal } = frame.run;
  frame.look = await ports.tree.look();
  const moved = await headTrouble(frame, start);
  if (executed.failure !== null) {
    // A moved HEAD weighs more: it must not be taken for the command's own failure, and is never tolerated.
    return executed.failure.reason === "cancelled" ? executed.failure : (moved ?? executed.failure);
  }
  if (moved !== null) return moved;
  if (planned.onSuccess.length > 0) {
    const trouble = await request.onSuccess();
    if (isSuspended(trouble)) return trouble;
    if (trouble !== null) return failure("on-success", `on_success failed: ${trouble}`);
  }
  const files = await changedFiles(request);
  const missing = await takeDeclared(request, files, false);
  if (missing !== null) return missing;
  if (signal.aborted) return failure("cancelled", "mmm was told to stop");
  const invalid = await validate(gatesOf(request), request.record.before);
  if (signal.aborted) return failure("cancelled", "mmm was told to stop");
  if (invalid !== null) return invalid;
  // The step's own commits are told before mmm's, in the order of history.
  await countCommits(request);
  const refusal = await commitLeftovers(frame, { planned, at, failed: null, rendered });
  // `git commit` is ended by a Ctrl-C too; then it was not the repository that refused.
  if (refusal !== null && signal.aborted) return failure("cancelled", "mmm was told to stop");
  if (refusal !== null) return refusal;
  await countCommits(request);
  return commitRule(request);
}

function gatesOf({
  frame,
  planned,
  at,
  attempt,
  unit,
}: AttemptRequest): Parameters<typeof validate>[0] {
  const { validation: gates, step } = planned;
  return { frame, planned, at, attempt, unit, timeoutMs: step.timeoutMs, gates };
}

/** `commit_required` (spec 5). */
async function commitRule(request: AttemptRequest): Promise<Failure | null | "nothing-left"> {
  const { frame, planned, record, at } = request;
  if (!planned.commitRequired) return null;
  const off = frame.run.options.commit === "off";
  if (off ? record.changed : record.commits.length > 0) return null;
  if (planned.commitDefaulted && frame.iteration > 1) {
    const start = at.depth === 0 ? frame.start : isItemStep(at) ? frame.item : null;
    if (start !== null && (await isUnchanged(frame, start))) return "nothing-left";
  }
  return failure("no-commit", `no commit was made by "${planned.step.label}"`, null, [
    "if that can be normal, write `commit_required: false` at this step",
  ]);
}

function finish(
  request: AttemptRequest,
  ran: Ran,
  failed: Failure | GateTrouble | null,
  told: Told = "event",
): AttemptResult {
  const { frame, at, attempt, record } = request;
  const { executed } = ran;
  if (failed !== null) {
    record.attempts = attempt;
    record.success = false;
    if (executed === null) frame.scope.attempted(record, false);
  }
  const detail = failed === null ? null : detailOf(failed, ran);
  frame.run.sink[told]({
    type: "attempt-finished",
    at,
    attempt,
    end: executed?.end ?? null,
    durationMs: executed?.durationMs ?? 0,
    usage: executed?.usage ?? null,
    turns: executed?.turns ?? null,
    model: executed?.model ?? null,
    failure: detail,
  });
  return detail === null ? { kind: "succeeded" } : { kind: "failed", detail };
}
