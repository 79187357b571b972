/** For moments: one writer of `.mmm/state.json`, which worktrees share, one judge of a stale lock (spec 7). */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { MmmError } from "../errors.ts";
import { holderIn, isAlive, ownHolder } from "./holder.ts";
import { makeLock, readLock, removeLock } from "./lock-file.ts";

/** A writer holds the lock for milliseconds; a lock that stays the same for so long belongs to nobody. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 5;

/** @param file the lock's own; `use` must not wait for anything */
export function underLock<T>(file: string, use: () => T, patienceMs = PATIENCE_MS): T {
  // Different each time: a waiter must see that it changed hands.
  const content = `${JSON.stringify({ ...ownHolder(), once: randomUUID() })}\n`;
  take(file, content, patienceMs);
  try {
    return use();
  } finally {
    if (readLock(file) === content) removeLock(file, content);
  }
}

function take(file: string, content: string, patienceMs: number): void {
  let seen = "";
  let since = performance.now();
  const start = since;
  while (existsSync(file) || !makeLock(file, content)) {
    const other = readLock(file);
    if (other !== seen) {
      seen = other;
      since = performance.now();
    }
    // By the clock that never jumps; of the file's own times nothing is believed.
    if (isLeft(other) || performance.now() - since > patienceMs) removeLock(file, other);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    if (performance.now() - start > 4 * patienceMs) throw neverFree(file);
  }
}

/** Its writer is dead, for sure. */
function isLeft(text: string): boolean {
  try {
    const holder = holderIn(JSON.parse(text));
    return holder !== null && !isAlive(holder);
  } catch {
    return false;
  }
}

function neverFree(file: string): MmmError {
  return new MmmError("state-locked", 3, {
    message: `the lock ${file} cannot be had: others take it over and over, or it cannot be removed`,
    next: [`if nothing else runs here, remove it: rm -r ${file}`],
  });
}
