/** What becomes of an input; with several at once each has a tree of its own (spec 8.4). */
import type { InputValue } from "./events.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";
import type { TreePoint } from "./ports.ts";

export type InputEvent =
  | {
      readonly type: "input-opened";
      readonly input: InputValue;
      /** Of its worktree and its branch. */
      readonly name: string;
      readonly path: string;
      /** The commit it begins on. */
      readonly base: string;
    }
  | {
      /** Its steps are done, and it is its turn: `into` is the session's branch. */
      readonly type: "input-merging";
      readonly input: InputValue;
      readonly into: string;
    }
  | {
      readonly type: "input-merged";
      readonly input: InputValue;
      readonly into: string;
      /** Where that branch stands now. */
      readonly commit: string;
    }
  | {
      /** It was stopped, or suspended: its tree as it stands, for the resume. */
      readonly type: "input-left";
      readonly input: InputValue;
      readonly left: TreePoint;
    }
  | {
      /** It failed, or left something uncommitted: what it made stays where it is. */
      readonly type: "input-kept";
      readonly input: InputValue;
      readonly name: string;
      readonly path: string;
      /** Its own steps have removed the worktree: there is the branch alone. */
      readonly gone?: true;
      /** Lines to type, most useful first. */
      readonly next: readonly string[];
    };

/** One row of the table at the end. */
export interface InputResult {
  readonly input: InputValue;
  readonly status: SessionStatus | "not-run";
  /** `null`: it has not ended. */
  readonly stop: StopReason | null;
  /** Commits of its own that were made, merged or not. */
  readonly commits: number;
  /** `null`: at least one run of Claude had no known cost. */
  readonly costUsd: number | null;
  /** What is known of it, also when the whole is not. */
  readonly knownCostUsd: number;
  /** Of all processes of the session that were at work on it. `null`: it has not ended. */
  readonly durationMs: number | null;
  /** Why it failed, in a line. */
  readonly message: string | null;
  /** Its branch, when that is still there; `null`: it had none, or it was merged and removed. */
  readonly branch: string | null;
  /** Absolute: its worktree, when that is still there. */
  readonly path: string | null;
}
