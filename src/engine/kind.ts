/** What the engine asks of a step kind: make ready, then run. One implementation a kind, in `steps/`. */
import type { PlannedStep } from "../playbook/plan-model.ts";
import type { Frame } from "./context.ts";
import type { LimitReached } from "./budget.ts";
import type { Cut, Suspended } from "./cut-short.ts";
import type { FailureDetail, StepPlace } from "./events.ts";
import type { Failure, ProcessEnd } from "./outcome.ts";
import type { ClaudeActivity, ClaudeResume, ClaudeUsage, ProcessIdentity } from "./ports.ts";
import type { StepRecord } from "./scope.ts";

/** One attempt, ready to be prepared. */
export interface KindRequest<Planned extends PlannedStep = PlannedStep> {
  readonly frame: Frame;
  readonly planned: Planned;
  /** What earlier attempts of the step left. */
  readonly record: StepRecord;
  /** Names this attempt's files; unique in the session. */
  readonly unit: string;
  readonly at: StepPlace;
  /** Runs steps that stand in this one, with the same engine. */
  readonly runInside: (steps: readonly PlannedStep[]) => Promise<InsideResult>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** How a list of nested steps ended. */
export type InsideResult =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly at: StepPlace; readonly detail: FailureDetail }
  /** There was nothing to do, and the rest of the list was left out (spec 3.3). */
  | { readonly kind: "nothing-left" }
  | Suspended;

/** How the world hears of a running child. */
export interface KindHooks {
  readonly onStart: (identity: ProcessIdentity) => void;
  readonly onOutput: (text: string) => void;
  readonly onActivity: (activity: ClaudeActivity) => void;
}

export type Prepared =
  | {
      readonly kind: "ready";
      /** For people: the command as it is run, values and all. */
      readonly rendered: string;
      readonly log: string | null;
      readonly warnings: readonly string[];
      /** @param unit names the files of this run; one that is made again gets another. */
      readonly execute: (hooks: KindHooks, signal: AbortSignal, unit: string) => Promise<Executed>;
    }
  | { readonly kind: "refused"; readonly rendered: string; readonly failure: Failure }
  | { readonly kind: "nothing-to-do"; readonly why: string };

export interface Executed {
  /** `null`: no child process was needed. */
  readonly end: ProcessEnd | null;
  readonly durationMs: number;
  readonly failure: Failure | null;
  /** A limit ended the run: it is no result (spec 6.5). */
  readonly cut: Cut | null;
  /** The wait that the service of Claude asked for; `null` or absent: it did not. */
  readonly retryAfterMs?: number | null;
  /** A limit was reached in a step that stands in this one: the attempt is not over. */
  readonly suspended?: LimitReached | null;
  readonly tail: string;
  readonly outputFile: string | null;
  readonly stdoutFile: string | null;
  readonly stderrFile: string | null;
  readonly usage: ClaudeUsage | null;
  readonly turns: number | null;
  readonly model: string | null;
  /** The conversation a Claude step had, and what was used in it as the CLI counts; for `continue_session`. */
  readonly conversation?: ClaudeResume | null;
  readonly warnings: readonly string[];
  /** See `ShellReport`. */
  readonly masked?: boolean;
}

/** The exit code a person would see; `null` when there was none. */
export function exitCodeOf(end: ProcessEnd | null): number | null {
  return end?.kind === "exited" ? end.code : null;
}
