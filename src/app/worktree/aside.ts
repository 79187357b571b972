/** Folders that lay where an input's worktree was to be, and were renamed (spec 8.2, 8.4): named, and removed when asked. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink, rm } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import { showPath } from "../../git/path.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { committedObjects } from "../../git/committed-objects.ts";
import type { Invocation } from "../cook-request.ts";
import { knownFolder, SESSION_NAME } from "./place.ts";

export interface AsideFolder {
  /** `NAME.aside-N`. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

const ASIDE = /^(.+)\.aside-\d+$/;

/** Whether or not there is one. */
export function isAsideName(name: string): boolean {
  return SESSION_NAME.test(ASIDE.exec(name)?.[1] ?? "");
}

/** Of this repository, by name. */
export async function asideFolders(
  { start, mainRoot }: { readonly start: RepositoryStart; readonly mainRoot: string },
  invocation: Invocation,
): Promise<readonly AsideFolder[]> {
  const folder = knownFolder(start, mainRoot, invocation);
  if (folder === null) return [];
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter(isAsideName)
    .toSorted()
    .map((name) => ({ name, path: path.join(folder, name) }));
}

/** Throws `MmmError` (exit 3) when a file in it is in no commit, and `force` does not say that it may go. */
export async function removeAside(
  start: RepositoryStart,
  { name, path: place }: AsideFolder,
  force: boolean,
): Promise<void> {
  const lost = force ? [] : await nowhereElse(start, place);
  if (lost.length > 0) {
    const listed = lost.slice(0, MOST_LISTED).map((file) => `\n  ${showPath(file)}`);
    const more = lost.length > MOST_LISTED ? "\n  and more" : "";
    throw new MmmError("work-left", 3, {
      message: `${name} has files that are in no commit:${listed.join("")}${more}`,
      next: [`look at it: ${place}`, `mmm worktree clean ${name} --force   (throws it away)`],
    });
  }
  await rm(place, { recursive: true, force: true, maxRetries: 3 });
}

const MOST_LISTED = 10;

/** Files whose content no commit has, as many as are told; what git ignores counts, as nobody knows its rules any more. */
async function nowhereElse(start: RepositoryStart, place: string): Promise<readonly string[]> {
  const committed = await committedObjects(start);
  const kind = start.head.length === 40 ? "sha1" : "sha256";
  const lost: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(path.join(place, folder), { withFileTypes: true });
    for (const entry of entries) {
      if (lost.length > MOST_LISTED) return;
      const file = path.join(folder, entry.name);
      // It says where git had its record.
      if (file === ".git" && entry.isFile()) continue;
      if (entry.isDirectory()) await walk(file);
      else if (!committed.has(await blobOf(path.join(place, file), kind))) lost.push(file);
    }
  };
  if ((await lstat(place)).isDirectory()) await walk("");
  else lost.push(path.basename(place));
  return lost;
}

/** Its name in git when no filter changes it; empty: it is no file that git could have. */
async function blobOf(file: string, kind: "sha1" | "sha256"): Promise<string> {
  const stats = await lstat(file);
  const hash = createHash(kind).update(`blob ${stats.size}\0`);
  if (stats.isSymbolicLink()) return hash.update(await readlink(file)).digest("hex");
  if (!stats.isFile()) return "";
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
