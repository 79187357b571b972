/** A disk that is full or closed is no fault of a step: it stops the run (spec 1.1, exit 3). */
import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { join } from "node:path";
import { MmmError } from "../errors.ts";
import { diskAdvice } from "./disk-advice.ts";
import type { Place } from "./place.ts";

/**
 * Why git, which failed with `text`, cannot have written; `null`: the disk is not to blame. Asks the
 * disk too: git may speak any language.
 */
export async function diskTrouble(place: Place, text: string): Promise<MmmError | null> {
  const next = diskAdvice(text) ?? (await lookAtDisk(place));
  if (next === null) return null;
  return new MmmError("disk", 3, { message: `git cannot write: ${text}`, next });
}

async function lookAtDisk(place: Place): Promise<readonly string[] | null> {
  try {
    const folders = [place.gitDir, join(place.commonDir, "objects"), join(place.commonDir, "refs")];
    for (const folder of folders) await access(folder, constants.W_OK);
    const { bavail, blocks } = await statfs(place.gitDir);
    // Some file systems count no blocks at all.
    return bavail === 0 && blocks > 0 ? diskAdvice("No space left on device") : null;
  } catch {
    return diskAdvice("Read-only file system");
  }
}
