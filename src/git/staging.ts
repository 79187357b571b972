/** Index work: linear in the number of paths, names literal, ignore rules not asked again. */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { encodePath, joinNul, splitNul } from "./path.ts";
import { plumb, tryPlumb } from "./place.ts";
import type { Place, Plumbing } from "./place.ts";
import { gitFailed } from "./run.ts";
import type { IndexSide, RawStatus, StatusEntry } from "./status.ts";

const absent = "000000";

/** Puts the working tree's state of `entries` into the tree's own index. */
export async function stageFromTree(place: Place, entries: readonly Stageable[]): Promise<void> {
  await setIndex(place, removals(place, entries));
  const paths = present(entries);
  if (paths.length > 0) await plumb(place, addition(paths));
}

type Stageable = Pick<StatusEntry, "path" | "kind">;

/** First, and by name alone: `update-index --remove` refuses a path whose folder became a symlink. */
function removals(
  place: Place,
  entries: readonly Stageable[],
): readonly { readonly path: string; readonly side: IndexSide }[] {
  return entries
    .filter((entry) => entry.kind === "deleted" || entry.kind === null)
    .map((entry) => ({ path: entry.path, side: { mode: absent, id: place.noObject } }));
}

function present(entries: readonly Stageable[]): readonly string[] {
  return entries
    .filter(({ kind }) => kind !== "deleted" && kind !== null && kind !== "nested-repository")
    .map((entry) => entry.path);
}

function addition(paths: readonly string[]): Plumbing {
  return {
    args: ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"],
    stdin: joinNul(paths),
  };
}

/** More files than that cannot be read: something else is wrong, and not worth a process each. */
const maxUnreadable = 100;

/**
 * Stages what can be staged. An unreadable file or one whose filter fails must not keep the others
 * from being kept; it is halved down to, left out here, and so left alone by a rollback.
 */
async function stageReadable(
  place: Place,
  paths: readonly string[],
  indexFile: string,
): Promise<void> {
  let failures = 0;
  const waiting: (readonly string[])[] = [paths];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.length === 0) continue;
    const plumbing = { ...addition(next), indexFile };
    const result = await tryPlumb(place, plumbing);
    if (result.code === 0) continue;
    failures += 1;
    if (failures > maxUnreadable) throw gitFailed(plumbing.args, result);
    if (next.length === 1) continue;
    const middle = Math.ceil(next.length / 2);
    waiting.push(next.slice(0, middle), next.slice(middle));
  }
}

/** As links to their HEAD; one without a commit cannot be and is left out. */
export async function stageNested(place: Place, paths: readonly string[]): Promise<void> {
  for (const path of paths)
    await tryPlumb(place, {
      args: ["update-index", "--add", "-z", "--stdin"],
      stdin: joinNul([path]),
    });
}

/** Sets index entries without looking at files. */
export async function setIndex(
  place: Place,
  entries: readonly { readonly path: string; readonly side: IndexSide }[],
  indexFile?: string,
): Promise<void> {
  if (entries.length === 0) return;
  await plumb(place, {
    args: ["update-index", "--add", "--replace", "-z", "--index-info"],
    stdin: Buffer.concat(
      entries.flatMap(({ path, side }) => [
        Buffer.from(`${side.mode === absent ? "0" : side.mode} ${side.id}\t`),
        encodePath(path),
        Buffer.of(0),
      ]),
    ),
    ...(indexFile === undefined ? {} : { indexFile }),
  });
}

/** A copy of the index to work on; removed afterwards. */
export async function withIndexCopy<T>(
  place: Place,
  use: (indexFile: string) => Promise<T>,
): Promise<T> {
  const file = join(place.gitDir, `mmm-index-${randomUUID()}`);
  try {
    await copyIndex(join(place.gitDir, "index"), file, 0).catch((cause: NodeJS.ErrnoException) => {
      // a step removed the index: then all files count as untracked, and an empty one is right
      if (cause.code !== "ENOENT") throw cause;
    });
    return await use(file);
  } finally {
    await rm(file, { force: true });
    await rm(`${file}.lock`, { force: true });
  }
}

/** Puts a saved index back the way git would: through `index.lock`. */
export async function restoreIndex(place: Place, saved: string): Promise<void> {
  const lock = join(place.gitDir, "index.lock");
  await copyIndex(saved, lock, constants.COPYFILE_EXCL);
  await rename(lock, join(place.gitDir, "index"));
}

/**
 * With its time: git trusts a file's size and time only when the index is younger than the file was
 * (https://git-scm.com/docs/racy-git); a fresh copy would make it trust what was written just now.
 */
async function copyIndex(from: string, to: string, mode: number): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to, mode);
  const seconds = Math.floor(mtimeMs) / 1000; // rounded down is safe, up is not
  await utimes(to, seconds, seconds);
}

/**
 * A tree object of the whole working tree: tracked as it lies there, untracked in, ignored out.
 * Nested repositories are left out; submodules are links to their HEAD.
 */
export async function writeWorkingTree(place: Place, status: RawStatus): Promise<string> {
  if (status.entries.size === 0 && status.head !== "")
    return (await place.client.text("rev-parse", `${status.head}^{tree}`)).trim();
  return await withIndexCopy(place, async (indexFile) => {
    const entries = [...status.entries.values()];
    await setIndex(place, removals(place, entries), indexFile);
    await stageReadable(place, present(entries), indexFile);
    const tree = await plumb(place, { args: ["write-tree"], indexFile });
    return tree.toString("utf8").trim();
  });
}

/** One path that differs between two trees. */
export interface TreeDifference {
  readonly path: string;
  /** `000000`: not there. */
  readonly from: string;
  readonly to: string;
}

/** With the objects; zeros: not there. */
export interface ObjectDifference extends TreeDifference {
  readonly fromId: string;
  readonly toId: string;
}

export async function diffTrees(
  place: Place,
  from: string,
  to: string,
): Promise<readonly ObjectDifference[]> {
  if (from === to) return [];
  const output = await plumb(place, {
    args: ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--ignore-submodules=none", from, to],
  });
  const parts = splitNul(output);
  const found: ObjectDifference[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const meta = parts[index] ?? "";
    const [from = "", to = "", fromId = "", toId = ""] = meta.slice(1).split(" ");
    found.push({ path: parts[index + 1] ?? "", from, to, fromId, toId });
  }
  return found;
}
