/** Does the tree still stand where the session left it (spec 7)? What somebody else did is never undone. */
import { MmmError } from "../errors.ts";
import { headMoves } from "../git/head-moves.ts";
import { showPath } from "../git/path.ts";
import { waitForIndexLock } from "../git/index-lock.ts";
import type { RepositoryStart } from "../git/repository.ts";
import type { Ready } from "../git/ready.ts";
import { openTree } from "../git/tree.ts";
import type { Reuse, Story } from "../session/past.ts";
import type { LastPlace } from "../session/whereabouts.ts";
import type { TreeLook, TreePoint, TreePort } from "../engine/ports.ts";
import { savedRequest } from "./saved-request.ts";

interface Resuming {
  readonly name: string;
  readonly story: Story;
  readonly reuse: Reuse;
  /** Files that are nobody's business. */
  readonly ready: Ready;
}

/** Throws `MmmError` (exit 3) when the tree has moved on. */
export async function checkPlace(start: RepositoryStart, resuming: Resuming): Promise<void> {
  const { name, story, ready } = resuming;
  const { place } = story;
  if (place === null) return;
  await waitForIndexLock(start.gitDir, { waitMs: 10_000 });
  await checkHead(start, name, place);
  const tree = await openTree({ start, session: name, ready });
  const now = await tree.look();
  const strange = await strangeFiles(tree, now, { place, restart: resuming.reuse.restart });
  // The playbook and the like may have been put back since: that is no change of the work.
  const known = new Set(savedRequest(story.request)?.protectedFiles.map(({ path }) => path));
  const moved = strange.filter((path) => !known.has(path));
  if (moved.length > 0) throw filesMoved(name, moved);
}

async function checkHead(start: RepositoryStart, name: string, place: LastPlace): Promise<void> {
  const now = await headMoves(start, { from: place.head, session: name });
  if (now.stranger === null && (now.branch === place.branch || now.head !== place.head)) return;
  const stood = place.branch === null ? "a detached HEAD" : `branch ${place.branch}`;
  const stands = now.branch === null ? "a detached HEAD" : `branch ${now.branch}`;
  const how = now.stranger === null || now.stranger === "unknown" ? "" : ` (${now.stranger})`;
  const back =
    now.branch === place.branch
      ? `git reset --keep ${short(place.head)}   (your commits stay in the reflog)`
      : `git switch ${place.branch ?? `--detach ${short(place.head)}`}`;
  throw new MmmError("tree-moved-on", 3, {
    message: `the tree has moved on since ${name} stopped: it stood on ${stood} at ${short(place.head)}, and now it is ${stands} at ${short(now.head)}${how}`,
    next: [back, `or give the session up: mmm sessions drop ${name}`],
  });
}

/** Files that changed after the session stopped; what a killed unit left cannot be told from them, and is kept. */
async function strangeFiles(
  tree: TreePort,
  now: TreeLook,
  { place, restart }: { readonly place: LastPlace; readonly restart: TreePoint | null },
): Promise<readonly string[]> {
  if (place.left !== null) {
    const left = place.left;
    if (await tree.sameTree(left, now)) return [];
    // Somebody has tidied up: that is where the unit starts anyway.
    if (restart !== null && (await tree.sameTree(restart, now))) return [];
    return (await tree.filesSince(left)).map(({ path }) => path);
  }
  if (place.look === null) return [];
  const known = new Set(place.look.changes.map(({ path, kind }) => `${kind} ${path}`));
  return now.changes
    .filter(({ path, kind }) => !known.has(`${kind} ${path}`))
    .map(({ path }) => path);
}

const MOST_LISTED = 20;

function filesMoved(name: string, files: readonly string[]): MmmError {
  const listed = files.slice(0, MOST_LISTED).map((file) => `  ${showPath(file)}`);
  if (files.length > MOST_LISTED) listed.push(`  and ${files.length - MOST_LISTED} more`);
  const what = files.length === 1 ? "1 file has" : `${files.length} files have`;
  return new MmmError("tree-moved-on", 3, {
    message: `${what} changed since ${name} stopped:\n${listed.join("\n")}`,
    next: ["put them aside: git stash -u", `or give the session up: mmm sessions drop ${name}`],
  });
}

function short(sha: string): string {
  return sha.slice(0, 10);
}
