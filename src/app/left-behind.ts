/** What a killed mmm left running is ended before anything else (spec 7, 11). */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import path from "node:path";
import type { ProcessIdentity } from "../engine/ports.ts";
import { endOrphans } from "../process/tree.ts";
import type { StaleHolder } from "../session/lock.ts";

/** What the journal of a session says about its processes. */
export interface ReadSession {
  readonly name: string;
  readonly children: readonly ProcessIdentity[];
}

/** A word about what was done. */
export async function endLeftBehind(
  stale: StaleHolder,
  mainRoot: string,
  read: ReadSession | null,
): Promise<string> {
  const journal = path.join(mainRoot, ".mmm", "sessions", stale.session, "journal.jsonl");
  // The name comes from a file: it must not lead anywhere else.
  const known = /^[a-z0-9-]+$/.test(stale.session) && existsSync(journal);
  // After a reboot those pids and start times may be anybody's.
  const children = known && !stale.rebooted ? childrenOf(stale.session, journal, read) : [];
  const owners = stale.owner === null ? [] : [stale.owner];
  const ended = await endOrphans(children, { owners });
  const what = `${stale.session} was killed`;
  if (ended === 0) return `${what}; nothing of it is running any more`;
  return `${what}; ${ended} ${ended === 1 ? "process" : "processes"} it had left running ${ended === 1 ? "was" : "were"} ended`;
}

function childrenOf(
  session: string,
  journal: string,
  read: ReadSession | null,
): readonly ProcessIdentity[] {
  return read?.name === session ? read.children : journalledChildren(journal);
}

const CHUNK_BYTES = 1024 * 1024;

/** A journal may have hundreds of megabytes: of most lines not more is read than that they are others. */
function journalledChildren(journal: string): readonly ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  const fd = openSync(journal, "r");
  try {
    let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let filled = 0;
    for (;;) {
      // A line longer than all of it.
      if (filled === chunk.length) chunk = Buffer.concat([chunk], filled * 2);
      const length = readSync(fd, chunk, filled, chunk.length - filled, null);
      const bytes = chunk.subarray(0, filled + length);
      // The last line of a killed mmm may be half written, or just without its end.
      const whole = length === 0 ? bytes.length : bytes.lastIndexOf("\n") + 1;
      found.push(...childrenIn(bytes.subarray(0, whole)));
      if (length === 0) return found;
      chunk.copyWithin(0, whole, bytes.length);
      filled = bytes.length - whole;
    }
  } finally {
    closeSync(fd);
  }
}

function childrenIn(lines: Buffer): readonly ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (let hit = 0; (hit = lines.indexOf('"process-started"', hit)) !== -1;) {
    const start = hit === 0 ? 0 : lines.lastIndexOf("\n", hit) + 1;
    const newline = lines.indexOf("\n", hit);
    const end = newline === -1 ? lines.length : newline;
    const identity = identityIn(lines.toString("utf8", start, end));
    if (identity !== null) found.push(identity);
    hit = end;
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
