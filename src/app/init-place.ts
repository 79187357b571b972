/** Where `mmm init` writes: inside of the repository, through no symlink that leaves it. */
import { lstat, readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";

export interface InitPlace {
  /** Absolute, symlinks resolved as far as it exists. */
  readonly target: string;
  /** What is there now; `null`: nothing. */
  readonly there: { readonly text: string; readonly mode: number } | null;
}

/**
 * @param file relative to the repository's top `root`, `/` between folders
 * @throws MmmError exit 3: a symlink leads out of the repository or to nothing, or a file and a folder stand in
 *   each other's place
 */
export async function placeOf(root: string, file: string): Promise<InitPlace> {
  const base = await realpath(root);
  const folders = file.split("/");
  const name = folders.pop() ?? "";
  let place = base;
  for (const folder of folders) {
    const next = path.join(place, folder);
    const real = await realOf(base, next);
    if (real !== null && !(await lstat(real)).isDirectory()) {
      throw new MmmError("not-a-folder", 3, {
        message: `${next} is a file where a folder should be, nothing was written`,
        next: [`mv ${shellWord(next)} ${shellWord(`${next}.old`)}`],
      });
    }
    place = real ?? next;
  }
  const target = path.join(place, name);
  const real = await realOf(base, target);
  if (real === null) return { target, there: null };
  const stats = await lstat(real);
  if (!stats.isFile()) {
    throw new MmmError("not-a-file", 3, {
      message: `${target} is not a file, nothing was written`,
      next: [`mv ${shellWord(target)} ${shellWord(`${target}.old`)}`],
    });
  }
  return { target: real, there: { text: await readFile(real, "utf8"), mode: stats.mode & 0o777 } };
}

/** `null`: nothing is there. */
async function realOf(base: string, place: string): Promise<string | null> {
  if ((await lstat(place).catch(() => null)) === null) return null;
  const real = await realpath(place).catch(() => null);
  if (real !== null && real.startsWith(base + path.sep)) return real;
  const where = real === null ? "to nothing" : `out of the repository, to ${real}`;
  throw new MmmError("symlink-outside", 3, {
    message: `${place} is a symlink that leads ${where}, nothing was written`,
    next: [`rm ${shellWord(place)}`],
  });
}
