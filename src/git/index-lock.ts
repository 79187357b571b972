import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MmmError } from "../errors.ts";

export interface LockWait {
  /** Spec 5: 10 s. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when no git holds the index, at once mostly.
 *
 * @throws MmmError exit 3 when it is held for all of `waitMs`
 */
export async function waitForIndexLock(gitDir: string, wait: LockWait): Promise<void> {
  const file = join(gitDir, "index.lock");
  let leftMs = wait.waitMs;
  for (let pauseMs = 20; existsSync(file); pauseMs = Math.min(2 * pauseMs, 250)) {
    if (leftMs <= 0 || wait.signal?.aborted === true) throw await locked(file, wait.waitMs);
    const stepMs = Math.min(pauseMs, leftMs);
    await sleep(stepMs);
    leftMs -= stepMs;
  }
}

async function locked(file: string, waitedMs: number): Promise<MmmError> {
  const since = await stat(file).then(
    (found) => `, since ${found.mtime.toISOString()}`,
    () => "",
  );
  return new MmmError("index-locked", 3, {
    message: `another git process holds ${file}${since}; waited ${waitedMs / 1000} s`,
    next: [`when no git is at work here any more: rm '${file}'`],
  });
}
