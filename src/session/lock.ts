/** One session a working tree (spec 7): a lock file with pid, start time and host. */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import process from "node:process";
import { MmmError } from "../errors.ts";
import { diskError, writing } from "./disk.ts";

interface Holder {
  readonly pid: number;
  /** Of the process, see {@link startTimeOf}; a reused pid has another one. */
  readonly start: string;
  readonly host: string;
  readonly session: string;
  readonly since: string;
  /** Mark of its children (`MMM_UNIT`); `null` in a lock that does not say. */
  readonly owner: string | null;
}

/** Whoever held the tree and is gone. */
export type StaleHolder = Pick<Holder, "session" | "owner">;

export interface Lock {
  /** A word about a stale lock that was taken over; `null` mostly. */
  readonly note: string | null;
  /** The session that held it and is gone; `null`: none, or its name cannot be read. */
  readonly gone: string | null;
  release(): void;
}

/**
 * Who was killed while it held the tree; `null`: nobody. Throws `MmmError` (exit 3) when another live
 * session holds it; makes nothing.
 */
export async function checkLock(file: string): Promise<StaleHolder | null> {
  const holder = read(file);
  if (holder !== null && (await isAlive(holder))) throw held(holder);
  return holder;
}

/** The session that is at work under this lock; `null`: none. Makes and refuses nothing. */
export async function liveSession(file: string): Promise<string | null> {
  const holder = read(file);
  return holder !== null && (await isAlive(holder)) ? holder.session : null;
}

/** As {@link checkLock}, and takes it. */
export async function takeLock(
  file: string,
  { session, owner, now }: { readonly session: string; readonly owner: string; readonly now: Date },
): Promise<Lock> {
  const holder: Holder = {
    pid: process.pid,
    start: (await startTimeOf(process.pid)) ?? "",
    host: hostname(),
    session,
    since: now.toISOString(),
    owner,
  };
  const lock = (note: string | null, gone: string | null): Lock => ({
    note,
    gone,
    release: () => rmSync(file, { force: true }),
  });
  if (create(file, holder)) return lock(null, null);
  const stale = readText(file);
  const other = parse(stale);
  if (other !== null && (await isAlive(other))) throw held(other);
  setAside(file, stale);
  if (!create(file, holder)) throw justStarted();
  const whose = other === null ? "unreadable" : `of ${other.session}, which is gone`;
  return lock(`took over a stale lock ${whose}`, other?.session ?? null);
}

function held({ session, since, pid, host }: Holder): MmmError {
  return new MmmError("locked", 3, {
    message: `another session is at work here: ${session}, since ${since} (pid ${pid} on ${host})`,
    next: ["wait for it, or run in another clone or worktree of the repository"],
  });
}

function justStarted(): MmmError {
  return new MmmError("locked", 3, {
    message: "another session has just started here",
    next: ["wait for it, or run in another clone or worktree of the repository"],
  });
}

/** Written beside and then linked, so that nobody ever reads half a lock and takes it for a stale one. */
function create(file: string, holder: Holder): boolean {
  const draft = `${file.replace(/\.lock$/, "")}.${process.pid}.lock`;
  writing(`make the lock ${file}`, () => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(draft, `${JSON.stringify(holder)}\n`);
  });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw diskError(`make the lock ${file}`, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Removes the stale lock that was read, and no other that has taken its place meanwhile. */
function setAside(file: string, stale: string): void {
  const aside = `${file.replace(/\.lock$/, "")}.${process.pid}.stale.lock`;
  try {
    renameSync(file, aside);
  } catch {
    return; // Somebody else took it away; `create` says who was first.
  }
  const isStale = readText(aside) === stale;
  if (!isStale) linkSync(aside, file);
  writing(`take the lock ${file} over`, () => rmSync(aside, { force: true }));
  if (!isStale) throw justStarted();
}

function read(file: string): Holder | null {
  return parse(readText(file));
}

/** Empty when there is none. */
function readText(file: string): string {
  try {
    // Reading a pipe would wait for ever.
    return statSync(file).isFile() ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}

function parse(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const holder = value as Partial<Holder>; // Each field is checked below.
    const { pid, start, host, session, since, owner } = holder;
    if (typeof pid !== "number" || typeof start !== "string" || typeof host !== "string")
      return null;
    return {
      pid,
      start,
      host,
      session: String(session),
      since: String(since),
      owner: typeof owner === "string" ? owner : null,
    };
  } catch {
    // No lock that mmm has written: nobody holds it.
    return null;
  }
}

/** On another host one cannot look; the lock is believed. */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  // 0 and less name groups, mmm's own among them.
  if (!Number.isSafeInteger(holder.pid) || holder.pid < 1) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: alive, and somebody else's.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  const start = await startTimeOf(holder.pid);
  if (start === "") return false;
  return start === null || holder.start === "" || start === holder.start;
}

/** Field 22 of `/proc/PID/stat`, clock ticks after boot; empty: a zombie; `null` where there is no /proc. */
async function startTimeOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  // The command's name stands in parentheses and may hold anything.
  const [state = "", ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // Ended, and nobody has asked how (the first process of a container may never): it holds nothing.
  return /^[ZXx]$/.test(state) ? "" : (rest[18] ?? null);
}
