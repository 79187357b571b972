/** The worktrees that mmm made for this repository, as far as anything of them is left (spec 8.2). */
import { existsSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import type { SessionRecord } from "../../engine/session-record.ts";
import { isWorktreeOf, listWorktrees, tipOf } from "../../git/worktree.ts";
import { nearest } from "../../lib/nearest.ts";
import { listSessions } from "../../session/history.ts";
import {
  type InputRecord,
  inputRecords,
  readWorktreeRecord,
  type WorktreeRecord,
} from "../../session/worktree-file.ts";
import type { Invocation } from "../cook-request.ts";
import { type OpenedSessions, openSessions } from "../sessions/place.ts";
import { mainRootOf } from "../world.ts";
import { knownFolder, SESSION_NAME } from "./place.ts";

export interface KnownWorktree {
  /** Of the session, the branch and the folder. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Its folder is there, and is a worktree of this repository. */
  readonly isThere: boolean;
  /** The commit of its branch; `null`: there is no such branch. */
  readonly tip: string | null;
  /** `null`: nobody knows where it is to go. */
  readonly record: WorktreeRecord | InputRecord | null;
  /** `null`: the session's folder was removed. */
  readonly session: SessionRecord | null;
  /** Absolute path of the session's folder, there or not. */
  readonly directory: string;
}

export interface OpenedWorktrees extends OpenedSessions {
  readonly mainRoot: string;
  readonly known: readonly KnownWorktree[];
}

/** Newest first. Throws `MmmError` (exit 3) outside of a repository. */
export async function openWorktrees(invocation: Invocation): Promise<OpenedWorktrees> {
  const opened = await openSessions(invocation);
  const { start, folder } = opened;
  const sessions = await listSessions(opened);
  const mainRoot = mainRootOf(start);
  const known: KnownWorktree[] = [];
  for (const session of sessions) {
    const own = readWorktreeRecord(session.directory);
    if (own === null) continue;
    // Inputs are merged into the branch of their session; when that is merged, where it went.
    const isOpen = (await tipOf(start, own.name)) !== null;
    const inputs = inputRecords(session.directory).map((record) => ({
      ...record,
      target: isOpen ? own.name : own.target,
    }));
    for (const record of [own, ...inputs]) {
      const found = await traces(opened, record);
      if (!found.isThere && found.tip === null) continue;
      known.push({ ...found, record, session, directory: session.directory });
    }
  }
  const names = new Set(known.map(({ name }) => name));
  for (const { name, path: place } of await strays(opened, mainRoot, invocation)) {
    if (names.has(name)) continue;
    const found = await traces(opened, { name, path: place });
    const owner = name.replace(/-i\d+$/, "");
    const session = sessions.find((each) => each.name === owner) ?? null;
    known.push({ ...found, record: null, session, directory: path.join(folder, owner) });
  }
  return { ...opened, mainRoot, known };
}

async function traces(
  { start }: OpenedSessions,
  { name, path: place }: { readonly name: string; readonly path: string },
): Promise<Pick<KnownWorktree, "name" | "path" | "isThere" | "tip">> {
  const isThere = existsSync(place) && (await isWorktreeOf(start, place));
  return { name, path: place, isThere, tip: await tipOf(start, name) };
}

/** Worktrees of sessions whose folder is gone; what others have made there is not ours to name. */
async function strays(
  { start }: OpenedSessions,
  mainRoot: string,
  invocation: Invocation,
): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const folder = knownFolder(start, mainRoot, invocation);
  if (folder === null) return [];
  return (await listWorktrees(start)).flatMap(({ path: place, branch }) => {
    const name = path.basename(place);
    const isOurs = path.dirname(place) === folder && branch === name && SESSION_NAME.test(name);
    return isOurs ? [{ name, path: place }] : [];
  });
}

/**
 * The one that is meant; `null`: there was one of that name, and nothing of it is left. Throws `MmmError`
 * (exit 2) with the nearest name.
 */
export function findWorktree(
  { known, folder }: OpenedWorktrees,
  typed: string,
): KnownWorktree | null {
  const exact = known.find(({ name }) => name === typed);
  if (exact !== undefined) return exact;
  if (SESSION_NAME.test(typed)) {
    const [, owner = typed, input] = /^(.*)-i(\d+)$/.exec(typed) ?? [];
    const directory = path.join(folder, owner);
    if (readWorktreeRecord(directory) !== null && (input === undefined || owner !== typed))
      return null;
  }
  const near = nearest(
    typed,
    known.map(({ name }) => name),
  );
  const hint = near === null ? "" : ` (did you mean ${near}?)`;
  throw new MmmError("unknown-worktree", 2, {
    message: `there is no worktree ${typed.slice(0, 200)}${hint}`,
    next: ["mmm worktree ls"],
  });
}
