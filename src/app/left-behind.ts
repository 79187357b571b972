/** What a killed mmm left running is ended before anything else (spec 7, 11). */
import { createReadStream, existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { ProcessIdentity } from "../engine/ports.ts";
import { endOrphans } from "../process/tree.ts";
import type { StaleHolder } from "../session/lock.ts";

/** A word about what was done. */
export async function endLeftBehind(stale: StaleHolder, mainRoot: string): Promise<string> {
  const journal = path.join(mainRoot, ".mmm", "sessions", stale.session, "journal.jsonl");
  // The name comes from a file: it must not lead anywhere else.
  const known = /^[a-z0-9-]+$/.test(stale.session) && existsSync(journal);
  // After a reboot those pids and start times may be anybody's.
  const children = known && !stale.rebooted ? await journalledChildren(journal) : [];
  const owners = stale.owner === null ? [] : [stale.owner];
  const ended = await endOrphans(children, { owners });
  const what = `${stale.session} was killed`;
  if (ended === 0) return `${what}; nothing of it is running any more`;
  return `${what}; ${ended} ${ended === 1 ? "process" : "processes"} it had left running ${ended === 1 ? "was" : "were"} ended`;
}

async function journalledChildren(journal: string): Promise<readonly ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for await (const line of createInterface({ input: createReadStream(journal) })) {
    if (!line.includes('"process-started"')) continue;
    const identity = identityIn(line);
    if (identity !== null) found.push(identity);
  }
  return found;
}

function identityIn(line: string): ProcessIdentity | null {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== "object" || event === null || !("process" in event)) return null;
    const { process: child } = event;
    if (typeof child !== "object" || child === null) return null;
    if (!("pid" in child) || !("startTime" in child)) return null;
    const { pid, startTime } = child;
    return typeof pid === "number" && typeof startTime === "string" ? { pid, startTime } : null;
  } catch {
    // The last line of a killed mmm may be half written.
    return null;
  }
}
