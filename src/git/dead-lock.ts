/** `index.lock` of a git that was killed, in a tree of mmm's own (spec 7): nothing would ever take it away. */
import { execFile } from "node:child_process";
import { readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { RepositoryStart } from "./repository.ts";

const WAIT_MS = 10_000;
const PAUSE_MS = 250;

/** Resolves at once when there is none; when a git is at work in there for as long as one is waited for, it stays. */
export async function removeDeadLock({
  root,
  gitDir,
}: Pick<RepositoryStart, "root" | "gitDir">): Promise<void> {
  const file = join(gitDir, "index.lock");
  let before: string | null = null;
  for (let waited = 0; waited < WAIT_MS; waited += PAUSE_MS) {
    const now = await stateOf(file);
    if (now === null) return;
    const isDead = now === before && !(await isGitAtWork([root, gitDir]));
    if (isDead) return rm(file, { force: true });
    before = now;
    await sleep(PAUSE_MS);
  }
}

/** Differs when anything was done to it. */
async function stateOf(file: string): Promise<string | null> {
  const found = await stat(file).catch(() => null);
  return found && `${found.ino} ${found.size} ${found.mtimeMs}`;
}

/** In one of those folders. Where the system does not tell in which folder: anywhere. */
async function isGitAtWork(folders: readonly string[]): Promise<boolean> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return isGitAnywhere();
  for (const pid of pids) {
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    if (!name.startsWith("git")) continue;
    const at = await readlink(`/proc/${pid}/cwd`).catch((error: NodeJS.ErrnoException) =>
      // It has just ended, or is another user's.
      error.code === "ENOENT" ? null : (folders[0] ?? ""),
    );
    if (at !== null && folders.some((each) => at === each || at.startsWith(`${each}${sep}`)))
      return true;
  }
  return false;
}

async function isGitAnywhere(): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "comm="]).catch(() => ({
    stdout: "git",
  }));
  return stdout.split("\n").some((line) => basename(line.trim()).startsWith("git"));
}
