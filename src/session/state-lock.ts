/** One writer of `.mmm/state.json` at a time: sessions of several worktrees share it (spec 7). */
import { rmSync, statSync, writeFileSync } from "node:fs";
import { writing } from "./disk.ts";

/** A writer holds the lock for milliseconds; one that is older was left by a process that is gone. */
const STALE_MS = 5000;
const PAUSE_MS = 5;

/** @param file the lock's own; `use` must not wait for anything */
export function underLock<T>(file: string, use: () => T): T {
  writing(`take the lock ${file}`, () => {
    while (!take(file)) {
      if (isStale(file)) rmSync(file, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  });
  try {
    return use();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function isStale(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  // A clock that was put back makes a lock of the future: nobody holds one that long either.
  return stat !== undefined && Math.abs(Date.now() - stat.mtimeMs) > STALE_MS;
}
