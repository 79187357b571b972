/** Is a failed run worth another one, and when (spec 2.4)? Decided by its end, its failure and its output. */
import { compilePattern } from "../lib/pattern.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { RetryCause, RetryPolicy } from "../playbook/model.ts";
import type { PlannedStep } from "../playbook/plan-model.ts";
import type { Executed } from "./kind.ts";
import type { Failure } from "./outcome.ts";
import type { RandomPort, StorePort } from "./ports.ts";

/** Runs of a step whose `retry` does not say how many. */
const RUNS = 3;
/** Of a Claude step with trouble that may pass: three more than the first. */
const TRANSIENT_RUNS = 4;

const DEFAULT: RetryPolicy = {
  attempts: null,
  backoff: "exponential",
  initialDelayMs: 1_000,
  maxDelayMs: 30_000,
  jitter: true,
  retryOn: null,
};

/** Claude's troubles that another run cannot end: it would only cost. */
const LASTING: ReadonlySet<string> = new Set([
  "not-logged-in",
  "api-error",
  "usage-limit",
  "budget",
  "prompt-too-long",
  "unknown-command",
  "not-started",
]);

/** `sysexits.h` calls it a temporary failure. */
const TEMPORARY_EXIT = 75;

/** A service that asks for a longer wait has a usage limit. */
const LONGEST_ASKED_MS = 10 * 60_000;

export interface FailedRun {
  readonly planned: PlannedStep;
  readonly executed: Executed;
  readonly failure: Failure;
  /** From 1, in its attempt. */
  readonly run: number;
}

/** How many runs what went wrong allows; `null`: this one was the last. */
export async function runsFor(failed: FailedRun, store: StorePort): Promise<number | null> {
  const { planned, failure, run } = failed;
  if (failure.reason === "cancelled" || LASTING.has(failure.code ?? "")) return null;
  const { retry } = planned.step;
  const isTrouble = planned.kind === "claude" && failure.transient === true;
  const most = retry?.attempts ?? (isTrouble ? TRANSIENT_RUNS : retry === null ? 1 : RUNS);
  if (run >= most) return null;
  return isTrouble || (await isCause(failed, store)) ? most : null;
}

async function isCause(failed: FailedRun, store: StorePort): Promise<boolean> {
  const { planned, executed } = failed;
  const causes = planned.step.retry?.retryOn ?? null;
  if (causes === null) return planned.kind !== "claude" || executed.end?.kind === "timed-out";
  for (const cause of causes) if (await matches(cause, failed, store)) return true;
  return false;
}

async function matches(cause: RetryCause, failed: FailedRun, store: StorePort): Promise<boolean> {
  const { executed, failure, planned } = failed;
  switch (cause.kind) {
    case "transient":
      return planned.kind !== "claude" && failure.exitCode === TEMPORARY_EXIT;
    case "timeout":
      return executed.end?.kind === "timed-out";
    case "exit-code":
      return failure.exitCode !== null && cause.codes.includes(failure.exitCode);
    case "pattern": {
      // What the service said may stand in the verdict alone.
      if (planned.kind === "claude" && isIn(cause.pattern, failure.message)) return true;
      const { outputFile } = executed;
      return outputFile !== null && isInFile(cause.pattern, outputFile, store);
    }
    default:
      return unreachable(cause);
  }
}

const PIECE_BYTES = 8 * 1024 * 1024;
/** What lies across the edge of two pieces is found in the second. */
const OVERLAP_BYTES = 64 * 1024;

/** A file of any size in the memory of two pieces. */
async function isInFile(pattern: string, file: string, store: StorePort): Promise<boolean> {
  const size = await store.size(file);
  for (let from = 0; from < size; from += PIECE_BYTES - OVERLAP_BYTES) {
    const piece = await store.readPiece(file, from, PIECE_BYTES);
    const isLast = from + PIECE_BYTES >= size;
    if (isIn(pattern, piece, { isFirst: from === 0, isLast })) return true;
    if (isLast) return false;
  }
  return false;
}

function isIn(pattern: string, text: string, part = { isFirst: true, isLast: true }): boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) return false; // The reader has refused such a pattern.
  const matcher = compiled.value.matcher(text);
  while (matcher.find()) {
    // The edge of a piece is not the start or end of the text.
    if (!part.isFirst && matcher.start() === 0) continue;
    if (!part.isLast && matcher.end() === text.length) continue;
    return true;
  }
  return false;
}

/** Milliseconds before the next run. @param run the one that failed, from 1 */
export async function delayAfter(
  { planned, executed, run }: FailedRun,
  random: RandomPort,
): Promise<number> {
  const policy = planned.step.retry ?? DEFAULT;
  const whole = Math.min(policy.maxDelayMs, policy.initialDelayMs * growth(policy.backoff, run));
  const share = policy.jitter && whole > 0 ? 0.5 + (await random.fraction()) / 2 : 1;
  const asked = Math.min(executed.retryAfterMs ?? 0, LONGEST_ASKED_MS);
  return Math.round(Math.max(whole * share, asked));
}

function growth(backoff: RetryPolicy["backoff"], run: number): number {
  if (backoff === "fixed") return 1;
  return backoff === "linear" ? run : 2 ** (run - 1);
}
