/** Has a merge come about? Git alone is asked (spec 8.3). */
import { existsSync } from "node:fs";
import path from "node:path";
import type { MergeTrouble } from "../../engine/merge.ts";
import { filesWithMarkers, mergeTrees } from "../../git/merge.ts";
import { findRepository, type RepositoryStart } from "../../git/repository.ts";
import { readStatus } from "../../git/status.ts";
import { isAncestor } from "../../git/worktree.ts";
import type { Asked, Made } from "./merge.ts";

export interface Judged {
  readonly asked: Asked;
  /** Both sides changed the same lines of these. */
  readonly files: readonly string[];
  /** Who made it, for people. */
  readonly who: string;
}

/** Nobody asked git to merge: with one that is too old for it, nothing is known of conflicts. */
export async function conflictsOf(
  here: RepositoryStart,
  asked: Pick<Asked, "ours" | "theirs">,
): Promise<readonly string[]> {
  const merged = await mergeTrees(here, asked).catch(() => null);
  return merged?.kind === "conflict" ? merged.files : [];
}

/** Nothing that anybody says counts, only what git has. */
export async function judge(
  { root, gitDir, env }: RepositoryStart,
  { asked: { ours, theirs }, files, who }: Judged,
): Promise<Made | MergeTrouble> {
  const now = await findRepository(root, env);
  const status = await readStatus({ root, env: now.env });
  const tracked = [...status.entries.values()].filter(({ kind }) => kind !== "added");
  if (
    existsSync(path.join(gitDir, "MERGE_HEAD")) ||
    tracked.some(({ kind }) => kind === "unmerged")
  )
    return { why: `${who} did not finish the merge`, lines: [] };
  for (const ancestor of [ours, theirs])
    if (!(await isAncestor(now, { ancestor, of: now.head })))
      return { why: `${who} made no commit that has both sides`, lines: [] };
  const marked = await filesWithMarkers(now, { commit: now.head, files });
  if (marked.length > 0)
    return { why: `${who} left conflict markers in ${marked.join(", ")}`, lines: [] };
  return { commit: now.head };
}
