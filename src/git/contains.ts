/** Has a branch got what a commit changed, by whatever way it came there: a merge, a squash, a cherry-pick? */
import { commitTree } from "./keep.ts";
import { mergeTrees } from "./merge.ts";
import { createPlace } from "./place.ts";
import type { RepositoryStart } from "./repository.ts";
import { tipOf, tryGit } from "./worktree.ts";

export interface Change {
  /** The commit it began on. */
  readonly base: string;
  /** Its last commit. */
  readonly tip: string;
}

/** `false` also when the commits are nowhere any more. */
export async function containsChange(
  start: RepositoryStart,
  branch: string,
  { base, tip }: Change,
): Promise<boolean> {
  const ours = await tipOf(start, branch);
  if (ours === null || !(await isCommit(start, tip)) || !(await isCommit(start, base)))
    return false;
  const merged = await mergeTrees(start, { ours, theirs: tip }).catch(() => null);
  if (merged?.kind === "clean" && merged.tree === (await treeOf(start, ours))) return true;
  // Others have worked on the same lines since: then its patch is there as a commit, or its commits are.
  if (await hasPatches(start, { ours, base, tip })) return true;
  const message = `mmm: all of ${tip}`;
  const whole = { tree: `${tip}^{tree}`, parents: [base], message };
  return hasPatches(start, { ours, base, tip: await commitTree(createPlace(start), whole) });
}

async function isCommit(start: RepositoryStart, name: string): Promise<boolean> {
  return (await tryGit(start, ["cat-file", "-e", `${name}^{commit}`])).code === 0;
}

async function treeOf(start: RepositoryStart, commit: string): Promise<string> {
  const result = await tryGit(start, ["rev-parse", "--verify", `${commit}^{tree}`]);
  return result.stdout.toString("utf8").trim();
}

/** Each commit from `base` to `tip` is on the other side, too, under another name. */
async function hasPatches(
  start: RepositoryStart,
  { ours, base, tip }: Change & { readonly ours: string },
): Promise<boolean> {
  const result = await tryGit(start, ["cherry", ours, tip, base]);
  const lines = result.stdout.toString("utf8").trim();
  return (
    result.code === 0 && lines !== "" && lines.split("\n").every((line) => line.startsWith("-"))
  );
}
