/** Brings a session's branch home (spec 8.3): computed aside, checked, and only then the target moves. */
import path from "node:path";
import type { MergeTrouble } from "../../engine/merge.ts";
import type { MergedBy } from "../../engine/worktree-event.ts";
import { MmmError } from "../../errors.ts";
import type { TreeMove } from "../../git/half-moved.ts";
import { alreadyThere } from "../../git/in-the-way.ts";
import { commitMerge, mergeTrees, moveForward, treeOfBranch } from "../../git/merge.ts";
import { checkReady } from "../../git/ready.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { isAncestor, tipOf } from "../../git/worktree.ts";
import { shellWord } from "../../lib/shell-word.ts";
import { showPath } from "../../git/path.ts";
import { ownChildren } from "../../process/children.ts";
import { liveSession, type Lock, takeLock } from "../../session/lock.ts";
import { inTurn } from "../../session/turn.ts";
import { type WorktreeRecord, writeWorktreeRecord } from "../../session/worktree-file.ts";
import { lockFile, systemClock } from "../world.ts";
import { mergingLock } from "./place.ts";

export interface Merging {
  /** Any tree of the repository. */
  readonly here: RepositoryStart;
  readonly record: WorktreeRecord;
  /** Absolute; of the session. */
  readonly directory: string;
  /** Absolute paths that may lie uncommitted in the target's tree. */
  readonly ownFiles: readonly string[];
  readonly make: MergeMaker;
  readonly tell: (message: string) => void;
  /** Ends the wait for others. */
  readonly signal: AbortSignal;
}

/** A merge to be made. */
export interface Asked {
  readonly branch: string;
  readonly target: string;
  /** Commits. */
  readonly ours: string;
  readonly theirs: string;
}

export interface Made {
  /** The merge. */
  readonly commit: string;
}

/** No branch and no tree of the user's has moved when they return. */
export interface MergeMaker {
  /** `null`: the playbook says nothing of merging. */
  readonly bySteps: (asked: Asked) => Promise<Made | MergeTrouble | null>;
  /** What git cannot merge alone: both sides changed the same lines of `files`. */
  readonly byClaude: (asked: Asked, files: readonly string[]) => Promise<Made | MergeTrouble>;
}

export type MergeOutcome =
  | {
      readonly kind: "merged";
      readonly target: string;
      readonly commit: string;
      readonly by: MergedBy;
    }
  /** The target has all of its commits. */
  | { readonly kind: "nothing"; readonly target: string }
  /** A session is at work in the tree of the target. */
  | { readonly kind: "busy"; readonly target: string; readonly session: string };

const PATIENCE_MS = 10 * 60_000;

/** Throws `MmmError`: exit 4 for a conflict, 130 and 143 when interrupted, 3 for all else; then everything is as before. */
export async function mergeWorktree(merging: Merging): Promise<MergeOutcome> {
  const turn = {
    file: mergingLock(merging.here),
    what: "another merge in this repository",
    waitMs: PATIENCE_MS,
    tell: merging.tell,
    signal: merging.signal,
  };
  return inTurn(turn, () => merge(merging));
}

async function merge(merging: Merging): Promise<MergeOutcome> {
  const { here, record, ownFiles } = merging;
  const { name } = record;
  const theirs = await tipOf(here, name);
  if (theirs === null) throw branchGone(record);
  const target = record.target ?? noTarget(record);
  const ours = await tipOf(here, target);
  if (ours === null) throw targetGone(record, target);
  if (await isAncestor(here, { ancestor: theirs, of: ours })) {
    if (theirs !== record.base) noteMerged(merging);
    return { kind: "nothing", target };
  }
  const tree = await treeOfBranch(here, target);
  const held = tree === null ? null : await hold(tree, name);
  if (held !== null && "session" in held) return { kind: "busy", target, session: held.session };
  try {
    if (tree !== null) await checkTarget(tree, { name, ownFiles, from: ours, to: theirs });
    const made = await mergeCommit(merging, { target, ours, theirs });
    const move = { branch: target, from: ours, to: made.commit, tree };
    await moveForward(here, move).catch((error: unknown) => {
      if (!(error instanceof MmmError) || error.code !== "in-the-way") throw error;
      const { message, next } = error;
      throw new MmmError("in-the-way", 3, { message, next: [...next, mergeLine(name)] });
    });
    if (!(await isAncestor(here, { ancestor: theirs, of: `refs/heads/${target}` })))
      throw new Error(`${target} has moved, and ${name} is not in it`);
    noteMerged(merging);
    return { kind: "merged", target, ...made };
  } finally {
    held?.release();
  }
}

function noteMerged({ directory, record }: Merging): void {
  // Only a session is called merged; an input's worktree is gone then.
  if (record.mergedAt !== null || record.name !== path.basename(directory)) return;
  writeWorktreeRecord(directory, { ...record, mergedAt: systemClock.now().toISOString() });
}

/** A session that is at work there is not waited for: it may take hours. */
async function hold(
  tree: RepositoryStart,
  name: string,
): Promise<Lock | { readonly session: string }> {
  const file = lockFile(tree);
  const owner = ownChildren.owner;
  try {
    return await takeLock(file, { session: `merge-of-${name}`, owner, now: systemClock.now() });
  } catch (error) {
    const session = liveSession(file);
    if (session !== null) return { session };
    throw error;
  }
}

async function checkTarget(
  tree: RepositoryStart,
  {
    name,
    ownFiles,
    ...move
  }: TreeMove & { readonly name: string; readonly ownFiles: readonly string[] },
): Promise<void> {
  const check = (files: readonly string[]): Promise<unknown> =>
    checkReady(tree, { allowDirty: false, ownFiles: files });
  try {
    await check(ownFiles).catch(async (error: unknown) => {
      if (!(error instanceof MmmError) || error.code !== "dirty-tree") throw error;
      // What was carried into the worktree, and committed there as it lies here, is in nobody's way.
      const same = (await alreadyThere(tree, move)).map((file) => path.join(tree.root, file.path));
      if (same.length === 0) throw error;
      await check([...ownFiles, ...same]);
    });
  } catch (error) {
    if (!(error instanceof MmmError) || error.code !== "dirty-tree") throw error;
    throw new MmmError("dirty-target", 3, {
      message: `${name} cannot be merged: ${error.message}`,
      next: [...error.next.filter((line) => !line.includes("--allow-dirty")), mergeLine(name)],
    });
  }
}

async function mergeCommit(
  merging: Merging,
  {
    target,
    ours,
    theirs,
  }: { readonly target: string; readonly ours: string; readonly theirs: string },
): Promise<Made & { readonly by: MergedBy }> {
  const { here, record, make } = merging;
  const asked = { branch: record.name, target, ours, theirs };
  const own = await make.bySteps(asked);
  if (own !== null) {
    if ("why" in own) throw notMerged(asked, own);
    return { ...own, by: "steps" };
  }
  const merged = await mergeTrees(here, { ours, theirs });
  if (merged.kind === "clean") {
    const message = `Merge branch '${record.name}' into ${target}\n\nMmm-Session: ${record.name}`;
    const parents = [ours, theirs] as const;
    return { commit: await commitMerge(here, { tree: merged.tree, parents, message }), by: "git" };
  }
  const { files } = merged;
  const resolved = await make.byClaude(asked, files);
  if ("why" in resolved) throw conflict(asked, files, resolved);
  return { ...resolved, by: "claude" };
}

/** Of an input: its session, when that can go on and merge it; else `null`. */
export function openOwner({
  record,
  session,
}: {
  readonly record: WorktreeRecord | null;
  readonly session: { readonly name: string; readonly resumable: boolean } | null;
}): string | null {
  if (session === null || !session.resumable) return null;
  return record?.target === session.name ? session.name : null;
}

export function mergeLine(name: string): string {
  return `mmm worktree merge ${name}`;
}

const MOST_LISTED = 20;

function conflict(
  { branch, target }: Pick<Asked, "branch" | "target">,
  files: readonly string[],
  { why, lines }: MergeTrouble,
): MmmError {
  const listed = files.slice(0, MOST_LISTED).map((file) => showPath(file));
  if (files.length > MOST_LISTED) listed.push(`and ${files.length - MOST_LISTED} more`);
  const message = `${branch} and ${target} changed the same lines, and everything is as it was before (${why}):`;
  const trouble = unresolved({ branch, target }, [message, ...listed, ...lines]);
  return new MmmError("merge-conflict", 4, { ...trouble });
}

function notMerged(
  { branch, target }: Pick<Asked, "branch" | "target">,
  { why, lines }: MergeTrouble,
): MmmError {
  const message = `${branch} is not merged into ${target}, and everything is as it was before (${why})`;
  return new MmmError("merge-steps", 4, { ...unresolved({ branch, target }, [message, ...lines]) });
}

function unresolved(
  { branch, target }: Pick<Asked, "branch" | "target">,
  [first = "", ...lines]: readonly string[],
): { readonly message: string; readonly next: readonly string[] } {
  return {
    message: [first, ...lines.map((line) => `  ${line}`)].join("\n"),
    next: [
      `git switch ${shellWord(target)} && git merge --no-ff ${branch}   (resolve it by hand)`,
      `or try again: ${mergeLine(branch)}`,
    ],
  };
}

function branchGone({ name }: WorktreeRecord): MmmError {
  return new MmmError("branch-gone", 3, {
    message: `there is no branch ${name} any more: nothing can be merged`,
    next: [`mmm worktree clean ${name}`],
  });
}

function noTarget({ name }: WorktreeRecord): never {
  throw new MmmError("no-target", 3, {
    message: `${name} began on a detached HEAD: there is no branch to merge it into`,
    next: [`git switch BRANCH && git merge --no-ff ${name}`],
  });
}

function targetGone({ name, base }: WorktreeRecord, target: string): MmmError {
  return new MmmError("target-gone", 3, {
    message: `the branch ${target}, on which ${name} began, is not there any more`,
    next: [
      `git branch ${shellWord(target)} ${base.slice(0, 10)}   (makes it again where it was)`,
      `or merge it elsewhere: git switch BRANCH && git merge --no-ff ${name}`,
    ],
  });
}
