/**
 * A run of Claude that a limit ended (spec 6.5): it says nothing about the step, and is made again when
 * there is room, under the same attempt number. A resumed session forgets such answers for the same reason.
 */
import type { LimitReached } from "./budget.ts";
import type { Run } from "./context.ts";
import type { StepPlace } from "./events.ts";
import type { ClaudeReport, ClaudeRequest } from "./ports.ts";

export type Cut =
  /** The CLI stopped at the money it was handed: US dollars. */
  | { readonly kind: "budget"; readonly usd: number }
  /** `resetsAt`: ISO 8601; `null`: the service did not say. */
  | { readonly kind: "usage-limit"; readonly resetsAt: string | null };

/** `null`: the run is a result, good or bad. Such a report is kept out of what a resume goes through again. */
export function cutOf(
  { verdict }: ClaudeReport,
  { maxBudgetUsd = null }: Pick<ClaudeRequest, "maxBudgetUsd">,
): Cut | null {
  if (verdict.ok) return null;
  // Without a limit of ours it is somebody else's budget, and a failure like others.
  if (verdict.code === "budget")
    return maxBudgetUsd === null ? null : { kind: "budget", usd: maxBudgetUsd };
  if (verdict.code !== "usage-limit") return null;
  return { kind: "usage-limit", resetsAt: verdict.resetsAt ?? null };
}

/** Clocks differ, and a service opens a little late. */
const MARGIN_MS = 30_000;
const FIRST_WAIT_MS = 5 * 60_000;
const LONGEST_WAIT_MS = 60 * 60_000;

/** `null`: it may be run again (or mmm was told to stop); else what suspends the session. */
export async function afterCut(
  run: Run,
  at: StepPlace,
  { cut, times }: { readonly cut: Cut; readonly times: number },
): Promise<LimitReached | null> {
  if (cut.kind === "budget") return run.budget.stoppedByCost(cut.usd, run.signal);
  const { resetsAt } = cut;
  if (!run.budget.limits.wait) return { kind: "usage", limit: null, spent: null, resetsAt };
  const { clock } = run.ports;
  const left = resetsAt === null ? 0 : clock.msUntil(resetsAt);
  const ms = left > 0 ? left + MARGIN_MS : waitWithoutReset(times);
  const until = clock.now();
  until.setTime(until.getTime() + ms);
  run.sink.aside({
    type: "wait-started",
    at,
    until: until.toISOString(),
    resetsAt,
    durationMs: ms,
  });
  const awake = run.budget.rest();
  await clock.sleep(ms, run.signal);
  awake();
  return null;
}

/** 5, 10, 20, 40, then 60 minutes. @param times runs that were cut short, from 1 */
function waitWithoutReset(times: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(times - 1, 10));
}

/** A limit is reached: nothing more is begun, and nothing is undone (spec 6.5). */
export interface Suspended {
  readonly kind: "suspended";
  readonly limit: LimitReached;
}

/** Told from a failure and from words. */
export function isSuspended(result: object | string | null): result is Suspended {
  return (
    typeof result === "object" && result !== null && "kind" in result && result.kind === "suspended"
  );
}
