import type { RepositoryStart } from "../git/repository.ts";
import { checkLock } from "../session/lock.ts";
import type { Invocation } from "./cook-request.ts";
import { lockFile, mainRootOf } from "./world.ts";

/** Refuses a tree that a live session holds; of one that was killed, ends what still runs. */
export async function lookAtLock(start: RepositoryStart, { stderr }: Invocation): Promise<void> {
  const killed = await checkLock(lockFile(start));
  if (killed === null) return;
  const { endLeftBehind } = await import("./left-behind.ts");
  stderr.write(`mmm: ${await endLeftBehind(killed, mainRootOf(start))}\n`);
}
