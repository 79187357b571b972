/** Several files, all of them or none. */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";

export interface PlannedFile {
  /** Absolute path, no symlink. */
  readonly target: string;
  readonly text: string;
  /** What is there now and comes back when another file cannot be written; `null`: nothing. */
  readonly there: { readonly text: string; readonly mode: number } | null;
}

/**
 * Writes every file beside its target first and renames only when all are on disk; makes folders when needed.
 *
 * @throws MmmError `init-unwritable`, exit 3; what was made up to then is gone again
 */
export async function writeTogether(files: readonly PlannedFile[]): Promise<void> {
  const made: string[] = [];
  const tag = randomBytes(6).toString("hex");
  const staged = files.map((file) => ({ ...file, draft: `${file.target}.${tag}.tmp` }));
  const placed: PlannedFile[] = [];
  let folder = "";
  try {
    for (const { draft, text, there } of staged) {
      folder = path.dirname(draft);
      await makeFolder(folder, made);
      await writeFile(draft, text, { flag: "wx", mode: there?.mode ?? 0o644 });
    }
    for (const file of staged) {
      folder = path.dirname(file.draft);
      await rename(file.draft, file.target);
      placed.push(file);
    }
  } catch (cause) {
    for (const file of placed) await putBack(file).catch(() => undefined);
    for (const file of staged) await rm(file.draft, { force: true }).catch(() => undefined);
    // only folders made here, and only while they are empty
    for (const place of made.reverse()) await rmdir(place).catch(() => undefined);
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    const reason = cause.message;
    throw new MmmError("init-unwritable", 3, {
      message: `cannot write to ${folder}: ${reason}`,
      next: [`make ${folder} writable, then \`mmm init\` again`],
      cause,
    });
  }
}

async function putBack({ target, there }: PlannedFile): Promise<void> {
  if (there === null) await rm(target, { force: true });
  else await writeFile(target, there.text, { mode: there.mode });
}

/** One folder at a time, so that `made` names exactly those that were not there. */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  if ((await lstat(folder).catch(() => null)) !== null) return;
  await makeFolder(path.dirname(folder), made);
  await mkdir(folder);
  made.push(folder);
}
