/** What `mmm sessions rm` must not make nameless: the worktree of a session, and its branch (spec 8). */
import { existsSync } from "node:fs";
import path from "node:path";
import { isWorktreeOf, tipOf } from "../../git/worktree.ts";
import { readWorktreeRecord } from "../../session/worktree-file.ts";
import type { OpenedSessions } from "./place.ts";

export interface WorktreeLeft {
  /** Absolute; `null`: its folder is gone. */
  readonly path: string | null;
  /** `null`: there is no such branch any more. */
  readonly branch: string | null;
}

/** `null`: the session has none, or nothing of it is left. */
export async function worktreeLeft(
  { start, folder }: OpenedSessions,
  name: string,
): Promise<WorktreeLeft | null> {
  const record = readWorktreeRecord(path.join(folder, name));
  if (record === null) return null;
  const isThere = existsSync(record.path) && (await isWorktreeOf(start, record.path));
  const branch = (await tipOf(start, name)) === null ? null : name;
  return isThere || branch !== null ? { path: isThere ? record.path : null, branch } : null;
}

/** Its folder, else its branch, in words. */
export function worktreeWords(left: WorktreeLeft): string {
  return left.path === null ? `its branch ${left.branch ?? ""}` : `its worktree ${left.path}`;
}
