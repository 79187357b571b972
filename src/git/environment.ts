/** What git processes of mmm see. `node/no-process-env`: the caller hands its environment in. */
import { OF_ANOTHER_MEANING, OF_ANOTHER_REPOSITORY } from "../process/git-variables.ts";

export type Environment = Readonly<Record<string, string>>;

/** Would make git work on another repository, index or pathspec than the one mmm looks at. */
const misleading: ReadonlySet<string> = new Set([
  ...OF_ANOTHER_REPOSITORY,
  ...OF_ANOTHER_MEANING,
  "GIT_REFLOG_ACTION",
  "GIT_OPTIONAL_LOCKS",
]);

/** For `git commit` and its hooks: the user's own, minus what misleads; git never asks. */
export function userEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && !misleading.has(name)) kept[name] = value;
  return {
    ...kept,
    GIT_TERMINAL_PROMPT: "0",
    GIT_EDITOR: "true",
    GIT_SEQUENCE_EDITOR: "true",
  };
}

/** For finding the repository: as `userEnvironment`, and messages in English so that they can be told apart. */
export function plainEnvironment(env: Environment): Environment {
  return { ...env, LC_ALL: "C" };
}

/**
 * For mmm's own reads and writes: pinned to one repository, so that neither a removed `.git` nor a
 * `core.worktree` that a step set can lead them to another one.
 */
export function pinnedEnvironment(
  env: Environment,
  place: { readonly root: string; readonly gitDir: string },
): Environment {
  return {
    ...plainEnvironment(env),
    GIT_DIR: place.gitDir,
    GIT_WORK_TREE: place.root,
    GIT_LITERAL_PATHSPECS: "1",
    GIT_OPTIONAL_LOCKS: "0",
  };
}

/**
 * A commit of mmm's, and what it keeps under `refs/mmm`, survives a power cut: git syncs neither objects nor refs
 * unless it is told to. From git 2.36 on; an older one takes no notice (decision 0017).
 */
const durableConfig: readonly string[] = [
  "core.fsync=committed,reference",
  // one flush for all files that are staged together
  "core.fsyncMethod=batch",
];

/** Config that wins over the user's where it would change what mmm reads or run what it did not ask for. */
export const pinnedConfig: readonly string[] = [
  // hooks run for `git commit` alone; post-index-change or reference-transaction may hang
  "core.hooksPath=/dev/null",
  // a daemon or program between status and the files: slower to trust than to look
  "core.fsmonitor=false",
  // `true` refuses to stage files with mixed line ends
  "core.safecrlf=false",
  "core.splitIndex=false",
  "submodule.recurse=false",
  "log.showSignature=false",
  "i18n.logOutputEncoding=UTF-8",
  "i18n.commitEncoding=UTF-8",
  "gc.auto=0",
  "maintenance.auto=false",
  ...durableConfig,
];

/** As arguments before `commit`, which runs under the user's own config and hooks. */
export const durableArgs: readonly string[] = durableConfig.flatMap((line) => ["-c", line]);

/** {@link pinnedConfig} as arguments before the subcommand. */
export const pinnedArgs: readonly string[] = pinnedConfig.flatMap((line) => ["-c", line]);

/** The same for what can be made again from what is synced: nothing waits for the disk. */
export const unsyncedArgs: readonly string[] = [...pinnedArgs, "-c", "core.fsync=none"];
