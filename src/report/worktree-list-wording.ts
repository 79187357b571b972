/** `mmm worktree ls` for people. */
import { formatCount, formatDuration } from "./format.ts";
import { say, type Line, type Tone } from "./line.ts";
import { inline } from "./safe-text.ts";

export interface WorktreeRow {
  readonly name: string;
  /** `null`: the branch is gone. */
  readonly branch: string | null;
  /** `null`: the folder is gone. */
  readonly path: string | null;
  readonly target: string | null;
  /** Of the session; `unknown` when its folder was removed; `aside`: what lay where a worktree was to be. */
  readonly status: string;
  readonly merged: boolean;
  /** `null`: not known yet. */
  readonly iterations: number | null;
  readonly commitsAhead: number | null;
  readonly createdAt: string | null;
  readonly ageMs: number | null;
  readonly playbook: string | null;
}

/** A block each: names and paths are long, and one types them. */
export function worktreeRows(rows: readonly WorktreeRow[]): readonly Line[] {
  return rows.flatMap((row) => {
    const facts = [
      statusWords(row),
      row.iterations === null ? null : formatCount(row.iterations, "iteration"),
      aheadWords(row),
      row.ageMs === null ? null : `${formatDuration(row.ageMs)} old`,
      row.playbook === null ? null : inline(row.playbook, 200),
    ].filter((words) => words !== null);
    const where = row.path === null ? "its folder is gone" : inline(row.path, 4000);
    return [
      say(inline(row.name, 200), toneOf(row)),
      say(`  ${facts.join(", ")}`),
      say(`  ${where}`, "dim"),
    ];
  });
}

function statusWords({ status, merged, branch }: WorktreeRow): string {
  if (status === "aside") return "put aside: it lay where a worktree was to be";
  const words = [
    status,
    ...(merged ? ["merged"] : []),
    ...(branch === null ? ["branch is gone"] : []),
  ];
  return words.join(", ");
}

function aheadWords({ commitsAhead, target, merged }: WorktreeRow): string | null {
  if (commitsAhead === null || merged) return null;
  const of = target === null ? "" : ` of ${inline(target, 200)}`;
  return `${formatCount(commitsAhead, "commit")} ahead${of}`;
}

function toneOf({ status, merged }: WorktreeRow): Tone {
  if (merged || status === "completed") return "good";
  return status === "running" ? "strong" : "warn";
}
