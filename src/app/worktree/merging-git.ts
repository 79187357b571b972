/** Can this git merge what a session with worktrees makes? Asked before anything starts (spec 1.1, 8.3). */
import { MmmError } from "../../errors.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { canMerge, gitVersion, MERGING_VERSION } from "../../git/version.ts";

const NEWER = `install git ${MERGING_VERSION} or newer and see that it comes first on PATH`;

/**
 * A word on what will not work, for a session whose user can do that by hand; `null`: all does. Throws `MmmError`
 * (exit 3) where he could not.
 */
export async function checkMergingGit(
  start: RepositoryStart,
  asked: {
    /** Inputs are merged as the session goes. */
    readonly isParallel: boolean;
    /** `--yes`: the session is merged at its end. */
    readonly isMerged: boolean;
    /** The playbook has `merge` steps: mmm itself does not merge. */
    readonly bySteps: boolean;
  },
): Promise<string | null> {
  if (!asked.isParallel && asked.bySteps) return null;
  const version = await gitVersion(start);
  if (canMerge(version)) return null;
  const is = `needs git ${MERGING_VERSION} or newer, and this is ${version === "" ? "another program" : version}`;
  if (asked.isParallel)
    throw new MmmError("git-old", 3, {
      message: `--parallel merges one input after the other, which ${is}`,
      next: [NEWER, "or leave out --parallel: the inputs then run one after the other"],
    });
  if (asked.isMerged)
    throw new MmmError("git-old", 3, {
      message: `--yes merges the worktree at the end, which ${is}`,
      next: [NEWER, "or leave out --yes, and merge by hand: git merge --no-ff SESSION"],
    });
  return `merging the worktree ${is}: at the end type git merge --no-ff SESSION`;
}
