/**
 * Files that are not committed where a branch is checked out, and that a merge would bring along (spec 8.3): a
 * worktree gets copies of some, and a `git add -A` in there commits those.
 */
import { lstat } from "node:fs/promises";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import { idsOf, type TreeMove } from "./half-moved.ts";
import { absolutePath, showPath } from "./path.ts";
import { createPlace } from "./place.ts";
import type { RepositoryStart } from "./repository.ts";
import { diffTrees, type ObjectDifference, setIndex } from "./staging.ts";
import { readStatus } from "./status.ts";

/** Uncommitted in a tree, with the very content that the later commit has there. */
export async function alreadyThere(
  start: RepositoryStart,
  { from, to }: TreeMove,
): Promise<readonly ObjectDifference[]> {
  const place = createPlace(start);
  const { entries } = await readStatus(place);
  if (entries.size === 0) return [];
  const files: ObjectDifference[] = [];
  for (const difference of await diffTrees(place, from, to)) {
    const entry = entries.get(difference.path);
    // What somebody has staged may lie nowhere else.
    if (entry === undefined || entry.staged !== null || !difference.to.startsWith("100")) continue;
    const stats = await lstat(absolutePath(place.root, difference.path)).catch(() => null);
    if (stats?.isFile() === true) files.push(difference);
  }
  const ids = await idsOf(place, files);
  return files.filter(({ toId }, at) => ids?.[at] === toId);
}

/** What the index has as the later commit does, git leaves alone: no file is touched or at risk. */
export async function stage(
  start: RepositoryStart,
  files: readonly ObjectDifference[],
): Promise<void> {
  await setIndex(
    createPlace(start),
    files.map(({ path, to, toId }) => ({ path, side: { mode: to, id: toId } })),
  );
}

/** Puts the index back as it was before {@link stage}. */
export async function unstage(
  start: RepositoryStart,
  files: readonly ObjectDifference[],
): Promise<void> {
  await setIndex(
    createPlace(start),
    files.map(({ path, from, fromId }) => ({ path, side: { mode: from, id: fromId } })),
  );
}

/** More names make no message to read. */
const MOST_LISTED = 20;

/**
 * With lines that get the files out of the way and lose nothing; `null`: git has failed of something else.
 *
 * @param stderr of `git merge`, in English
 */
export function inTheWay({ root }: RepositoryStart, stderr: string): MmmError | null {
  if (!/^Aborting$/mu.test(stderr)) return null;
  const files = stderr.split("\n").flatMap((line) => /^\t(.+)$/u.exec(line)?.slice(1) ?? []);
  if (files.length === 0) return null;
  const listed = files.slice(0, MOST_LISTED).map((file) => `\n  ${showPath(file)}`);
  if (files.length > MOST_LISTED) listed.push(`\n  and ${files.length - MOST_LISTED} more`);
  const what =
    files.length === 1
      ? "a file that is not committed would be overwritten"
      : `${files.length} files that are not committed would be overwritten`;
  const git = `git -C ${shellWord(root)}`;
  const words = files.map(pathspec).join(" ");
  return new MmmError("in-the-way", 3, {
    message: `${what} in ${root}:${listed.join("")}`,
    next: [
      `${git} stash push -u -- ${words}`,
      `or commit ${files.length === 1 ? "it" : "them"}: ${git} add -- ${words} && ${git} commit -m "as it was here" -- ${words}`,
    ],
  });
}

/** A name, never a pattern. */
function pathspec(path: string): string {
  return shellWord(/[*?[\\]|^:/u.test(path) ? `:(literal)${path}` : path);
}
