import { mkdir, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isOwnState } from "../engine/own-state.ts";
import type { TreeChange, TreePoint } from "../engine/ports.ts";
import { waitForIndexLock } from "./index-lock.ts";
import { commitTree, keepCommit } from "./keep.ts";
import { absolutePath, joinNul } from "./path.ts";
import { plumb, readFlag, tryPlumb } from "./place.ts";
import type { Place } from "./place.ts";
import type { Protection } from "./protection.ts";
import { removeFiles } from "./remove.ts";
import { diffTrees, setIndex, withIndexCopy, writeWorkingTree } from "./staging.ts";
import type { TreeDifference } from "./staging.ts";
import { readStatus } from "./status.ts";
import type { RawStatus } from "./status.ts";
import { findSwept } from "./sweep.ts";

export interface RollbackSetting {
  readonly session: string;
  readonly protection: Protection;
  readonly lockWaitMs: number;
  /** Ends the wait for the lock, and nothing that was begun. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Takes the tree back to `point`. Only paths that differ are touched, so that protected, ignored and
 * submodule files keep even their times.
 */
export async function rollBack(
  place: Place,
  point: TreePoint,
  setting: RollbackSetting,
): Promise<void> {
  const { lockWaitMs: waitMs, signal } = setting;
  await waitForIndexLock(place.gitDir, { waitMs, ...(signal === undefined ? {} : { signal }) });
  const status = await readStatus(place);
  const unchanged = await setting.protection.unchanged(status);
  const now = await writeWorkingTree(place, status);
  const target = point.tree ?? point.head;
  const differences = (await diffTrees(place, now, target)).filter(
    ({ path }) => !unchanged.has(path) && !isOwnState(path),
  );
  await endWhatIsUnderWay(place);
  await moveHead(place, point, { status, session: setting.session });
  await plumb(place, { args: ["read-tree", "--reset", point.head] });
  await restage(place, status, unchanged);
  const restored = await restoreFiles(place, target, differences);
  await removeFiles(place, madeSince(differences));
  setting.protection.remember(restored);
  await settleIndex(place);
  await removeUncovered(place, point, setting);
}

const gitlink = "160000";
const absent = "000000";

/** Files that differ and are in the target; a submodule's folder is made, never filled. */
async function restoreFiles(
  place: Place,
  target: string,
  differences: readonly TreeDifference[],
): Promise<readonly string[]> {
  const wanted = differences.filter(({ from, to }) => to !== absent && from !== gitlink);
  const files = wanted.filter(({ to }) => to !== gitlink).map(({ path }) => path);
  if (files.length > 0)
    await withIndexCopy(place, async (indexFile) => {
      await plumb(place, { args: ["read-tree", "--reset", target], indexFile });
      // -f: also where a folder, file or symlink of the step stands in the way
      await plumb(place, {
        args: ["checkout-index", "--force", "--quiet", "-z", "--stdin"],
        stdin: joinNul(files),
        indexFile,
      });
    });
  for (const { path, to } of wanted)
    if (to === gitlink) {
      await unlink(absolutePath(place.root, path)).catch(() => undefined);
      await mkdir(absolutePath(place.root, path), { recursive: true });
    }
  return files;
}

/**
 * What the step had made and put into `.gitignore` itself lies bare once its rules are undone: kept
 * like the rest, then removed. Left lying when it is more than a commit may hold (`node_modules`).
 */
async function removeUncovered(
  place: Place,
  point: TreePoint,
  setting: RollbackSetting,
): Promise<void> {
  const status = await readStatus(place);
  const unchanged = await setting.protection.unchanged(status);
  if (status.entries.size === unchanged.size) return;
  const added: TreeChange[] = [];
  for (const { path, kind } of status.entries.values())
    if (kind === "added" && !unchanged.has(path)) added.push({ path, kind });
  if (added.length === 0 || findSwept(place.root, added) !== null) return;
  const now = await writeWorkingTree(place, status);
  const differences = await diffTrees(place, now, point.tree ?? point.head);
  const bare = differences.filter(({ path, to }) => to === absent && !unchanged.has(path));
  if (bare.length === 0) return;
  const message = `mmm: ignored files of a failed step of ${setting.session}`;
  const commit = await commitTree(place, { tree: now, parents: [point.head], message });
  await keepCommit(place, setting.session, commit);
  await removeFiles(place, madeSince(bare));
}

/** HEAD and the point's branch; a tip that nothing else would hold is kept first. */
async function moveHead(
  place: Place,
  point: TreePoint,
  now: { readonly status: RawStatus; readonly session: string },
): Promise<void> {
  const { client } = place;
  if (point.branch === null) {
    await client.text("update-ref", "-m", "mmm rollback", "--no-deref", "HEAD", point.head);
    return;
  }
  const ref = `refs/heads/${point.branch}`;
  const tip = await client.answer("rev-parse", "--verify", "--quiet", `${ref}^{commit}`);
  if (tip !== null && tip !== point.head && !(await isHeld(place, tip, now.status.head)))
    await keepCommit(place, now.session, tip);
  await client.text("update-ref", "-m", "mmm rollback", ref, point.head);
  if (now.status.branch !== point.branch)
    await client.text("symbolic-ref", "-m", "mmm rollback", "HEAD", ref);
}

/** `keepFailed` keeps HEAD as it was, and with it all that HEAD descends from. */
async function isHeld(place: Place, tip: string, head: string): Promise<boolean> {
  if (head === "") return false;
  return (await place.client.answer("merge-base", "--is-ancestor", tip, head)) !== null;
}

/** What the user had staged of his protected files stays staged. */
async function restage(
  place: Place,
  status: RawStatus,
  unchanged: ReadonlySet<string>,
): Promise<void> {
  const staged = [];
  for (const path of unchanged) {
    const side = status.entries.get(path)?.staged?.index;
    if (side !== undefined) staged.push({ path, side });
  }
  await setIndex(place, staged);
}

function madeSince(differences: readonly TreeDifference[]): readonly string[] {
  return differences
    .filter(({ from, to }) => to === absent && from !== gitlink)
    .map(({ path }) => path);
}

const leftovers = [
  "MERGE_HEAD",
  "MERGE_MSG",
  "MERGE_MODE",
  "MERGE_RR",
  "AUTO_MERGE",
  "SQUASH_MSG",
  "CHERRY_PICK_HEAD",
  "REVERT_HEAD",
  "REBASE_HEAD",
  "sequencer",
  "rebase-merge",
  "rebase-apply",
  "BISECT_LOG",
  "BISECT_START",
  "BISECT_NAMES",
  "BISECT_TERMS",
  "BISECT_EXPECTED_REV",
  "BISECT_ANCESTORS_OK",
  "BISECT_HEAD",
  "BISECT_FIRST_PARENT",
];

/** A session starts with nothing under way, so whatever is now is the step's. */
async function endWhatIsUnderWay(place: Place): Promise<void> {
  // puts an autostash on the stash list, where removing the folder would lose it
  await tryPlumb(place, { args: ["rebase", "--quit"] });
  for (const name of leftovers)
    await rm(join(place.gitDir, name), { recursive: true, force: true });
  const refs = await place.client.text("for-each-ref", "--format=%(refname)", "refs/bisect/");
  for (const ref of refs.split("\n").filter((line) => line !== ""))
    await place.client.text("update-ref", "-d", ref);
}

async function settleIndex(place: Place): Promise<void> {
  // exit 1 only says that something still differs
  await tryPlumb(place, { args: ["update-index", "-q", "--refresh"] });
  if (await readFlag(place, "core.sparseCheckout"))
    await tryPlumb(place, { args: ["sparse-checkout", "reapply"] });
}
