/** What a try of an input before this one has left goes; what of it is nowhere else is kept under a ref (spec 8.4). */
import { rename, rmdir } from "node:fs/promises";
import { basename } from "node:path";
import { keepCommit } from "../../git/keep.ts";
import { createPlace } from "../../git/place.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import type { SessionTree } from "../../git/tree.ts";
import { deleteBranch, onlyOn, removeWorktree, tipOf } from "../../git/worktree.ts";
import { isThere } from "./place.ts";
import { treeAt } from "./work.ts";

export interface LeftByInput {
  /** Of its worktree and its branch. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The commit it began on; `null`: nobody knows. */
  readonly base: string | null;
  /** Its tree, when it is there. */
  readonly open: () => Promise<SessionTree>;
}

/** For people: where it is. */
export async function putAside(
  own: RepositoryStart,
  { name, path, base, open }: LeftByInput,
): Promise<readonly string[]> {
  const notes: string[] = [];
  const note = (ref: string): void => void notes.push(`what ${name} had left is kept in ${ref}`);
  if (isThere(path) && (await treeAt(own, path)) === null) {
    const moved = await moveAway(path);
    if (moved !== null)
      notes.push(
        `what lay at ${path} is no worktree of ${name}: it is now ${moved} (mmm worktree clean ${basename(moved)} removes it)`,
      );
  } else if (isThere(path)) {
    const tree = await open();
    const look = await tree.look();
    if (look.changes.length > 0 || look.head !== base) note(await tree.keepFailed());
  }
  // Its tree may be gone, or stand elsewhere.
  const tip = await tipOf(own, name);
  const kept = `--glob=refs/mmm/failed/${name}/*`;
  if (tip !== null && (await onlyOn(own, { branch: name, tips: [tip], also: [kept] })) > 0)
    note(await keepCommit(createPlace(own), name, tip));
  await removeWorktree(own, path);
  await deleteBranch(own, name);
  return notes;
}

/** Not ours to look into. Where it is then; `null`: it was an empty folder. */
async function moveAway(place: string): Promise<string | null> {
  const isGone = await rmdir(place).then(
    () => true,
    () => false,
  );
  if (isGone) return null;
  let number = 1;
  while (isThere(`${place}.aside-${number}`)) number += 1;
  const aside = `${place}.aside-${number}`;
  await rename(place, aside);
  return aside;
}
