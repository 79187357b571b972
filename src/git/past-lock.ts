/** Another git at work in the same tree is waited for, as before a commit (spec 5). */
import { setTimeout as sleep } from "node:timers/promises";
import type { GitResult } from "./run.ts";

const WAIT_MS = 10_000;
const PAUSE_MS = 20;
const MOST_PAUSE_MS = 250;

/** @param run git under `plainEnvironment`; it changes nothing when the index is held */
export async function pastIndexLock(run: () => Promise<GitResult>): Promise<GitResult> {
  const until = performance.now() + WAIT_MS;
  for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
    const result = await run();
    if (result.code === 0 || !isHeld(result) || performance.now() > until) return result;
    await sleep(pause);
  }
}

/** Not one that cannot be made: waiting does not help there. */
function isHeld({ stderr }: Pick<GitResult, "stderr">): boolean {
  return /index\.lock'?: File exists/u.test(stderr);
}
