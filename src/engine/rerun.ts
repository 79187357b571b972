/** Further runs inside an attempt (spec 2.4): what is told, paid and waited for between two of them. */
import type { PlannedStep } from "../playbook/plan-model.ts";
import { headTrouble } from "./commit.ts";
import type { Frame } from "./context.ts";
import type { Suspended } from "./cut-short.ts";
import type { FailureDetail, StepPlace } from "./events.ts";
import { lastLines } from "./failure.ts";
import type { GateTrouble } from "./gate-model.ts";
import type { Executed } from "./kind.ts";
import type { Failure } from "./outcome.ts";
import type { TreePoint } from "./ports.ts";
import { delayAfter, runsFor } from "./retry.ts";
import type { StepRecord } from "./scope.ts";

/** The attempt that the runs belong to. */
interface Attempt {
  readonly frame: Frame;
  readonly planned: PlannedStep;
  readonly at: StepPlace;
  readonly attempt: number;
  readonly record: StepRecord;
  readonly start: TreePoint;
}

/** A run failed, and `retry` allows another one (spec 2.4). */
export interface Again {
  readonly kind: "again";
  readonly maxRuns: number;
  readonly delayMs: number;
  readonly message: string;
}

/** A run, as a failure tells it. */
export interface Ran {
  readonly rendered: string;
  readonly log: string | null;
  readonly executed: Executed | null;
}

/** What a gate ran, where it was a gate that failed; else what the step did. */
export function detailOf(
  failed: Failure | GateTrouble,
  { rendered, log, executed }: Ran,
): FailureDetail {
  if (!("ran" in failed)) {
    const tail = lastLines(executed?.tail ?? "");
    return { ...failed, rendered, log, end: executed?.end ?? null, tail };
  }
  const { ran, ...why } = failed;
  if (ran === null) return { ...why, rendered, log: null, end: null, tail: "" };
  return { ...why, rendered: ran.rendered, log: ran.log, end: ran.end, tail: ran.tail };
}

/** What is said and waited for before a further run; `null`: it can begin. */
export async function pause(
  { frame, at, attempt }: Attempt,
  run: number,
  { maxRuns, delayMs, message, log }: Again & { readonly log: string | null },
): Promise<Suspended | "cancelled" | null> {
  const { sink, ports, signal, budget } = frame.run;
  const why = firstLine(message);
  sink.event({ type: "retry-started", at, attempt, run, maxRuns, delayMs, why, log });
  if (delayMs > 0) await ports.clock.sleep(delayMs, signal);
  if (signal.aborted) return "cancelled";
  const limit = frame.run.isLive() ? budget.reached(at) : null;
  return limit === null ? null : { kind: "suspended", limit };
}

/** `null`: what the run came to stands. What it left in the tree stays for the next one (spec 5). */
export async function retried(
  request: Attempt,
  ran: Ran & { readonly executed: Executed },
  run: number,
): Promise<Again | null> {
  const { frame, planned, at, attempt, record, start } = request;
  const { executed } = ran;
  const { ports, signal, sink } = frame.run;
  if (executed.failure === null || signal.aborted) return null;
  const failed = { planned, executed, failure: executed.failure, run };
  const maxRuns = await runsFor(failed, ports.store);
  if (maxRuns === null) return null;
  frame.look = await ports.tree.look();
  // A HEAD that moved elsewhere is not made good by another run.
  if ((await headTrouble(frame, start)) !== null || signal.aborted) return null;
  spent(record, executed);
  const { end, durationMs, usage, turns, model } = executed;
  const told = { end, durationMs, usage, turns, model, failure: detailOf(executed.failure, ran) };
  sink.event({ type: "run-failed", at, attempt, run, ...told });
  const delayMs = await delayAfter(failed, ports.random);
  return { kind: "again", maxRuns, delayMs, message: executed.failure.message };
}

const WHY_UNITS = 2_000;

function firstLine(text: string): string {
  return (text.trim().split("\n")[0] ?? "").slice(0, WHY_UNITS);
}

/** Adds what a run took and cost to its step. */
export function spent(record: StepRecord, { durationMs, usage }: Executed): void {
  record.durationMs += durationMs;
  if (usage !== null && usage.costUsd !== null)
    record.costUsd = (record.costUsd ?? 0) + usage.costUsd;
}
