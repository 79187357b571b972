/**
 * One attempt of a step, from condition to commit rule (spec 4):
 * run, on_success, outputs, mmm's commit, commit rule. Whatever fails on the way, the attempt has failed.
 */
import { prepareStep } from "../steps/run-registry.ts";
import { textOf } from "../values/value.ts";
import type { PlannedStep } from "../playbook/plan-model.ts";
import { commitLeftovers, headTrouble } from "./commit.ts";
import { isUnchanged, type Frame } from "./context.ts";
import { surroundings } from "./environment.ts";
import type { FailureDetail, StepPlace } from "./events.ts";
import { failure } from "./failure.ts";
import { measureBefore, validate } from "./gate.ts";
import type { GateTrouble } from "./gate-model.ts";
import { exitCodeOf, type Executed, type Prepared } from "./kind.ts";
import type { Failure } from "./outcome.ts";
import { specsIn, takeOutputs } from "./outputs.ts";
import type { FileChange, TreePoint } from "./ports.ts";
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
  readonly onSuccess: () => Promise<string | null>;
}

/** The part of it that outlives the attempts. */
type StepAtWork = Pick<AttemptRequest, "frame" | "record" | "start" | "at">;

export type AttemptResult =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly detail: FailureDetail }
  /** Nothing was run (spec 3.3). */
  | { readonly kind: "nothing-to-do"; readonly why: string }
  /** A defaulted commit was missed in an iteration without changes (spec 5). */
  | { readonly kind: "nothing-left" };

const RENDERED_UNITS = 2_000;
const TAIL_LINES = 20;

export async function runAttempt(request: AttemptRequest): Promise<AttemptResult> {
  const { frame, planned, at, attempt } = request;
  const { sink, signal, ports } = frame.run;
  request.record.outputs.clear();
  if (planned.step.analysis !== null) await ports.analysis.refresh(planned.step.analysis);
  const prepared = await prepare(request);
  if (prepared.kind === "nothing-to-do") return prepared;
  const rendered =
    prepared.rendered.length > RENDERED_UNITS
      ? `${prepared.rendered.slice(0, RENDERED_UNITS)}…`
      : prepared.rendered;
  const log = prepared.kind === "ready" ? prepared.log : null;
  sink.event({
    type: "attempt-started",
    at,
    attempt,
    maxAttempts: request.maxAttempts,
    rendered,
    log,
  });
  if (prepared.kind === "refused")
    return finish(request, { rendered, log, executed: null }, prepared.failure);
  for (const message of prepared.warnings) {
    sink.event({ type: "note", severity: "warning", message: `${at.place}: ${message}` });
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
  );
  for (const message of executed.warnings) {
    sink.event({ type: "note", severity: "warning", message: `${at.place}: ${message}` });
  }
  keep(request, executed);
  const after = await settle(request, executed, rendered);
  if (after === "nothing-left") {
    finish(request, { rendered, log, executed }, null);
    return { kind: "nothing-left" };
  }
  return finish(request, { rendered, log, executed }, after);
}

async function prepare(request: AttemptRequest): Promise<Prepared> {
  const { frame, planned, unit, record } = request;
  const around = await surroundings(frame, planned, unit);
  if (!around.ok) return { kind: "refused", rendered: planned.step.label, failure: around.error };
  return prepareStep({ frame, planned, unit, record, ...around.value });
}

/** What the attempt leaves in the scope, failed or not. */
function keep({ frame, planned, record, attempt }: AttemptRequest, executed: Executed): void {
  record.attempts = attempt;
  record.exitCode = exitCodeOf(executed.end);
  record.success = executed.failure === null;
  record.durationMs += executed.durationMs;
  record.outputFile = executed.outputFile;
  record.stdoutFile = executed.stdoutFile;
  record.stderrFile = executed.stderrFile;
  if (executed.usage !== null && executed.usage.costUsd !== null)
    record.costUsd = (record.costUsd ?? 0) + executed.usage.costUsd;
  frame.scope.attempted(record, planned.step.captureOutput);
}

/** Everything after the child has ended; `null`: the attempt has succeeded. */
async function settle(
  request: AttemptRequest,
  executed: Executed,
  rendered: string,
): Promise<Failure | GateTrouble | null | "nothing-left"> {
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

/** Start of the step against now. */
export async function changedFiles({
  frame,
  record,
  start,
}: Pick<StepAtWork, "frame" | "record" | "start">): Promise<readonly FileChange[]> {
  const { look, run } = frame;
  const clean = look.head === start.head && look.changes.length === 0 && start.tree === null;
  const files = clean ? [] : await run.ports.tree.filesSince(start);
  record.filesChanged = files.map(({ path }) => path);
  record.filesAdded = files.filter(({ status }) => status === "added").map(({ path }) => path);
  record.changed = files.length > 0 || look.head !== start.head;
  return files;
}

/** Outputs and specs of the step; `lenient`: see {@link takeOutputs}. */
export async function takeDeclared(
  { frame, planned, record, at }: Pick<AttemptRequest, "frame" | "planned" | "record" | "at">,
  files: readonly FileChange[],
  lenient: boolean,
): Promise<Failure | null> {
  const { store } = frame.run.ports;
  const taken = await takeOutputs(planned.step, record, { files, store, lenient });
  if (!taken.ok) return failure("output", taken.error);
  for (const { name, value } of taken.value) {
    frame.run.sink.event({
      type: "output-captured",
      at,
      name,
      value: textOf(value).slice(0, RENDERED_UNITS),
    });
  }
  const specs = planned.kind === "claude" ? specsIn(files).toReversed() : [];
  for (const path of specs)
    if (!frame.specs.some((known) => known.path === path)) frame.specs.push({ path, used: false });
  return null;
}

/** The commits made anywhere inside the step, the step's own and mmm's; each is told once. */
export async function countCommits({ frame, record, start, at }: StepAtWork): Promise<void> {
  const { look, run } = frame;
  if (look.head === start.head) return;
  const commits = await run.ports.tree.commitsBetween(start.head, look.head);
  for (const commit of commits) {
    if (run.toldCommits.has(commit.sha)) continue;
    run.toldCommits.add(commit.sha);
    run.sink.event({ type: "commit-made", at, commit, by: "step" });
  }
  record.commits = commits;
}

/** `commit_required` (spec 5). */
async function commitRule(request: AttemptRequest): Promise<Failure | null | "nothing-left"> {
  const { frame, planned, record, at } = request;
  if (!planned.commitRequired) return null;
  const off = frame.run.options.commit === "off";
  if (off ? record.changed : record.commits.length > 0) return null;
  if (
    planned.commitDefaulted &&
    frame.iteration > 1 &&
    at.depth === 0 &&
    (await isUnchanged(frame))
  ) {
    return "nothing-left";
  }
  return failure("no-commit", `no commit was made by "${planned.step.label}"`, null, [
    "if that can be normal, write `commit_required: false` at this step",
  ]);
}

function finish(
  request: AttemptRequest,
  ran: {
    readonly rendered: string;
    readonly log: string | null;
    readonly executed: Executed | null;
  },
  failed: Failure | GateTrouble | null,
): AttemptResult {
  const { frame, at, attempt, record } = request;
  const { executed } = ran;
  if (failed !== null) {
    record.attempts = attempt;
    record.success = false;
    if (executed === null) frame.scope.attempted(record, false);
  }
  const detail = failed === null ? null : detailOf(failed, ran);
  frame.run.sink.event({
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

/** What a gate ran, where it was a gate that failed; else what the step did. */
function detailOf(
  failed: Failure | GateTrouble,
  { rendered, log, executed }: Parameters<typeof finish>[1],
): FailureDetail {
  if (!("ran" in failed)) {
    const tail = lastLines(executed?.tail ?? "");
    return { ...failed, rendered, log, end: executed?.end ?? null, tail };
  }
  const { ran, ...why } = failed;
  if (ran === null) return { ...why, rendered, log: null, end: null, tail: "" };
  return { ...why, rendered: ran.rendered, log: ran.log, end: ran.end, tail: ran.tail };
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}
