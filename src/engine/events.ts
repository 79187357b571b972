/**
 * All that can happen in a session: facts in the past tense, understandable alone.
 *
 * The stream is the record (spec 7): counts, commits, cost and state are folds over it. The journal
 * stamps `v`, `seq` and `time`. Fields are only ever added.
 */
import type { Step } from "../playbook/model.ts";
import type {
  ClaudeActivity,
  ClaudeUsage,
  CommitInfo,
  ProcessIdentity,
  TreePoint,
} from "./ports.ts";
import type { GateEvent } from "./gate-events.ts";
import type { InputEvent, InputResult } from "./input-events.ts";
import type { WorktreeEvent } from "./worktree-event.ts";
import type { LimitReached, SessionLimits } from "./budget.ts";
import type { ItemEvent } from "./item-events.ts";
import type { Spending } from "./ledger.ts";
import type { SessionResumed, UnitRestarted } from "./resumed-event.ts";
import type { Failure, ProcessEnd, SessionStatus, StepConclusion, StopReason } from "./outcome.ts";

/** One input of `--map`/`--args`; `file` only for mapped ones. */
export interface InputValue {
  readonly arg: string;
  readonly file: string | null;
  /** From 1. */
  readonly index: number;
  readonly total: number;
}

/** Which step, whole enough to be understood alone. */
export interface StepPlace {
  /**
   * `3`; inside handlers `3.on_failure.1`, `3.on_exit_code.101.1`, `3.on_success.2`; of the second item of a
   * loop `3.item.2.1`.
   */
  readonly step: string;
  readonly id: string | null;
  readonly label: string;
  readonly kind: Step["kind"];
  /** From 1, of the top-level step; with `total` it reads `Step 3/5`. */
  readonly number: number;
  readonly total: number;
  /** 0: top level; handlers and items one deeper each. */
  readonly depth: number;
  readonly iteration: number;
  /** `null`: a session without inputs. */
  readonly input: number | null;
  /** `file:line` of the step in the playbook. */
  readonly place: string;
}

/** What a failing attempt shows: everything a person needs without opening a log (spec 10). */
export interface FailureDetail extends Failure {
  /** The command or prompt with its values, for people, cut to 2 000 characters. */
  readonly rendered: string;
  readonly end: ProcessEnd | null;
  /** The last 20 lines of output. */
  readonly tail: string;
  readonly log: string | null;
}

export interface SessionTotals {
  readonly iterations: number;
  readonly steps: number;
  readonly commits: number;
  /** Distinct paths changed between the session's start and its end. */
  readonly filesChanged: number;
  readonly durationMs: number;
  /** `null`: at least one Claude step had no known cost. 0 when no Claude step ran. */
  readonly costUsd: number | null;
  /** Claude calls that were cut short by a signal: what they cost is not known, and not in the total. */
  readonly cutShort?: number;
  /** What is known of the cost even when the total is not. */
  readonly knownCostUsd: number;
  /** Runs of Claude whose cost nobody knows. */
  readonly unknownCosts: number;
  readonly tokens: number;
}

export type Event =
  | {
      readonly type: "session-started";
      readonly session: string;
      readonly playbook: string;
      readonly name: string;
      readonly description: string | null;
      readonly steps: number;
      readonly inputs: number;
      /** So many inputs at once; 1: one after the other, in one tree. */
      readonly parallel: number;
      readonly maxIterations: number;
      /** Why that many: for the first line. */
      readonly boundFrom: "option" | "playbook" | "default";
      readonly root: string;
      readonly cwd: string;
      readonly head: string;
      readonly branch: string | null;
      readonly commit: "auto" | "off";
      /** Of the whole session, resumes included. */
      readonly limits: SessionLimits;
      /** A recording stands in for Claude. */
      readonly replay: string | null;
      readonly version: string;
    }
  | SessionResumed
  | WorktreeEvent
  | InputEvent
  | UnitRestarted
  | {
      readonly type: "note";
      readonly severity: "info" | "warning";
      readonly message: string;
      /** Number of the input it is about; left out: the session. */
      readonly input?: number;
    }
  | { readonly type: "input-started"; readonly input: InputValue }
  | {
      readonly type: "iteration-started";
      readonly iteration: number;
      readonly maxIterations: number;
      readonly input: number | null;
    }
  | {
      readonly type: "step-started";
      readonly at: StepPlace;
      /** Of a top-level step: a hash of what it means; another one after an edit of the playbook. */
      readonly meaning?: string;
    }
  | {
      readonly type: "attempt-started";
      readonly at: StepPlace;
      readonly attempt: number;
      /** What `max_attempts` allows; 1 without a repeating handler. */
      readonly maxAttempts: number;
      /** The command or prompt with its values, for people, cut to 2 000 characters. */
      readonly rendered: string;
      readonly log: string | null;
    }
  | {
      readonly type: "process-started";
      readonly at: StepPlace;
      readonly attempt: number;
      readonly process: ProcessIdentity;
    }
  | {
      readonly type: "attempt-finished";
      readonly at: StepPlace;
      readonly attempt: number;
      readonly end: ProcessEnd | null;
      readonly durationMs: number;
      readonly usage: ClaudeUsage | null;
      readonly turns: number | null;
      readonly model: string | null;
      readonly failure: FailureDetail | null;
    }
  | {
      /** A run inside an attempt that is not its last (spec 2.4). */
      readonly type: "run-failed";
      readonly at: StepPlace;
      readonly attempt: number;
      /** From 1, in this attempt. */
      readonly run: number;
      readonly end: ProcessEnd | null;
      readonly durationMs: number;
      readonly usage: ClaudeUsage | null;
      readonly turns: number | null;
      readonly model: string | null;
      readonly failure: FailureDetail;
    }
  | {
      /** The step is run again after the delay, in the same attempt. */
      readonly type: "retry-started";
      readonly at: StepPlace;
      readonly attempt: number;
      /** The run to come, from 2. */
      readonly run: number;
      /** As many are allowed for what went wrong. */
      readonly maxRuns: number;
      readonly delayMs: number;
      /** What went wrong, one line. */
      readonly why: string;
      /** Of the run to come. */
      readonly log: string | null;
    }
  | {
      /** A usage limit was met, and mmm sleeps (`--wait`); the attempt is then started again. */
      readonly type: "wait-started";
      readonly at: StepPlace;
      /** ISO 8601. */
      readonly until: string;
      /** As the service said it; `null`: it did not. */
      readonly resetsAt: string | null;
      readonly durationMs: number;
    }
  | {
      readonly type: "handler-started";
      readonly at: StepPlace;
      readonly attempt: number;
      readonly handler: "on_failure" | "on_exit_code" | "on_success";
      readonly steps: number;
      /** Runs of the step that this handler allows (spec 2.3); for `on_success` this attempt's number. */
      readonly maxAttempts: number;
    }
  | {
      readonly type: "handler-finished";
      readonly at: StepPlace;
      readonly attempt: number;
      readonly handler: "on_failure" | "on_exit_code" | "on_success";
      readonly ok: boolean;
    }
  | ItemEvent
  | {
      readonly type: "output-captured";
      readonly at: StepPlace;
      readonly name: string;
      /** Cut to 2 000 characters for the record. */
      readonly value: string;
    }
  | GateEvent
  | {
      readonly type: "commit-made";
      readonly at: StepPlace;
      readonly commit: CommitInfo;
      /** `step`: the step committed itself; `mmm`: what it left uncommitted. */
      readonly by: "step" | "mmm";
    }
  | {
      readonly type: "step-finished";
      readonly at: StepPlace;
      readonly conclusion: StepConclusion;
      /** For `skipped`: why. */
      readonly why: string | null;
      readonly attempts: number;
      readonly durationMs: number;
      readonly commits: readonly CommitInfo[];
      readonly files: readonly string[];
      readonly failure: FailureDetail | null;
    }
  | {
      readonly type: "rolled-back";
      readonly at: StepPlace;
      /** HEAD after it. */
      readonly head: string;
      /** `refs/mmm/failed/...` that holds what was undone; `null` when there was nothing. */
      readonly kept: string | null;
    }
  | {
      readonly type: "iteration-finished";
      readonly iteration: number;
      readonly input: number | null;
      readonly changed: boolean;
      readonly durationMs: number;
    }
  | {
      readonly type: "input-finished";
      readonly input: InputValue;
      readonly ok: boolean;
      readonly stop: StopReason;
      /** Why it failed, where no step or `until` of it has said so; else `null`. */
      readonly message: string | null;
      readonly durationMs: number;
    }
  | {
      readonly type: "session-finished";
      readonly session: string;
      readonly status: SessionStatus;
      readonly stop: StopReason;
      readonly exitCode: number;
      readonly maxIterations: number;
      /** Of a suspended session: what was reached. */
      readonly limit: LimitReached | null;
      readonly totals: SessionTotals;
      /** Per model and per step, resumes included. */
      readonly spending: Spending;
      /** Time at work, resumes included. */
      readonly workedMs: number;
      readonly commits: readonly CommitInfo[];
      readonly failedInputs: readonly { readonly input: InputValue; readonly message: string }[];
      /** All inputs, in their order. */
      readonly inputResults: readonly InputResult[];
      readonly toleratedFailures: readonly { readonly at: StepPlace; readonly message: string }[];
      /** Where the journal and the logs lie. */
      readonly directory: string;
      /** `git restore ...` lines and the like. */
      readonly next: readonly string[];
      /** Of an interrupted or suspended session: the tree as it was left. */
      readonly left?: TreePoint;
    }
  | {
      /** The surroundings broke with several inputs under way: how far they have come. */
      readonly type: "session-broken";
      readonly session: string;
      readonly inputResults: readonly InputResult[];
      readonly directory: string;
      /** Lines that bring back what was undone. */
      readonly next: readonly string[];
    };

/** Shown live, never journalled. */
export type LiveEvent =
  | { readonly type: "output"; readonly at: StepPlace; readonly text: string }
  | { readonly type: "activity"; readonly at: StepPlace; readonly activity: ClaudeActivity };

/** Takes each event before the next thing happens; throws when the journal cannot be written. */
export interface EventSink {
  event(event: Event): void;
  /** Of a run that a limit cut short: told and counted, and no part of what a resume goes through again. */
  aside(event: Event): void;
  live(event: LiveEvent): void;
}
