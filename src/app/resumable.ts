/** Which session `mmm resume` means, and whether it can go on (spec 7). */
import { isStopped, type SessionRecord } from "../engine/session-record.ts";
import { MmmError } from "../errors.ts";
import { listSessions } from "../session/history.ts";
import type { Invocation } from "./cook-request.ts";
import { findSession, openSessions } from "./sessions/place.ts";

/**
 * Throws `MmmError` (exit 2) when there is none of that name, or none that can go on.
 *
 * @param typed a name or its beginning; `null`: the newest that can
 */
export async function findResumable(
  typed: string | null,
  invocation: Invocation,
): Promise<SessionRecord> {
  const place = await openSessions(invocation);
  if (typed === null) {
    // One that is at work is found too: its lock says who holds the tree.
    const newest = (await listSessions(place)).find(
      ({ resumable, status }) => resumable || status === "running",
    );
    if (newest !== undefined) return newest;
    throw new MmmError("no-session", 2, {
      message: "no session of this repository can be resumed",
      next: ["mmm sessions ls", "mmm cook PLAYBOOK"],
    });
  }
  const found = await findSession(place, typed);
  if (found.status !== "completed" && found.status !== "dropped") return found;
  const why = found.status === "dropped" ? "was given up (`mmm sessions drop`)" : "is complete";
  throw new MmmError("session-over", 2, {
    message: `${found.name} ${why}: there is nothing to resume`,
    next: ["mmm cook PLAYBOOK begins a new one", `mmm sessions show ${found.name}`],
  });
}

/** The same trouble, when the dirt is most likely what a stopped session left. */
export async function leftByStopped(error: unknown, invocation: Invocation): Promise<unknown> {
  if (!(error instanceof MmmError) || error.code !== "dirty-tree") return error;
  const records = await listSessions(await openSessions(invocation));
  const stopped = records.find(isStopped);
  if (stopped === undefined) return error;
  const { name } = stopped;
  return new MmmError("session-stopped", 3, {
    message: `the session ${name} was stopped here and left work behind: ${error.message}`,
    next: [
      `mmm resume ${name}   (goes on where it stopped)`,
      `mmm sessions drop ${name}   (gives it up; what it left is kept under refs/mmm/failed)`,
      ...error.next,
    ],
  });
}
