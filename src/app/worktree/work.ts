/** What in a worktree would be lost with it (spec 8.2). */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { SavedFingerprint } from "../../git/protection.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { findRepository } from "../../git/repository.ts";
import { openTree } from "../../git/tree.ts";
import { onlyOn, tipOf } from "../../git/worktree.ts";
import { inputNumber, type InputRecord, readInputRecord } from "../../session/worktree-file.ts";
import { requestIn } from "../saved-request.ts";

/** Paths that differ from its commit, without what lay there when the session began. */
export async function uncommitted(
  here: RepositoryStart,
  {
    name,
    path,
    directory,
  }: { readonly name: string; readonly path: string; readonly directory: string },
): Promise<readonly string[]> {
  const start = await treeAt(here, path);
  if (start === null) return [];
  const input = name === basename(directory) ? null : inputNumber(name);
  const saved =
    input === null
      ? (requestIn(directory)?.protectedFiles ?? [])
      : protectedIn(readInputRecord(directory, input));
  const ready = { protectedPaths: saved.map((file) => file.path), saved };
  const tree = await openTree({ start, session: name, ready });
  return (await tree.look()).changes.map((change) => change.path);
}

/** As the session has written them. */
export function protectedIn(record: InputRecord | null): readonly SavedFingerprint[] {
  return (record?.protectedFiles ?? []) as readonly SavedFingerprint[]; // Of the tree that took them.
}

/** Commits that are nowhere else: of the branch, and of wherever its tree stands now. */
export async function unmerged(
  here: RepositoryStart,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<number> {
  const tip = await tipOf(here, name);
  const head = (await treeAt(here, path))?.head ?? null;
  const tips = [...new Set([tip, head])].filter((sha) => sha !== null);
  return tips.length === 0 ? 0 : await onlyOn(here, { branch: name, tips });
}

/** `null`: there is no tree of this repository any more. */
export async function treeAt(here: RepositoryStart, path: string): Promise<RepositoryStart | null> {
  if (!existsSync(path)) return null;
  const found = await findRepository(path, here.env).catch(() => null);
  return found?.commonDir === here.commonDir && found.root === path ? found : null;
}
