/** What every `mmm sessions` command begins with: the repository, its sessions, the one that is meant. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { SessionRecord } from "../../engine/session-record.ts";
import { MmmError } from "../../errors.ts";
import { findRepository, type RepositoryStart } from "../../git/repository.ts";
import { nearest } from "../../lib/nearest.ts";
import { listSessions, type SessionsPlace } from "../../session/history.ts";
import type { Invocation } from "../cook-request.ts";
import { lockFile, mainRootOf } from "../world.ts";

export interface OpenedSessions extends SessionsPlace {
  readonly start: RepositoryStart;
  /** Absolute path of the main repository's `.mmm`. */
  readonly mmm: string;
}

/** Throws `MmmError` (exit 3) outside of a repository. */
export async function openSessions({ cwd, env }: Invocation): Promise<OpenedSessions> {
  const start = await findRepository(cwd, env);
  const mainRoot = mainRootOf(start);
  const mmm = path.join(mainRoot, ".mmm");
  const roots = new Set([start.root, mainRoot, ...linkedRoots(start.commonDir)]);
  const locks = [...roots].map((root) => lockFile({ ...start, root }));
  return { start, mmm, folder: path.join(mmm, "sessions"), locks };
}

/**
 * The session that a user means: its name, or a beginning that only one has; `null`: the newest.
 * Throws `MmmError` (exit 2) with the nearest name.
 */
export async function findSession(
  place: SessionsPlace,
  typed: string | null,
): Promise<SessionRecord> {
  const records = await listSessions(place);
  const [newest] = records;
  if (newest === undefined) {
    throw new MmmError("no-session", 2, {
      message: "there is no session in this repository yet",
      next: ["mmm cook PLAYBOOK makes one"],
    });
  }
  if (typed === null) return newest;
  const exact = records.find(({ name }) => name === typed);
  if (exact !== undefined) return exact;
  const begun = typed === "" ? [] : records.filter(({ name }) => name.startsWith(typed));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  throw begun.length > 1 ? ambiguous(typed, begun) : unknown(typed, records);
}

/** Why there is none of this name, in words. */
export function unknownWords(typed: string, records: readonly SessionRecord[]): string {
  const near = nearest(
    typed,
    records.map(({ name }) => name),
  );
  const hint = near === null ? "" : ` (did you mean ${near}?)`;
  return `there is no session ${typed.slice(0, 200)}${hint}`;
}

function unknown(typed: string, records: readonly SessionRecord[]): MmmError {
  return new MmmError("unknown-session", 2, {
    message: unknownWords(typed, records),
    next: ["mmm sessions lists them"],
  });
}

function ambiguous(typed: string, begun: readonly SessionRecord[]): MmmError {
  const names = begun.slice(0, 5).map(({ name }) => name);
  const more = begun.length > names.length ? `, and ${begun.length - names.length} more` : "";
  return new MmmError("ambiguous-session", 2, {
    message: `${begun.length} sessions begin with ${typed}: ${names.join(", ")}${more}`,
    next: ["type more of the name"],
  });
}

/** Working trees that `git worktree` has made; git itself writes `<common>/worktrees/<id>/gitdir`. */
function linkedRoots(commonDir: string): readonly string[] {
  const folder = path.join(commonDir, "worktrees");
  let ids: readonly string[];
  try {
    ids = readdirSync(folder);
  } catch {
    return [];
  }
  return ids.flatMap((id) => {
    try {
      const gitFile = readFileSync(path.join(folder, id, "gitdir"), "utf8").trimEnd();
      // git 2.48 may write it relative to the folder.
      return [path.dirname(path.resolve(folder, id, gitFile))];
    } catch {
      return [];
    }
  });
}
