/** The course of a session as its journal tells it; see `timeline.ts`. */
import type { RestartReason } from "./lane.ts";
import type { ItemConclusion } from "./outcome.ts";
import type { CommitInfo } from "./ports.ts";

/** Money and tokens; what is unknown is counted, never taken for 0 (spec 6.4). */
export interface Spend {
  readonly knownCostUsd: number;
  /** Calls of Claude whose cost nobody told. */
  readonly unknownCosts: number;
  /** Calls that a signal cut short: nobody knows what they cost, and no sum pretends to. */
  readonly cutShort: number;
  readonly tokens: number;
  /** Calls of Claude. */
  readonly calls: number;
}

export interface AttemptEntry {
  readonly type: "attempt";
  readonly attempt: number;
  /** From 1, in the attempt (`retry`). */
  readonly run: number;
  readonly maxAttempts: number;
  /** `unfinished`: the journal has no end of it, because it runs or because mmm was killed. */
  readonly result: "succeeded" | "failed" | "unfinished";
  /** Why it failed, in one line. */
  readonly failure: string | null;
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  readonly model: string | null;
  readonly turns: number | null;
  readonly spend: Spend;
  /** As the journal has it: an absolute path in the session's folder. */
  readonly log: string | null;
  /** It ended after mmm had been told to stop. */
  readonly late: boolean;
}

interface HandlerEntry {
  readonly type: "handler";
  /** `on_failure`, `on_exit_code`, `on_success`. */
  readonly handler: string;
  /** `null`: it has not finished. */
  readonly ok: boolean | null;
}

/** One of the list of a loop; its steps follow. */
export interface ItemEntry {
  readonly type: "item";
  /** From 1. */
  readonly index: number;
  readonly total: number;
  /** As text, cut to 200 characters. */
  readonly item: string;
  readonly conclusion: ItemConclusion | "unfinished";
  readonly failure: string | null;
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  /** Of its steps. */
  readonly spend: Spend;
}

export interface StepEntry {
  readonly type: "step";
  /** `3`; inside handlers `3.on_failure.1`. */
  readonly step: string;
  readonly id: string | null;
  readonly label: string;
  readonly kind: string;
  readonly place: string;
  readonly depth: number;
  readonly iteration: number;
  readonly input: number | null;
  readonly conclusion: "succeeded" | "failed" | "tolerated" | "skipped" | "unfinished";
  /** Of `skipped`: why. */
  readonly why: string | null;
  readonly failure: string | null;
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  /** Of all attempts in it, handlers included. */
  readonly spend: Spend;
  readonly commits: readonly CommitInfo[];
  readonly files: number;
  /** The ref that holds what a rollback has undone. */
  readonly kept: string | null;
  readonly late: boolean;
  /** Attempts, handlers, items and their steps, in the order of time. */
  readonly parts: readonly StepPart[];
}

export type StepPart = AttemptEntry | HandlerEntry | ItemEntry | StepEntry;

export type TimelineItem =
  | { readonly type: "resumed"; readonly at: string | null }
  | {
      /** A unit that was cut short, failed or means something else now starts again. */
      readonly type: "restarted";
      readonly why: RestartReason;
      /** The ref that holds what it had left. */
      readonly kept: string;
      readonly files: number;
      readonly at: string | null;
    }
  | {
      readonly type: "input";
      readonly index: number;
      readonly total: number;
      readonly value: string;
      readonly at: string | null;
    }
  | {
      readonly type: "iteration";
      readonly iteration: number;
      readonly maxIterations: number;
      readonly input: number | null;
      readonly at: string | null;
    }
  | InputEntry
  | StepEntry;

/** Of an input with a tree of its own. */
export interface InputEntry {
  readonly type: "input-state";
  readonly index: number;
  readonly state: "opened" | "merged" | "kept" | "failed";
  /** Its worktree; where it went; its worktree; why. */
  readonly text: string;
  readonly at: string | null;
}

interface ModelSpend extends Spend {
  /** `null`: Claude did not say. */
  readonly model: string | null;
}

/** What the session began with; from its `session-started`. */
export interface TimelineStart {
  readonly playbook: string;
  /** Top of its working tree, absolute. */
  readonly root: string;
  readonly cwd: string;
  readonly head: string;
  /** `null`: detached. */
  readonly branch: string | null;
  readonly commit: string;
  readonly version: string;
  readonly replay: string | null;
  readonly inputs: number;
  /** So many inputs at once: their steps come mixed. */
  readonly parallel: number;
}

export interface TimelineTotals extends Spend {
  readonly iterations: number;
  /** Top-level steps that were run. */
  readonly steps: number;
  readonly commits: number;
  readonly durationMs: number | null;
  /** Best paid first. */
  readonly models: readonly ModelSpend[];
}
