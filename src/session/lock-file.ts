/** Files that one process at a time can have: made whole or not at all, and taken away only by content. */
import { randomUUID } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { MmmError } from "../errors.ts";
import { diskError, writing } from "./disk.ts";
import { isTaken } from "./set-aside.ts";

/**
 * `false`: somebody has it. Written beside and then linked, so that nobody ever reads half a lock and
 * takes it for a stale one. Throws `MmmError` (exit 3).
 */
export function makeLock(file: string, content: string): boolean {
  const draft = beside(file, "");
  try {
    writing(`make the lock ${file}`, () => {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(draft, content);
    });
    place(draft, file, content);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error instanceof MmmError ? error : diskError(`make the lock ${file}`, error);
  } finally {
    discard(draft);
  }
}

/** Empty when there is none. */
export function readLock(file: string): string {
  try {
    // Reading a pipe would wait for ever.
    return statSync(file).isFile() ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}

/**
 * Takes away the lock with that content, and no other that has taken its place meanwhile; `false`: it
 * was another, and is there again. Throws `MmmError` (exit 3).
 */
export function removeLock(file: string, content: string): boolean {
  const aside = beside(file, "stale.");
  try {
    renameSync(file, aside);
  } catch {
    return true; // Somebody else took it away; `makeLock` says who was first.
  }
  const isIt = readLock(aside) === content;
  writing(`take the lock ${file} away`, () => {
    if (!isIt) place(aside, file, readLock(aside));
    rmSync(aside, { force: true });
  });
  return isIt;
}

/** What went wrong before is what the user has to see. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It is excluded from git, and in nobody's way.
  }
}

function place(draft: string, file: string, content: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!hasNoLinks(error)) throw error;
    writeFileSync(file, content, { flag: "wx" });
  }
}

/** exFAT and some shared folders. */
function hasNoLinks(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS";
}

/** All end in `.lock`: those names are excluded from git (spec 7). */
function beside(file: string, what: string): string {
  // Pids of two hosts on a shared disk may be the same.
  return `${file.replace(/\.lock$/, "")}.${process.pid}.${randomUUID().slice(0, 8)}.${what}lock`;
}
