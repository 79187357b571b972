/** Directory, branch and record of a session's worktree, gone together (spec 8.2); safe to repeat. */
import type { RepositoryStart } from "../../git/repository.ts";
import { deleteBranch, removeWorktree } from "../../git/worktree.ts";
import { inTurn } from "../../session/turn.ts";
import { makingLock } from "./place.ts";

/**
 * Looks at nothing: whoever calls it knows that nothing is lost. Throws `MmmError`: exit 3, or 130 and 143 when
 * `signal` ends the wait for others.
 */
export async function removeWholly(
  here: RepositoryStart,
  { name, path }: { readonly name: string; readonly path: string },
  tell: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const what = "another mmm that makes or removes a worktree in this repository";
  const turn = { file: makingLock(here), what, waitMs: 10 * 60_000, tell, signal };
  await inTurn(turn, async () => {
    await removeWorktree(here, path);
    await deleteBranch(here, name);
  });
}
