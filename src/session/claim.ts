/** A session's name and folder, had by one process alone (spec 7). */
import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import path from "node:path";
import { writing } from "./disk.ts";
import { sessionName } from "./name.ts";
import { isTaken } from "./set-aside.ts";

export interface Claim {
  readonly name: string;
  /** Absolute; it is there, and empty. */
  readonly directory: string;
  /** Gives the name back as long as nothing lies in the folder: the session did not come about. */
  drop(): void;
  /** The same, with whatever lies in the folder. */
  forget(): void;
}

/**
 * The folder is the claim: of two that start in one second, in one place or two, one gets `-2`.
 * Throws `MmmError` (exit 3).
 *
 * @param sessions `.mmm/sessions` of the main repository
 */
export function claimSession(
  sessions: string,
  playbookFile: string,
  {
    now,
    isUsed = () => false,
  }: { readonly now: Date; readonly isUsed?: (name: string) => boolean },
): Claim {
  return writing(`make a session's folder in ${sessions}`, () => {
    const first = mkdirSync(sessions, { recursive: true });
    const isFree = (name: string): boolean => !isUsed(name) && make(path.join(sessions, name));
    const name = sessionName(playbookFile, now, (each) => !isFree(each));
    const directory = path.join(sessions, name);
    const drop = (): void => {
      // Checks that follow may refuse the run: then it has written nothing.
      const made = first === undefined ? [] : between(first, sessions);
      for (const folder of [directory, ...made]) if (!removed(folder)) return;
    };
    return {
      name,
      directory,
      drop,
      forget: () => {
        rmSync(directory, { recursive: true, force: true });
        drop();
      },
    };
  });
}

/** Innermost first. */
function between(first: string, last: string): readonly string[] {
  const found = [last];
  for (let each = last; each !== first && each !== path.dirname(each);) {
    each = path.dirname(each);
    found.push(each);
  }
  return found;
}

function make(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

/** `false`: something lies in it, so it stays. */
function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}
