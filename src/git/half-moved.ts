/**
 * What git leaves when it is ended, or finds the disk full, while it takes a tree from one commit to a later one:
 * HEAD stands where it stood, and some files and entries of the index are of the later one (spec 7, 8.3).
 */
import { lstat, readFile, readlink } from "node:fs/promises";
import { absolutePath, encodePath, joinNul } from "./path.ts";
import { createPlace, type Place, plumb, tryPlumb } from "./place.ts";
import { removeFiles } from "./remove.ts";
import type { RepositoryStart } from "./repository.ts";
import { diffTrees, setIndex, type ObjectDifference } from "./staging.ts";
import { readStatus, type StatusEntry } from "./status.ts";

/** Commits. */
export interface TreeMove {
  readonly from: string;
  readonly to: string;
}

const absent = "000000";
const gitlink = "160000";
const link = "120000";

/** Paths that the move alone can have changed so: what lies there is of one of its ends, wholly or in part. */
export async function halfMoved(
  start: RepositoryStart,
  move: TreeMove,
): Promise<readonly string[]> {
  return (await leftOf(createPlace(start), move)).map(({ path }) => path);
}

/** Puts those back, and nothing else; safe to repeat. `others`: paths that are somebody else's, whatever lies there. */
export async function undoHalfMove(
  start: RepositoryStart,
  move: TreeMove,
  others: ReadonlySet<string> = new Set(),
): Promise<void> {
  const place = createPlace(start);
  const left = (await leftOf(place, move)).filter(({ path }) => !others.has(path));
  // First, as that makes room.
  await removeFiles(
    place,
    left.filter(({ from }) => from === absent).map(({ path }) => path),
  );
  await setIndex(
    place,
    left.map(({ path, from, fromId }) => ({ path, side: { mode: from, id: fromId } })),
  );
  const files: string[] = [];
  for (const { path, from } of left) {
    if (from === absent || from === gitlink) continue;
    // `checkout-index` would remove a folder that is in its way, whatever is in it.
    const stands = await lstat(absolutePath(place.root, path)).catch(() => null);
    if (stands?.isDirectory() !== true) files.push(path);
  }
  if (files.length === 0) return;
  const args = ["checkout-index", "--force", "--quiet", "-u", "-z", "--stdin"];
  await plumb(place, { args, stdin: joinNul(files) });
}

async function leftOf(place: Place, { from, to }: TreeMove): Promise<readonly ObjectDifference[]> {
  const status = await readStatus(place);
  if (status.head !== from || status.entries.size === 0) return [];
  const left: ObjectDifference[] = [];
  const unclear: ObjectDifference[] = [];
  for (const difference of await diffTrees(place, from, to)) {
    const entry = status.entries.get(difference.path);
    if (entry === undefined || !isStagedBy(entry, difference)) continue;
    const how = await glance(place, difference);
    if (how === "ours") left.push(difference);
    else if (how === "unclear") unclear.push(difference);
  }
  const ids = await idsOf(place, unclear);
  for (const [at, difference] of unclear.entries()) {
    const id = ids?.[at];
    const isWhole = id !== undefined && (id === difference.fromId || id === difference.toId);
    if (isWhole || (await isPart(place, difference))) left.push(difference);
  }
  return left;
}

/** The index is that of one of the two commits. */
function isStagedBy({ staged }: StatusEntry, { to, toId }: ObjectDifference): boolean {
  return staged === null || (staged.index.mode === to && staged.index.id === toId);
}

/** Without a process. */
async function glance(
  { root }: Place,
  { path, from, to }: ObjectDifference,
): Promise<"ours" | "unclear" | "others"> {
  const stats = await lstat(absolutePath(root, path)).catch(() => null);
  // git removes a file before it writes it anew.
  if (stats === null || (stats.isFile() && stats.size === 0)) return "ours";
  if (stats.isFile() || stats.isSymbolicLink()) return "unclear";
  // Where a folder stands, files of the other commit lie in it; a submodule's is never filled.
  const isFolder = [from, to].some((mode) => mode === gitlink || mode === absent);
  return stats.isDirectory() && isFolder ? "ours" : "others";
}

/** What git would store; `null`: it cannot be asked in one go. */
export async function idsOf(
  place: Place,
  files: readonly Pick<ObjectDifference, "path">[],
): Promise<readonly string[] | null> {
  if (files.length === 0) return null;
  const paths = files.map(({ path }) => path);
  if (paths.some((path) => /^"|\n/u.test(path))) return null;
  const stdin = Buffer.concat(paths.flatMap((path) => [encodePath(path), Buffer.from("\n")]));
  const result = await tryPlumb(place, { args: ["hash-object", "--stdin-paths"], stdin });
  const ids = result.stdout.toString("utf8").trimEnd().split("\n");
  return result.code === 0 && ids.length === paths.length ? ids : null;
}

/** Does it hold the beginning of what one of the two commits has there? */
async function isPart(place: Place, difference: ObjectDifference): Promise<boolean> {
  const { path, from, fromId, to, toId } = difference;
  const name = absolutePath(place.root, path);
  const stats = await lstat(name);
  const found = stats.isSymbolicLink()
    ? Buffer.from(await readlink(name, { encoding: "buffer" }))
    : await readFile(name);
  for (const [mode, id] of [
    [to, toId],
    [from, fromId],
  ] as const) {
    if (mode === absent || mode === gitlink || (mode === link) !== stats.isSymbolicLink()) continue;
    const filters = mode === link ? ["blob"] : ["--filters", `--path=${path}`];
    const whole = await tryPlumb(place, { args: ["cat-file", ...filters, id] });
    if (whole.code === 0 && whole.stdout.subarray(0, found.length).equals(found)) return true;
  }
  return false;
}
