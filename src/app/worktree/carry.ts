/** What a fresh worktree gets beside its commit: uncommitted settings, inputs, and what `worktree:` names (spec 8.1). */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import type { WorktreeSetup } from "../../playbook/model.ts";
import { isThere } from "./place.ts";

/** From the tree the user stands in to the new one. */
export interface Carrying {
  readonly from: RepositoryStart;
  /** Top of the new tree, real path. */
  readonly to: string;
  /** Relative: uncommitted `.claude/**` and `.mmm/**`. */
  readonly settings: readonly string[];
  /** Absolute paths of parameter files and mapped files. */
  readonly files: readonly string[];
}

/** Settings, parameter files and inputs as they lie there now; those outside of the repository are read from there. */
export async function carrySettings({ from, to, settings, files }: Carrying): Promise<void> {
  const inputs = files
    .map((file) => path.relative(from.root, file).split(path.sep).join("/"))
    .filter((file) => !file.startsWith("../") && !path.isAbsolute(file));
  for (const file of new Set([...settings, ...inputs]))
    await carryFile(path.join(from.root, file), path.join(to, file), to);
}

async function carryFile(source: string, target: string, top: string): Promise<void> {
  const stat = lstatSync(source, { throwIfNoEntry: false });
  if (stat === undefined) {
    if (isInside(path.dirname(target), top)) await rm(target, { force: true });
    return;
  }
  // A link goes along as what it leads to: it may be relative. Folders are repositories of their own.
  if (!existsSync(source) || stat.isDirectory()) return;
  if (existsSync(target) && (await isSame(source, target))) return;
  await makeFolder(path.dirname(target), top);
  await rm(target, { force: true, recursive: true });
  await copyFile(source, target);
}

async function isSame(one: string, other: string): Promise<boolean> {
  if (!lstatSync(one).isFile() || !lstatSync(other).isFile()) return false;
  return (await readFile(one)).equals(await readFile(other));
}

/** `copy` and `link` of `worktree:`; returns a word for each name that is not there. */
export async function carryNamed(
  { from, to }: Pick<Carrying, "from" | "to">,
  { copy, link }: WorktreeSetup,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [key, names] of [["copy", copy] as const, ["link", link] as const])
    for (const name of names) {
      const source = path.join(from.root, name);
      if (!existsSync(source)) {
        missing.push(`worktree.${key}: there is no ${name} in ${from.root}`);
        continue;
      }
      if (!isInside(source, from.root)) throw outside(key, name, from.root);
      const target = path.join(to, name);
      await makeFolder(path.dirname(target), to);
      if (key === "copy")
        await cp(realpathSync(source), target, { recursive: true, verbatimSymlinks: true });
      else if (isThere(target)) missing.push(`worktree.link: ${name} is in the commit already`);
      else await symlink(realpathSync(source), target);
    }
  return missing;
}

/** Nothing is written through a link that leads out of the worktree. */
async function makeFolder(folder: string, top: string): Promise<void> {
  let existing = folder;
  while (!isThere(existing)) existing = path.dirname(existing);
  if (!isInside(existing, top)) throw outside("copy", folder, top);
  await mkdir(folder, { recursive: true });
}

function isInside(place: string, top: string): boolean {
  if (!existsSync(place)) return false;
  const real = realpathSync(place);
  return real === top || real.startsWith(top + path.sep);
}

function outside(key: string, name: string, top: string): MmmError {
  return new MmmError("outside", 3, {
    message: `worktree.${key}: ${name} leads out of ${top}`,
    next: ["name a file or folder inside of the repository, not a link that leaves it"],
  });
}
