/** One process at a time, the others wait for their turn (spec 8.4): making worktrees, merging. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { MmmError } from "../errors.ts";
import { interruptCode } from "../process/signals.ts";
import { holderIn, isAlive, ownHolder } from "./holder.ts";
import { makeLock, readLock, removeLock } from "./lock-file.ts";

const PAUSE_MS = 25;
const MOST_PAUSE_MS = 250;
const TOLD_EACH_MS = 30_000;

export interface Turn {
  /** The lock's file; its name ends in `.lock`. */
  readonly file: string;
  /** What is waited for, for the error and `tell`. */
  readonly what: string;
  readonly waitMs: number;
  /** Each 30 s of waiting. */
  readonly tell: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Throws `MmmError`: exit 3 when the turn does not come in time, 130 or 143 when the wait is interrupted. */
export async function inTurn<T>(turn: Turn, use: () => Promise<T>): Promise<T> {
  const content = `${JSON.stringify({ ...ownHolder(), once: randomUUID() })}\n`;
  await take(turn, content);
  try {
    return await use();
  } finally {
    if (readLock(turn.file) === content) removeLock(turn.file, content);
  }
}

async function take({ file, what, waitMs, tell, signal }: Turn, content: string): Promise<void> {
  const began = performance.now();
  let told = began;
  for (let pause = PAUSE_MS; !makeLock(file, content); pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
    const other = readLock(file);
    if (other !== "" && isLeft(other)) {
      removeLock(file, other);
      continue;
    }
    const now = performance.now();
    const code = signal === undefined ? null : interruptCode(signal);
    if (code !== null) throw stopped(what, code);
    if (now - began > waitMs) throw never(file, what);
    if (now - told > TOLD_EACH_MS) {
      told = now;
      tell(`waiting for ${what} (${Math.round((now - began) / 1000)} s)`);
    }
    await delay(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Nobody holds it who still lives. */
function isLeft(text: string): boolean {
  try {
    const holder = holderIn(JSON.parse(text));
    return holder === null || !isAlive(holder);
  } catch {
    return true;
  }
}

function stopped(what: string, exitCode: 130 | 143): MmmError {
  return new MmmError("interrupted", exitCode, {
    message: `stopped while it waited for ${what}`,
  });
}

function never(file: string, what: string): MmmError {
  return new MmmError("no-turn", 3, {
    message: `${what} did not come to an end`,
    next: [`when no other mmm runs here, remove its lock: rm '${file}'`],
  });
}
