import type { GitClient } from "./client.ts";
import { createClient } from "./client.ts";
import { pinnedArgs, pinnedEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import type { RepositoryStart } from "./repository.ts";
import { runGit, runGitOk } from "./run.ts";
import type { GitResult } from "./run.ts";

/** One working tree and all that is needed to speak to git about it. */
export interface Place {
  readonly root: string;
  readonly gitDir: string;
  readonly commonDir: string;
  /** Pinned to this tree; for mmm's own reads and writes. */
  readonly env: Environment;
  /** For `git commit` and its hooks. */
  readonly userEnv: Environment;
  readonly client: GitClient;
  /** The object name that stands for nothing: zeros, as many as this repository's names have digits. */
  readonly noObject: string;
}

export function createPlace(start: RepositoryStart): Place {
  const env = pinnedEnvironment(start.env, start);
  return {
    root: start.root,
    gitDir: start.gitDir,
    commonDir: start.commonDir,
    env,
    userEnv: start.env,
    client: createClient(start.root, env),
    noObject: "0".repeat(start.head.length),
  };
}

/** A yes-or-no of git's configuration; not set is `false`. */
export async function readFlag(place: Place, name: string): Promise<boolean> {
  // with a default it always prints: simple-git waits 50 ms more for a process that prints nothing
  const text = await place.client.text("config", "--type=bool", "--default=false", "--get", name);
  return text.trim() === "true";
}

/** What simple-git has no way for: standard input, another index, bytes. */
export interface Plumbing {
  readonly args: readonly string[];
  readonly stdin?: Buffer | string;
  /** Instead of the tree's own index. */
  readonly indexFile?: string;
  /** Besides the place's own. */
  readonly env?: Environment;
}

/** stdout; throws for any exit code but 0. */
export async function plumb(place: Place, plumbing: Plumbing): Promise<Buffer> {
  return await runGitOk(toRun(place, plumbing));
}

/** The same, any exit code. */
export async function tryPlumb(place: Place, plumbing: Plumbing): Promise<GitResult> {
  return await runGit(toRun(place, plumbing));
}

function toRun(place: Place, plumbing: Plumbing): Parameters<typeof runGit>[0] {
  return {
    cwd: place.root,
    env: {
      ...place.env,
      ...plumbing.env,
      ...(plumbing.indexFile === undefined ? {} : { GIT_INDEX_FILE: plumbing.indexFile }),
    },
    args: [...pinnedArgs, ...plumbing.args],
    ...(plumbing.stdin === undefined ? {} : { stdin: plumbing.stdin }),
  };
}
