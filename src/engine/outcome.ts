/** How a child process ended; an exit code other than 0 is not an exception. */
export type ProcessEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: string }
  | { readonly kind: "timed-out"; readonly afterMs: number }
  /** mmm was told to stop (Ctrl-C, SIGTERM) and ended the whole tree. */
  | { readonly kind: "cancelled" }
  /** No such program, no such directory, argument too long. */
  | { readonly kind: "not-started"; readonly reason: string };

/** Why an attempt of a step failed; `message` is `${error.message}`. */
export interface Failure {
  /**
   * `process`: exit code, signal or time; `claude`: the success rule of spec 6.2; `value`: a text
   * could not be made from its values; `output`: a declared output cannot be had; `commit`: mmm's own
   * commit was refused; `no-commit`: a required commit is missing; `head`: HEAD moved backwards or
   * to another branch; `validation`: a gate was not passed (spec 2.6); `on-success`: its `on_success`
   * failed; `item`: items of a loop failed; `limit`: a limit cut the run short, it is made again
   * (spec 6.5); `cancelled`: mmm was told to stop.
   */
  readonly reason:
    | "process"
    | "claude"
    | "value"
    | "output"
    | "commit"
    | "no-commit"
    | "head"
    | "validation"
    | "on-success"
    | "item"
    | "limit"
    | "cancelled";
  readonly message: string;
  /** Exit code of the child, when it had one. */
  readonly exitCode: number | null;
  /** What to do about it, a line each. */
  readonly next: readonly string[];
  /** Of Claude: what went wrong, as docs/claude.md lists it. */
  readonly code?: string;
  /** Of Claude: worth another run soon (spec 2.4). */
  readonly transient?: boolean;
}

/** What happened (outcome) is kept apart from what it means for the run (conclusion). */
export type StepConclusion =
  | "succeeded"
  | "failed"
  /** `continue_on_error` or `fail_workflow: false`: recorded, shown again in the summary. */
  | "tolerated"
  /** Its condition is false (spec 2.5), or it had nothing to do (spec 3.3). */
  | "skipped";

/** Why a session ended (spec 4, "Stops"). */
export type StopReason =
  | "iterations-done"
  | "no-changes"
  | "nothing-to-do"
  | "step-failed"
  | "input-failed"
  /** Of an input (spec 8.4): its branch and the session's changed the same lines. */
  | "merge-conflict"
  /** Of an input: a gate failed on what the merge made. */
  | "merge-gate"
  /** Of an input: something is in the way in the session's tree, or in its own. */
  | "merge-refused"
  /** One of the session's own (spec 6.5). */
  | "limit"
  /** The service's. */
  | "usage-limit"
  /** It is met. */
  | "until"
  /** The last iteration is over, and `until` is not met. */
  | "criterion-unmet"
  | "interrupted";

/** `suspended`: everything is kept, and `mmm resume` goes on. */
export type SessionStatus = "completed" | "failed" | "suspended" | "interrupted";

/** `tolerated`: it failed, what it did was undone, and the loop goes on (`continue_on_error`). */
export type ItemConclusion = "succeeded" | "nothing-to-do" | "failed" | "tolerated";
