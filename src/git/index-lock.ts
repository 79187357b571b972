import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MmmError } from "../errors.ts";
import { interruptCode } from "../process/signals.ts";

export interface LockWait {
  /** Spec 5: 10 s. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when no git holds the index, at once mostly.
 *
 * @throws MmmError exit 3 when it is held for all of `waitMs`; 130 or 143 when `signal` ends the wait
 */
export async function waitForIndexLock(gitDir: string, wait: LockWait): Promise<void> {
  const file = join(gitDir, "index.lock");
  let leftMs = wait.waitMs;
  for (let pauseMs = 20; existsSync(file); pauseMs = Math.min(2 * pauseMs, 250)) {
    const code = wait.signal === undefined ? null : interruptCode(wait.signal);
    if (code !== null) throw stopped(file, code);
    if (leftMs <= 0) throw await locked(file, wait.waitMs);
    const stepMs = Math.min(pauseMs, leftMs);
    await sleep(stepMs);
    leftMs -= stepMs;
  }
}

function stopped(file: string, exitCode: 130 | 143): MmmError {
  return new MmmError("interrupted", exitCode, {
    message: `stopped while another git process held ${file}`,
    next: [`when no git is at work here any more: rm '${file}'`],
  });
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
