/** Other gits at work in the same repository are waited for, as before a commit (spec 5). */
import { setTimeout as sleep } from "node:timers/promises";
import type { GitResult } from "./run.ts";

const WAIT_MS = 10_000;
const PAUSE_MS = 20;
const MOST_PAUSE_MS = 250;

/** @param run git under `plainEnvironment`; it changes nothing when another one is in its way */
export async function pastOthers(run: () => Promise<GitResult>): Promise<GitResult> {
  const until = performance.now() + WAIT_MS;
  for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
    const result = await run();
    if (result.code === 0 || !isInTheWay(result) || performance.now() > until) return result;
    await sleep(pause);
  }
}

/** Not a lock that cannot be made: waiting does not help there. */
function isInTheWay({ stderr }: Pick<GitResult, "stderr">): boolean {
  return (
    /index\.lock'?: File exists/u.test(stderr) ||
    // git looks through all worktrees, and dies of one that is just being made
    /failed to read \S.*\/worktrees\/.*\/commondir/u.test(stderr)
  );
}
