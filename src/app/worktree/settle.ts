/** A merge and what becomes of the worktree after it, told as events (spec 8.3). */
import type { Event } from "../../engine/events.ts";
import { MmmError } from "../../errors.ts";
import { shellWord } from "../../lib/shell-word.ts";
import { type Merging, mergeLine, mergeWorktree } from "./merge.ts";
import { removeWholly } from "./remove.ts";
import { uncommitted } from "./work.ts";

export type Tell = (event: Event) => void;

/**
 * 0, also when a session at work in the target's tree is in the way; else the code of what went wrong.
 *
 * `stays`: some of its inputs failed or were stopped, so that the session can go on in its worktree.
 */
export async function settleMerge(
  settling: Omit<Merging, "tell"> & { readonly tell: Tell; readonly stays: boolean },
): Promise<number> {
  const { here, record, directory, tell } = settling;
  const { name, path } = record;
  const kept = (why: string | null, next: readonly string[]): void =>
    tell({ type: "worktree-kept", session: name, path, why, next });
  try {
    const outcome = await mergeWorktree({ ...settling, tell: asNote(tell) });
    if (outcome.kind === "busy") {
      kept(`${outcome.session} is at work in the tree of ${outcome.target}`, [mergeLine(name)]);
      return 0;
    }
    if (outcome.kind === "merged") {
      const { target, commit, by } = outcome;
      tell({ type: "worktree-merged", session: name, target, commit, by });
    }
    if (settling.stays) {
      kept("not all of its inputs are done", [
        `mmm resume ${name}   (goes on with them)`,
        cleanLine(name),
      ]);
      return 0;
    }
    const dirt = await uncommitted(here, { name, path, directory });
    if (dirt.length > 0) {
      const look = `cd ${shellWord(path)}`;
      kept("there are uncommitted changes in it", [look, `${cleanLine(name)} --force`]);
      return 0;
    }
    await removeWholly(here, record, asNote(tell), settling.signal);
    const why = outcome.kind === "merged" ? "merged" : "unchanged";
    tell({ type: "worktree-removed", session: name, why });
    return 0;
  } catch (error) {
    if (!(error instanceof MmmError)) throw error;
    kept(error.message, error.next);
    return error.exitCode;
  }
}

function cleanLine(name: string): string {
  return `mmm worktree clean ${name}`;
}

export function asNote(tell: Tell): (message: string) => void {
  return (message) => tell({ type: "note", severity: "warning", message });
}
