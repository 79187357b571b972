/** One session a working tree (spec 7): a lock file with pid, start time and host. */
import { hostname } from "node:os";
import { MmmError } from "../errors.ts";
import { type Holder, holderIn, isAlive, isOfEarlierBoot, ownHolder } from "./holder.ts";
import { makeLock, readLock, removeLock } from "./lock-file.ts";
import { underLock } from "./state-lock.ts";

interface SessionHolder extends Holder {
  readonly session: string;
  readonly since: string;
  /** Mark of its children (`MMM_UNIT`); `null` in a lock that does not say. */
  readonly owner: string | null;
}

/** Whoever held the tree and is gone. */
export interface StaleHolder extends Pick<SessionHolder, "session" | "owner"> {
  /** The machine was started again since: no process of it is left, its pids are others'. */
  readonly rebooted: boolean;
}

export interface Lock {
  /** A word about a stale lock that was taken over; `null` mostly. */
  readonly note: string | null;
  /** The session that held it and is gone; `null`: none, or its name cannot be read. */
  readonly gone: string | null;
  /** Never takes away somebody else's; does nothing the second time. */
  release(): void;
}

/**
 * Who was killed while it held the tree; `null`: nobody. Throws `MmmError` (exit 3) when another live
 * session holds it; makes nothing.
 */
export async function checkLock(file: string): Promise<StaleHolder | null> {
  const holder = parse(readLock(file));
  if (holder === null) return null;
  if (isAlive(holder)) throw held(file, holder);
  return Promise.resolve({ ...holder, rebooted: isOfEarlierBoot(holder) });
}

/** As {@link checkLock}, and takes it. */
export async function takeLock(
  file: string,
  { session, owner, now }: { readonly session: string; readonly owner: string; readonly now: Date },
): Promise<Lock> {
  const holder: SessionHolder = { ...ownHolder(), session, since: now.toISOString(), owner };
  const content = `${JSON.stringify(holder)}\n`;
  const lock = (note: string | null, gone: string | null): Lock => ({
    note,
    gone,
    release: () => {
      if (readLock(file) === content) removeLock(file, content);
    },
  });
  if (makeLock(file, content)) return Promise.resolve(lock(null, null));
  // One at a time: what is judged stale here is still that when it is taken away.
  return underLock(file.replace(/\.lock$/, ".taking.lock"), () => {
    const stale = readLock(file);
    const other = parse(stale);
    if (other !== null && isAlive(other)) throw held(file, other);
    const isMine = removeLock(file, stale) && makeLock(file, content);
    if (!isMine) throw justStarted();
    const whose = other === null ? "unreadable" : `of ${other.session}, which is gone`;
    return lock(`took over a stale lock ${whose}`, other?.session ?? null);
  });
}

function held(file: string, { session, since, pid, host }: SessionHolder): MmmError {
  const elsewhere = `if nothing runs on ${host} any more, remove the lock: rm ${file}`;
  return new MmmError("locked", 3, {
    message: `another session is at work here: ${session}, since ${since} (pid ${pid} on ${host})`,
    next: [
      "wait for it, or run in another clone or worktree of the repository",
      ...(host === hostname() ? [] : [elsewhere]),
    ],
  });
}

function justStarted(): MmmError {
  return new MmmError("locked", 3, {
    message: "another session has just started here",
    next: ["wait for it, or run in another clone or worktree of the repository"],
  });
}

/** `null`: no lock that mmm has written, so nobody holds it. */
function parse(text: string): SessionHolder | null {
  try {
    const value: unknown = JSON.parse(text);
    const holder = holderIn(value);
    if (holder === null) return null;
    const { session, since, owner } = value as Partial<SessionHolder>;
    return {
      ...holder,
      session: String(session),
      since: String(since),
      owner: typeof owner === "string" ? owner : null,
    };
  } catch {
    return null;
  }
}
