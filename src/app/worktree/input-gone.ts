/** What somebody has taken away from inputs that are at work. */
import { MmmError } from "../../errors.ts";

export function notOurs(root: string): MmmError {
  return new MmmError("worktree-gone", 3, {
    message: `the worktree of an input is not there any more: ${root}`,
    next: ["mmm worktree ls shows those that are"],
  });
}

export function branchGone(branch: string): MmmError {
  return new MmmError("branch-gone", 3, {
    message: `the branch ${branch} of this session is not there any more`,
    next: [`git reflog shows where it was; git branch ${branch} COMMIT makes it again`],
  });
}
