/** A session's name and folder, had by one process alone (spec 7). */
import { mkdirSync, rmdirSync } from "node:fs";
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
}

/**
 * The folder is the claim: of two that start in one second, in one place or two, one gets `-2`.
 * Throws `MmmError` (exit 3).
 *
 * @param sessions `.mmm/sessions` of the main repository
 */
export function claimSession(sessions: string, playbookFile: string, now: Date): Claim {
  return writing(`make a session's folder in ${sessions}`, () => {
    const made = mkdirSync(sessions, { recursive: true }) ?? null;
    const name = sessionName(playbookFile, now, (each) => !make(path.join(sessions, each)));
    const directory = path.join(sessions, name);
    return { name, directory, drop: () => drop(directory, made) };
  });
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

/** @param made the outermost folder that was made for it; `null`: all were there */
function drop(directory: string, made: string | null): void {
  try {
    rmdirSync(directory);
    if (made === null) return;
    for (let each = path.dirname(directory); each.length >= made.length; each = path.dirname(each))
      rmdirSync(each);
  } catch {
    // Something lies in it: it is a session, and stays.
  }
}
