import { realpath, rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { MmmError } from "../errors.ts";
import { absolutePath, joinNul, showPath, splitNul } from "./path.ts";
import { tryPlumb } from "./place.ts";
import type { Place } from "./place.ts";
import { gitFailed } from "./run.ts";

/** What the step made, unless the ignore rules of the target say that it is none of git's business. */
export async function removeFiles(place: Place, paths: readonly string[]): Promise<void> {
  const made = await withoutLinkedFolders(place.root, paths);
  const isRule = (path: string): boolean => path === ".gitignore" || path.endsWith("/.gitignore");
  await unlinkAll(place.root, made.filter(isRule));
  const rest = made.filter((path) => !isRule(path));
  const ignored = await findIgnored(place, rest);
  await unlinkAll(
    place.root,
    rest.filter((path) => !ignored.has(path)),
  );
}

/** A step that took lines out of .gitignore made ignored files visible; those are not its own. */
async function findIgnored(place: Place, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  // check-ignore knows no literal pathspecs, and `./` keeps a name from being taken for magic
  const args = ["check-ignore", "-z", "--stdin"];
  const result = await tryPlumb(
    { ...place, env: { ...place.env, GIT_LITERAL_PATHSPECS: "0" } },
    { args, stdin: joinNul(paths.map((path) => `./${path}`)) },
  );
  if (result.code !== 0 && result.code !== 1) throw gitFailed(args, result);
  return new Set(splitNul(result.stdout).map((path) => path.slice(2)));
}

/**
 * Those whose folders are folders all the way: what lay in a folder that is a symlink again is gone,
 * and nothing outside of the tree is ever removed.
 */
async function withoutLinkedFolders(
  root: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  const folders = new Map<string, boolean>();
  const kept: string[] = [];
  for (const path of paths) {
    const folder = dirname(path);
    const known = folders.get(folder) ?? (await isRealFolder(root, folder));
    folders.set(folder, known);
    if (known) kept.push(path);
  }
  return kept;
}

async function isRealFolder(root: string, folder: string): Promise<boolean> {
  const name = folder === "." ? root : absolutePath(root, folder);
  const real = await realpath(name, { encoding: "buffer" }).catch(() => null);
  return real?.equals(Buffer.from(name)) === true;
}

async function unlinkAll(root: string, paths: readonly string[]): Promise<void> {
  for (const path of paths)
    await unlink(absolutePath(root, path)).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR" && cause.code !== "EISDIR")
        throw notRemoved(path, cause);
    });
  for (const folder of new Set(paths.map((path) => dirname(path))))
    await removeEmptyFolders(root, folder);
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let path = folder; path !== "." && path !== ""; path = dirname(path)) {
    try {
      await rmdir(absolutePath(root, path));
    } catch {
      return; // not empty, or gone with another file's folder
    }
  }
}

function notRemoved(path: string, cause: NodeJS.ErrnoException): MmmError {
  return new MmmError("rollback", 3, {
    message: `cannot take back ${showPath(path)}, which a failed step made: ${cause.message}`,
    next: [`make its folder writable and remove it: ${showPath(dirname(path))}`, "git status"],
    cause,
  });
}
