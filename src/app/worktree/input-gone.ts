/** What somebody has taken away from inputs that are at work. */
import { MmmError } from "../../errors.ts";
import { isWorktreeOf, type SharedRepository, tipOf } from "../../git/worktree.ts";

export async function missingOf(
  shared: SharedRepository,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<readonly ("worktree" | "branch")[]> {
  const isTreeThere = await isWorktreeOf(shared, path);
  const isBranchThere = (await tipOf(shared, name)) !== null;
  return [
    ...(isTreeThere ? [] : ["worktree" as const]),
    ...(isBranchThere ? [] : ["branch" as const]),
  ];
}

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
