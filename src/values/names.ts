/** The names that mmm itself provides (spec 3.1), one table for the plan's checks and for the run. */

import { PROJECT_FIELDS } from "./gate-words.ts";

/** Of the input; only with `--map` or `--args`. */
export const INPUT_NAMES = ["ARG", "FILE", "INDEX", "TOTAL"] as const;

/** Always there. */
export const SESSION_NAMES = [
  "ITERATION",
  "MAX_ITERATIONS",
  "PROJECT_ROOT",
  "WORKTREE",
  "SESSION_ID",
  "PLAYBOOK",
] as const;

/** Stdout of the latest step with `capture_output: true`. */
export const CAPTURED = "CAPTURED_OUTPUT";

const CAPITAL_NAMES: ReadonlySet<string> = new Set([...INPUT_NAMES, ...SESSION_NAMES, CAPTURED]);

/** Is this one of the capital-letter variables, which also work as `$NAME` and reach every child? */
export function isCapitalName(name: string): boolean {
  return CAPITAL_NAMES.has(name);
}

/** `${merge.x}`, in the steps of `merge` (spec 8.3). */
const MERGE_FIELDS = ["worktree", "source_branch", "target_branch", "session_id"] as const;

export type MergeField = (typeof MERGE_FIELDS)[number];

/** `${group.field}` for groups that are not steps. `env` takes any field. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  shell: ["output", "exit_code", "attempt"],
  test: ["output", "exit_code", "attempt"],
  claude: ["output"],
  last: ["output"],
  error: ["message", "exit_code", "step", "output"],
  project: PROJECT_FIELDS,
  merge: MERGE_FIELDS,
};

/** Of the innermost loop around a step (spec 2.8); `item` may have fields. */
const LOOP_NAMES = ["item", "index", "total"] as const;

export function isLoopName(name: string): boolean {
  return LOOP_NAMES.some((each) => each === name);
}

/** Words that cannot be a step's id, because `${word.x}` already means something. */
export const RESERVED_IDS: ReadonlySet<string> = new Set([
  ...Object.keys(GROUPS),
  "env",
  "params",
  "secrets",
  "item",
  ...CAPITAL_NAMES,
]);

/** What every step with an id has once it has run. */
export const STEP_FIELDS = [
  "output",
  "stdout",
  "stderr",
  "exit_code",
  "success",
  "duration_ms",
  "cost_usd",
  "attempts",
  "commits",
  "commit",
  "files_changed",
  "files_added",
] as const;

/** The same of a loop, which prints nothing and has no exit code. */
export const LOOP_FIELDS = [
  "success",
  "attempts",
  "commits",
  "commit",
  "files_changed",
  "files_added",
] as const;
