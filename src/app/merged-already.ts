/** Inputs that somebody has merged with plain git, and perhaps cleaned away, since their session stopped (spec 7, 8.4). */
import type { MadeMerge } from "../engine/input-trees.ts";
import type { PastRecord } from "../engine/lane.ts";
import type { CommitOutcome, TreeLook } from "../engine/ports.ts";
import { containsChange } from "../git/contains.ts";
import type { RepositoryStart } from "../git/repository.ts";
import { isAncestor, tipOf } from "../git/worktree.ts";
import type { Story } from "../session/story.ts";
import { treeAt } from "./worktree/work.ts";

export interface Branches {
  /** Of the session. */
  readonly session: string;
  /** Where the session is to be merged; `null`: it has none. */
  readonly target: string | null;
}

/** Lanes of which nothing is left to merge: their steps are done, and all of their commits are elsewhere. */
export async function mergedAlready(
  start: RepositoryStart,
  story: Story,
  { session, target }: Branches,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const [lane, { place }] of story.trees) {
    const records = story.lanes.get(lane) ?? [];
    const merging = records.findIndex(isMerging);
    if (merging === -1 || isHome(records)) continue;
    const tree = await treeAt(start, place.path);
    const branch = await tipOf(start, place.name);
    const tip = branch ?? tipIn(records.slice(0, merging));
    if (tip === null || tip === place.base) continue;
    const all = tree === null ? [tip] : [tip, tree.head];
    const isIn = async (branch: string): Promise<boolean> => hasAll(start, branch, all);
    // With a tree the merge itself finds that the session's branch has it.
    const isInSession = tree === null && (await isIn(session));
    if (isInSession || (target !== null && (await isIn(target)))) found.add(lane);
    else if (tree === null && branch === null) {
      // Squashed or picked, and then cleaned away: what it changed is there under other names.
      for (const into of [session, ...(target === null ? [] : [target])])
        if (await containsChange(start, into, { base: place.base, tip })) found.add(lane);
    }
  }
  return found;
}

/** The session's branch has all of it, and mmm knows: nothing of its tree is needed any more. */
export function isHome(records: readonly PastRecord[]): boolean {
  const last = records.findLast(
    (each) => each.type === "answer" && (each.call === "merge" || each.call === "land"),
  );
  if (last?.type !== "answer") return false;
  if (last.call === "land") return typeof last.value === "string";
  return (last.value as MadeMerge).kind === "nothing"; // The answer of that name.
}

function isMerging(record: PastRecord): boolean {
  return record.type === "event" && record.event.type === "input-merging";
}

async function hasAll(
  start: RepositoryStart,
  branch: string,
  commits: readonly string[],
): Promise<boolean> {
  if ((await tipOf(start, branch)) === null) return false;
  const of = `refs/heads/${branch}`;
  for (const ancestor of commits) {
    // A commit that is nowhere is none that somebody has merged.
    if (!(await isAncestor(start, { ancestor, of }).catch(() => false))) return false;
  }
  return true;
}

/** Where its branch stood, as the journal has it. */
function tipIn(records: readonly PastRecord[]): string | null {
  for (const record of records.toReversed()) {
    if (record.type === "event") {
      if (record.event.type === "rolled-back") return record.event.head;
    } else if (record.call === "look") return (record.value as TreeLook).head;
    else if (record.call === "commit") {
      const made = record.value as CommitOutcome;
      if (made.kind === "committed") return made.sha;
    }
  }
  return null;
}
