/** What is known of a session without its journal: `session.json`, judged against the locks (spec 7). */

/** As people and programs see it; the first six stand in `session.json` itself. */
export type RecordedStatus =
  | "running"
  | "completed"
  | "failed"
  | "interrupted"
  /** A limit was reached, or Claude's own. */
  | "suspended"
  /** Given up by its user. */
  | "dropped"
  /** It says `running`, and nobody holds its tree: mmm was killed. */
  | "killed"
  /** `session.json` is missing or cannot be read. */
  | "damaged"
  /** Written by a newer mmm. */
  | "newer";

export interface SessionRecord {
  readonly name: string;
  readonly status: RecordedStatus;
  /** It has not reached its end, and nobody is at work on it: `mmm resume` goes on with it. */
  readonly resumable: boolean;
  readonly stopReason: string | null;
  /** What broke the session off; `null`: nothing did. */
  readonly error: string | null;
  readonly exitCode: number | null;
  readonly playbook: string | null;
  readonly iterations: number | null;
  readonly steps: number | null;
  readonly commits: number | null;
  readonly filesChanged: number | null;
  /** US dollars; `null`: unknown, also while it runs. */
  readonly costUsd: number | null;
  /** What is known of the cost even when the whole is not; `null`: nothing is. */
  readonly knownCostUsd: number | null;
  readonly tokens: number | null;
  readonly durationMs: number | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Absolute path of its folder. */
  readonly directory: string;
}

/** Was it cut short in the middle of something? A step that failed was rolled back, and left nothing behind. */
export function isStopped({ status, stopReason }: SessionRecord): boolean {
  if (status === "interrupted" || status === "suspended" || status === "killed") return true;
  // A full disk or broken git, not a step.
  return status === "failed" && stopReason === "error";
}
