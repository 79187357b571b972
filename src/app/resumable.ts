/** Which session `mmm resume` means, and whether it can go on (spec 7). */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../errors.ts";
import type { RepositoryStart } from "../git/repository.ts";
import { nearest } from "../lib/nearest.ts";
import type { Story } from "../session/past.ts";
import { mainRootOf } from "./world.ts";

/** Throws `MmmError` (exit 2) when there is none of that name, or none at all. */
export async function findSession(typed: string | null, here: RepositoryStart): Promise<string> {
  const sessions = path.join(mainRootOf(here), ".mmm", "sessions");
  const names = existsSync(sessions) ? readdirSync(sessions) : [];
  if (typed === null) {
    const newest = newestResumable(sessions, names);
    if (newest !== null) return Promise.resolve(newest);
    throw new MmmError("no-session", 2, {
      message: "no session of this repository can be resumed",
      next: ["mmm sessions ls", "mmm cook PLAYBOOK"],
    });
  }
  if (names.includes(typed)) return Promise.resolve(typed);
  const near = nearest(typed, names);
  throw new MmmError("no-session", 2, {
    message: `there is no session ${typed}`,
    next: [near === null ? "mmm sessions ls" : `did you mean ${near}?`],
  });
}

/** Its tree stays as it was left. */
const STOPPED = new Set(["running", "interrupted", "suspended"]);
const RESUMABLE = new Set([...STOPPED, "failed"]);

/** A session that stopped before its end, of all trees of the repository. */
function newestResumable(
  sessions: string,
  names: readonly string[],
  statuses: ReadonlySet<string> = RESUMABLE,
): string | null {
  const found = names
    .map((name) => ({ name, status: statusOf(path.join(sessions, name)) }))
    .filter(({ status }) => status !== null && statuses.has(status.status))
    .sort((one, other) => (other.status?.at ?? 0) - (one.status?.at ?? 0));
  return found[0]?.name ?? null;
}

/** The same trouble, when the dirt is most likely what a stopped session left; else `null`. */
export function leftByStopped(start: RepositoryStart, error: unknown): MmmError | null {
  if (!(error instanceof MmmError) || error.code !== "dirty-tree") return null;
  const sessions = path.join(mainRootOf(start), ".mmm", "sessions");
  const names = existsSync(sessions) ? readdirSync(sessions) : [];
  const name = newestResumable(sessions, names, STOPPED);
  if (name === null) return null;
  return new MmmError("session-stopped", 3, {
    message: `the session ${name} was stopped here and left work behind: ${error.message}`,
    next: [
      `mmm resume ${name}   (goes on where it stopped)`,
      `mmm sessions drop ${name}   (gives it up; what it left is kept under refs/mmm/failed)`,
      ...error.next,
    ],
  });
}

function statusOf(directory: string): { readonly status: string; readonly at: number } | null {
  const file = path.join(directory, "session.json");
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof content !== "object" || content === null || !("status" in content)) return null;
    return { status: String(content.status), at: statSync(file).mtimeMs };
  } catch {
    // Damaged, or just being made: it can still be named.
    return null;
  }
}

/** Throws `MmmError` (exit 2) when nothing is left to do. */
export function refuseOver(name: string, directory: string, story: Story): void {
  const status = story.finished?.status ?? statusOf(directory)?.status;
  const dropped = statusOf(directory)?.status === "dropped";
  if (status !== "completed" && !dropped) return;
  const why = dropped ? "was given up (`mmm sessions drop`)" : "is complete";
  throw new MmmError("session-over", 2, {
    message: `${name} ${why}: there is nothing to resume`,
    next: ["mmm cook PLAYBOOK begins a new one", `mmm sessions show ${name}`],
  });
}
