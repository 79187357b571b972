/** What `mmm resume` tells first (spec 7). */
import type { StepPlace } from "./events.ts";
import type { SessionLimits } from "./budget.ts";
import type { RestartReason } from "./lane.ts";
import type { StepConclusion } from "./outcome.ts";
import type { CommitInfo } from "./ports.ts";

/** A unit that an earlier process of the session has finished, and that is not run again. */
export interface ReusedStep {
  readonly at: StepPlace;
  readonly conclusion: StepConclusion;
  readonly commits: readonly CommitInfo[];
  /** Names of its outputs. */
  readonly outputs: readonly string[];
  /** `null`: not known. */
  readonly costUsd: number | null;
}

export interface SessionResumed {
  readonly type: "session-resumed";
  readonly session: string;
  readonly playbook: string;
  /** 2 for the first resume. */
  readonly segment: number;
  /** Top-level steps, oldest first. */
  readonly reused: readonly ReusedStep[];
  /** The innermost unit that was cut short and starts again. */
  readonly inFlight: { readonly at: StepPlace; readonly attempt: number } | null;
  /** The others that were cut short, of inputs at once; left out: there were none. */
  readonly alsoInFlight?: readonly NonNullable<SessionResumed["inFlight"]>[];
  /** Why reuse ends before all that was finished; `null`: it does not. */
  readonly why: string | null;
  /** Steps of this iteration that have not finished. */
  readonly left: number;
  readonly inputs: { readonly finished: number; readonly total: number } | null;
  /** So many inputs at once; left out: one after the other. */
  readonly parallel?: number;
  readonly costUsd: number | null;
  /** Of the whole session, as they are from now on. */
  readonly limits: SessionLimits;
  /** How many records of each lane are answered from the journal. */
  readonly kept: Readonly<Record<string, number>>;
  readonly replay: string | null;
}

export interface UnitRestarted {
  readonly type: "unit-restarted";
  /** HEAD, as the unit that begins again began. */
  readonly head: string;
  /** `refs/mmm/failed/...` that holds what it had left. */
  readonly kept: string;
  readonly files: readonly string[];
  readonly why: RestartReason;
  /** Number of the input it belongs to; left out: a session without inputs. */
  readonly input?: number;
}
