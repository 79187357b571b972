/** Damaged files are kept for people, under a name that was free (spec 7). */
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";

/** Moves `file` to `<file>.damaged-<n>`, never over an earlier one; returns where it is now. */
export function setAside(file: string): string {
  for (let n = 1; ; n += 1) {
    const aside = damagedName(file, n);
    if (existsSync(aside)) continue;
    // Link and unlink fail on a name that was taken meanwhile; folders cannot be linked.
    if (statSync(file).isFile()) {
      try {
        linkSync(file, aside);
      } catch (error) {
        if (isTaken(error)) continue;
        copyFileSync(file, aside, constants.COPYFILE_EXCL);
      }
      rmSync(file);
    } else renameSync(file, aside);
    return aside;
  }
}

/** `journal.jsonl.damaged-1` */
export function damagedName(file: string, n: number): string {
  return `${file}.damaged-${n}`;
}

/** That name is in use. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
