import type { RepositoryStart } from "../git/repository.ts";
import { checkLock } from "../session/lock.ts";
import type { Invocation } from "./cook-request.ts";
import type { ReadSession } from "./left-behind.ts";
import { lockFile, mainRootOf } from "./world.ts";

/**
 * Refuses a tree that a live session holds; of one that was killed, ends what still runs.
 *
 * @param read a session whose journal has just been read
 */
export async function lookAtLock(
  start: RepositoryStart,
  { stderr }: Invocation,
  read: ReadSession | null = null,
): Promise<void> {
  const killed = await checkLock(lockFile(start));
  if (killed === null) return;
  const { endLeftBehind } = await import("./left-behind.ts");
  stderr.write(`mmm: ${await endLeftBehind(killed, mainRootOf(start), read)}\n`);
}
