/** Several files into one folder, all of them or none. */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";

export interface PlannedFile {
  /** Absolute path, no symlink. */
  readonly target: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * Writes every file beside its target first and renames only when all are on disk; makes `folder` when needed.
 *
 * @throws MmmError `init-unwritable`, exit 3; what was made up to then is gone again
 */
export async function writeTogether(folder: string, files: readonly PlannedFile[]): Promise<void> {
  if (files.length === 0) return;
  const made: string[] = [];
  const tag = randomBytes(6).toString("hex");
  const staged = files.map((file) => ({ ...file, draft: `${file.target}.${tag}.tmp` }));
  try {
    await makeFolder(folder, made);
    for (const file of staged) {
      await writeFile(file.draft, file.text, { flag: "wx", mode: file.mode });
    }
    for (const file of staged) await rename(file.draft, file.target);
  } catch (cause) {
    for (const file of staged) await rm(file.draft, { force: true }).catch(() => undefined);
    // only folders made here, and only while they are empty
    for (const place of made.reverse()) await rmdir(place).catch(() => undefined);
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    const reason = cause.message;
    throw new MmmError("init-unwritable", 3, {
      message: `cannot write the commands to ${folder}: ${reason}`,
      next: [`make ${folder} writable, then \`mmm init\` again`],
      cause,
    });
  }
}

/** One folder at a time, so that `made` names exactly those that were not there. */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  if ((await lstat(folder).catch(() => null)) !== null) return;
  await makeFolder(path.dirname(folder), made);
  await mkdir(folder);
  made.push(folder);
}
