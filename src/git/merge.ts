/** A merge that is computed beside every working tree, and then moves the target in one go (spec 8.3). */
import type { FileChange } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import { pinnedArgs, pinnedEnvironment, plainEnvironment } from "./environment.ts";
import { type TreeMove, undoHalfMove } from "./half-moved.ts";
import { alreadyThere, inTheWay, stage, unstage } from "./in-the-way.ts";
import { splitNul } from "./path.ts";
import { pastOthers } from "./past-others.ts";
import { findRepository, type RepositoryStart } from "./repository.ts";
import { gitFailed, type GitResult, runGit } from "./run.ts";
import type { ObjectDifference } from "./staging.ts";
import { branchOf } from "./stands-on.ts";
import { MERGING_VERSION } from "./version.ts";
import { isAncestor, listWorktrees, type SharedRepository, tipOf, tryGit } from "./worktree.ts";

export type MergedTrees =
  | { readonly kind: "clean"; readonly tree: string }
  | { readonly kind: "conflict"; readonly files: readonly string[] };

/** What `git merge` would make of two commits; touches no tree, no index, no branch. */
export async function mergeTrees(
  shared: SharedRepository,
  { ours, theirs }: { readonly ours: string; readonly theirs: string },
): Promise<MergedTrees> {
  const args = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs];
  const result = await tryGit(shared, args);
  const [tree = "", ...files] = splitNul(result.stdout);
  if (result.code === 0) return { kind: "clean", tree };
  if (result.code === 1) return { kind: "conflict", files: files.filter((file) => file !== "") };
  if (/usage: git merge-tree|unknown option/u.test(result.stderr))
    throw new MmmError("git-old", 3, {
      message: `merging a worktree needs git ${MERGING_VERSION} or newer`,
      next: [`merge it by hand: git merge --no-ff ${theirs}`],
    });
  throw gitFailed(args, result);
}

/** Files in which a merge of two branches would meet conflicts; none also when one of them is gone. */
export async function conflictsOf(
  shared: SharedRepository,
  one: string,
  other: string,
): Promise<readonly string[]> {
  const [ours, theirs] = [await tipOf(shared, one), await tipOf(shared, other)];
  if (ours === null || theirs === null) return [];
  const merged = await mergeTrees(shared, { ours, theirs });
  return merged.kind === "conflict" ? merged.files : [];
}

/** Files that differ between two commits; a renamed one is deleted and added. */
export async function changesBetween(
  shared: SharedRepository,
  from: string,
  to: string,
): Promise<readonly Pick<FileChange, "path" | "status">[]> {
  const args = ["diff-tree", "-r", "-z", "--name-status", "--no-renames", from, to, "--"];
  const result = await tryGit(shared, args);
  if (result.code !== 0) throw gitFailed(args, result);
  const words = splitNul(result.stdout);
  return words.flatMap((letter, at) => {
    const path = words[at + 1];
    return at % 2 === 1 || path === undefined
      ? []
      : [{ path, status: STATUS[letter] ?? "modified" }];
  });
}

const STATUS: Readonly<Record<string, FileChange["status"]>> = { A: "added", D: "deleted" };

/**
 * Puts a commit, detached, or a branch into a tree; git itself refuses when changes in there would be lost.
 *
 * @param action how the reflog names who did it
 */
export async function switchTo(
  { root, env }: Pick<RepositoryStart, "root" | "env">,
  to: { readonly commit: string } | { readonly branch: string },
  action: string,
): Promise<void> {
  const where = "commit" in to ? ["--detach", to.commit] : [to.branch];
  const args = [...pinnedArgs, "switch", "--quiet", ...where];
  const told = { ...plainEnvironment(env), GIT_REFLOG_ACTION: action };
  const result = await pastOthers(() => runGit({ cwd: root, env: told, args }));
  if (result.code !== 0) throw gitFailed(args, result);
}

/** The merge commit, by the user's identity; nothing points to it yet. */
export async function commitMerge(
  start: RepositoryStart,
  merge: {
    readonly tree: string;
    readonly parents: readonly [target: string, branch: string];
    readonly message: string;
  },
): Promise<string> {
  const parents = merge.parents.flatMap((sha) => ["-p", sha]);
  const args = [...pinnedArgs, "commit-tree", ...parents, "-m", merge.message, merge.tree];
  const env = pinnedEnvironment(start.env, start);
  const result = await runGit({ cwd: start.root, env, args });
  if (result.code !== 0) throw gitFailed(args, result);
  return result.stdout.toString("utf8").trim();
}

/** The tree in which a branch is checked out; `null`: in none. */
export async function treeOfBranch(
  shared: SharedRepository,
  branch: string,
): Promise<RepositoryStart | null> {
  const found = (await listWorktrees(shared)).find((entry) => entry.branch === branch);
  if (found === undefined) return null;
  // Removed by hand, its record still there: then nobody has files of that branch.
  return await findRepository(found.path, shared.env).catch(() => null);
}

/**
 * Moves `branch` from one commit to a later one, and its tree along when it is checked out. git itself
 * refuses when a file in there would be overwritten; then nothing has moved. One that lies there as the later
 * commit has it is in nobody's way. What git leaves half done is put back.
 *
 * @throws MmmError exit 3
 */
export async function moveForward(
  shared: SharedRepository,
  move: {
    readonly branch: string;
    readonly from: string;
    readonly to: string;
    readonly tree: RepositoryStart | null;
    /** How the reflog of the tree names who did it; git's own words when left out. */
    readonly action?: string;
  },
): Promise<void> {
  const { branch, from, to, tree, action } = move;
  if ((await tipOf(shared, branch)) !== from) throw movedMeanwhile(branch);
  if (tree === null) {
    const args = ["update-ref", "-m", `merge: ${to}`, `refs/heads/${branch}`, to, from];
    const result = await tryGit(shared, args);
    if (result.code !== 0) throw gitFailed(args, result);
  } else {
    const on = await branchOf(tree);
    // git would move whatever is checked out there.
    if (on !== branch) throw treeElsewhere(tree, { branch, on });
    await moveTree(tree, { from, to }, action);
  }
  if ((await tipOf(shared, branch)) === to) return;
  if (!(await isAncestor(shared, { ancestor: to, of: `refs/heads/${branch}` })))
    throw movedMeanwhile(branch);
}

async function moveTree(tree: RepositoryStart, move: TreeMove, action?: string): Promise<void> {
  const args = [...pinnedArgs, "merge", "--ff-only", "--quiet", "--no-autostash", move.to];
  const told = action === undefined ? {} : { GIT_REFLOG_ACTION: action };
  const env = { ...plainEnvironment(tree.env), ...told };
  const tryIt = (): Promise<GitResult> => pastOthers(() => runGit({ cwd: tree.root, env, args }));
  const first = await tryIt();
  if (first.code === 0) return;
  // git looks before it begins: nothing has changed then, and what lies there is not its own.
  if (inTheWay(tree, first.stderr) === null)
    throw await putBack(tree, move, { trouble: gitFailed(args, first), kept: [] });
  const kept = await alreadyThere(tree, move);
  await stage(tree, kept);
  const result = kept.length === 0 ? first : await tryIt();
  if (result.code === 0) return;
  const trouble = inTheWay(tree, result.stderr) ?? gitFailed(args, result);
  throw await putBack(tree, move, { trouble, kept });
}

/** After git has failed in the middle of it: a full disk, a filter, a signal. `kept`: files that are not git's. */
async function putBack(
  tree: RepositoryStart,
  move: TreeMove,
  { trouble, kept }: { readonly trouble: MmmError; readonly kept: readonly ObjectDifference[] },
): Promise<MmmError> {
  const isBegun = trouble.code !== "in-the-way" && !/^Aborting$/mu.test(trouble.message);
  try {
    if (isBegun) await undoHalfMove(tree, move, new Set(kept.map(({ path }) => path)));
    await unstage(tree, kept);
    return trouble;
  } catch (cause) {
    return new MmmError("half-moved", 3, {
      message: `${trouble.message}\nwhat it has left in ${tree.root} cannot be put back now: ${cause instanceof Error ? cause.message : String(cause)}`,
      next: trouble.next,
      cause,
    });
  }
}

function treeElsewhere(
  { root }: RepositoryStart,
  { branch, on }: { readonly branch: string; readonly on: string | null },
): MmmError {
  const now = on === null ? "on a detached HEAD" : `on ${on}`;
  return new MmmError("target-elsewhere", 3, {
    message: `${root} stood on ${branch}, and now stands ${now}; nothing was merged`,
    next: [`git -C ${shellWord(root)} switch ${shellWord(branch)}`, "merge again"],
  });
}

function movedMeanwhile(branch: string): MmmError {
  return new MmmError("target-moved", 3, {
    message: `${branch} has moved while the merge was made; nothing was merged`,
    next: ["merge again"],
  });
}

/** Those of `files` that hold conflict markers in a commit. */
export async function filesWithMarkers(
  shared: SharedRepository,
  { commit, files }: { readonly commit: string; readonly files: readonly string[] },
): Promise<readonly string[]> {
  if (files.length === 0) return [];
  const pattern = "^(<{7} |>{7} )";
  const args = ["grep", "-l", "-z", "-E", "-e", pattern, commit, "--", ...files];
  const result = await tryGit(shared, args);
  if (result.code === 1) return [];
  if (result.code !== 0) throw gitFailed(args, result);
  return splitNul(result.stdout).map((name) => name.slice(commit.length + 1));
}
