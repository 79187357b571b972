/** How a Claude step runs (spec 3.2, 3.3, 6). */
import { type Cut, cutOf } from "../engine/cut-short.ts";
import { failure, processFailure, refused } from "../engine/failure.ts";
import type { Executed, KindRequest, KindHooks, Prepared } from "../engine/kind.ts";
import type { Failure } from "../engine/outcome.ts";
import type { ClaudeReport, ClaudeRequest, ClaudeResume } from "../engine/ports.ts";
import { renderPrompt } from "../engine/render.ts";
import type { PlannedClaude } from "../playbook/plan-model.ts";

export async function prepareClaude(request: KindRequest<PlannedClaude>): Promise<Prepared> {
  const { frame, planned, unit } = request;
  const { store } = frame.run.ports;
  const context = { scope: frame.scope, store, unit };
  const isSlashCommand = planned.command !== null;
  const source = planned.step.prompt.value.trim();
  const words: string[] = [];
  for (const template of [planned.prompt, ...planned.args]) {
    const text = await renderPrompt(template, context, { isSlashCommand });
    if (!text.ok) {
      if (text.error.kind === "refused") {
        return { kind: "refused", rendered: source, failure: refused(text.error) };
      }
      const { reference, step } = text.error;
      const why = step === null ? `, ${reference} has no value` : ` (step ${step} found nothing)`;
      return { kind: "nothing-to-do", why: `nothing to do${why}` };
    }
    // An argument that renders to nothing is left out, as the original did.
    if (words.length === 0 || text.value !== "") words.push(text.value);
  }
  let prompt = words.join(" ").trim();
  if (planned.consumesSpec && /^\/\S+$/.test(prompt)) {
    const spec = await nextSpec(request);
    if (spec === null)
      return { kind: "nothing-to-do", why: "nothing to do, no spec is waiting in this iteration" };
    prompt = `${prompt} ${spec}`;
  }
  // A step that only reads a spec leaves it for the one that implements it.
  if (planned.consumesSpec)
    for (const spec of frame.specs) if (prompt.includes(spec.path)) spec.used = true;
  if (prompt === "") {
    return { kind: "refused", rendered: source, failure: failure("value", "the prompt is empty") };
  }
  const { continues } = planned.step;
  let wasCut = false;
  let resume = continues && frame.scope.continuedBy(request.record, continues.step);
  if (continues !== null && resume === null)
    return { kind: "refused", rendered: prompt, failure: noConversation(continues.step) };
  return {
    kind: "ready",
    rendered: prompt,
    log: store.file("events", unit),
    warnings: [],
    execute: async (hooks, signal, run) => {
      const executed = await execute(
        { ...request, unit: run },
        { prompt, resume, wasCut },
        { hooks, signal },
      );
      wasCut = executed.cut?.kind === "budget";
      const { conversation } = executed;
      // What a failed run used of the conversation is counted: the next one goes on from there.
      if (conversation?.reported && conversation.session === resume?.session) resume = conversation;
      return executed;
    },
  };
}

/** The plan has seen that the step stands earlier; it may not have got as far as a conversation. */
function noConversation(step: string | null): Failure {
  const which = step === null ? "no Claude step before this one" : `step ${step}`;
  const message = `there is no conversation to go on with: ${which} ${step === null ? "has had one" : "has had none"} in this iteration`;
  return failure("value", message, null, ["leave out continue_session, or let the other step run"]);
}

/** The newest spec of this iteration that still exists and was not handed out yet (spec 3.3). */
async function nextSpec({ frame, record }: KindRequest<PlannedClaude>): Promise<string | null> {
  const { tree } = frame.run.ports;
  if (record.spec !== null && (await tree.exists(record.spec))) return record.spec;
  for (const spec of frame.specs.toReversed()) {
    if (spec.used || !(await tree.exists(spec.path))) continue;
    spec.used = true;
    record.spec = spec.path;
    return spec.path;
  }
  return null;
}

async function execute(
  request: KindRequest<PlannedClaude>,
  {
    prompt,
    resume,
    wasCut,
  }: Pick<ClaudeRequest, "prompt"> & {
    readonly resume: ClaudeResume | null;
    /** The run before it ended at its share of the money. */
    readonly wasCut: boolean;
  },
  { hooks, signal }: { readonly hooks: KindHooks; readonly signal: AbortSignal },
): Promise<Executed> {
  const { frame, planned, unit } = request;
  const { claude, store } = frame.run.ports;
  const { usd: maxBudgetUsd, release } = frame.run.budget.allot(wasCut);
  const asked = claude.run(
    {
      prompt,
      step: planned.path,
      options: planned.options,
      maxBudgetUsd,
      cwd: request.cwd,
      env: request.env,
      timeoutMs: planned.step.timeoutMs,
      eventsFile: store.file("events", unit),
      logFile: store.file("log", unit),
      resume,
      onStart: hooks.onStart,
      onActivity: hooks.onActivity,
    },
    signal,
  );
  const report = await asked.catch((error: unknown) => {
    release();
    throw error;
  });
  const executed = executedOf(report, maxBudgetUsd);
  // One of the past stands in the sums already, unless its end was not told then. What it has cost is counted before
  // its share is free: else another run would have both.
  if (frame.run.isLive()) frame.run.budget.ledger.hold({ at: request.at, ...executed });
  release();
  return executed;
}

function executedOf(report: ClaudeReport, maxBudgetUsd: number | null): Executed {
  const { verdict, end } = report;
  const stopped =
    end.kind === "timed-out" || end.kind === "cancelled" ? processFailure("Claude", end) : null;
  const cut = cutOf(report, { maxBudgetUsd });
  return {
    end,
    durationMs: report.durationMs,
    failure: stopped ?? judged(report, cut),
    cut: stopped === null ? cut : null,
    retryAfterMs: verdict.ok ? null : verdict.retryAfterMs,
    tail: report.tail,
    outputFile: report.textFile,
    stdoutFile: null,
    stderrFile: null,
    usage: report.usage,
    turns: report.turns,
    model: report.model,
    conversation:
      report.claudeSession === null
        ? null
        : { session: report.claudeSession, reported: report.reported ?? null },
    warnings: report.warnings,
    masked: report.masked ?? false,
  };
}

function judged({ verdict, end }: ClaudeReport, cut: Cut | null): Failure | null {
  if (verdict.ok) return null;
  const { code, transient, message, next } = verdict;
  const exitCode = end.kind === "exited" ? end.code : null;
  return {
    ...failure(cut === null ? "claude" : "limit", message, exitCode, next),
    code,
    transient,
  };
}
