/** Where the worktrees of a repository lie: `~/.mmm/worktrees/<project>/` (spec 8.1). */
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import type { SharedRepository } from "../../git/worktree.ts";
import { writing } from "../../session/disk.ts";
import type { Invocation } from "../cook-request.ts";

/** Names in a project's folder that are a session's. */
export const SESSION_NAME = /^mmm-[a-z0-9-]+$/;

/** `MMM_HOME`, else `~/.mmm`. */
function homeOf({ env }: Pick<Invocation, "env">): string {
  const told = env["MMM_HOME"];
  if (told !== undefined && told !== "") return path.resolve(told);
  const home = env["HOME"];
  if (home !== undefined && home !== "") return path.join(home, ".mmm");
  throw new MmmError("no-home", 3, {
    message: "neither HOME nor MMM_HOME is set: there is no place for a worktree",
    next: ["export MMM_HOME=/a/folder/of/yours"],
  });
}

/** Says whose the folder is: two repositories may have one name. */
const OWNER = ".repository";

/** The folder of this repository's worktrees; `null`: it has none yet. Makes nothing. */
export function knownFolder(
  { commonDir }: SharedRepository,
  mainRoot: string,
  invocation: Pick<Invocation, "env">,
): string | null {
  const found = candidates(commonDir, mainRoot, invocation).find(
    (folder) => ownerOf(folder) === commonDir,
  );
  return found === undefined ? null : realpathSync(found);
}

/** The same, made when there is none. Throws `MmmError` (exit 3). */
export function projectFolder(
  { commonDir }: SharedRepository,
  mainRoot: string,
  invocation: Pick<Invocation, "env">,
): string {
  for (const folder of candidates(commonDir, mainRoot, invocation)) {
    const real = claim(folder, commonDir);
    if (real !== null) return refuseInside(real, mainRoot);
  }
  throw new MmmError("worktree-folder", 3, {
    message: `the folders of worktrees in ${path.join(homeOf(invocation), "worktrees")} belong to other repositories`,
    next: ["export MMM_HOME=/a/folder/of/yours"],
  });
}

function candidates(
  commonDir: string,
  mainRoot: string,
  invocation: Pick<Invocation, "env">,
): readonly string[] {
  const worktrees = path.join(homeOf(invocation), "worktrees");
  const name = path.basename(mainRoot) || "repository";
  const hash = createHash("sha256").update(commonDir).digest("hex").slice(0, 8);
  return [path.join(worktrees, name), path.join(worktrees, `${name}-${hash}`)];
}

function ownerOf(folder: string): string | null {
  try {
    return readFileSync(path.join(folder, OWNER), "utf8").trimEnd();
  } catch {
    return null;
  }
}

/** `null`: it is another repository's. */
function claim(folder: string, commonDir: string): string | null {
  return writing(`make the folder ${folder}`, () => {
    mkdirSync(folder, { recursive: true });
    try {
      writeFileSync(path.join(folder, OWNER), `${commonDir}\n`, { flag: "wx" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    return ownerOf(folder) === commonDir ? realpathSync(folder) : null;
  });
}

/** A worktree inside of the repository would be part of its own contents. */
function refuseInside(folder: string, mainRoot: string): string {
  const relative = path.relative(realpathSync(mainRoot), folder);
  const isInside = relative === "" || !(relative.startsWith("..") || path.isAbsolute(relative));
  if (!isInside) return folder;
  throw new MmmError("worktree-inside", 3, {
    message: `worktrees would lie in ${folder}, inside of the repository ${mainRoot}`,
    next: ["export MMM_HOME=/a/folder/outside/of/it"],
  });
}

/** Is something there, a broken link included? */
export function isThere(file: string): boolean {
  return existsSync(file) || lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Making and removing worktrees: one process at a time. */
export function makingLock({ commonDir }: SharedRepository): string {
  return path.join(commonDir, "mmm-worktrees.lock");
}

/** Merging: one at a time in a repository. */
export function mergingLock({ commonDir }: SharedRepository): string {
  return path.join(commonDir, "mmm-merging.lock");
}
