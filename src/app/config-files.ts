/** Where the config lies (spec 1); apart from its reader, which brings YAML and schemas along. */
import path from "node:path";

export interface ConfigFiles {
  /** Absolute path of the user's own; the project's beats it, key by key. */
  readonly user: string;
  readonly project: string;
}

/** @param mainRoot top of the main repository, also for a linked worktree */
export function configFiles(
  env: Readonly<Record<string, string | undefined>>,
  mainRoot: string,
): ConfigFiles {
  const home = env["MMM_HOME"] ?? path.join(env["HOME"] ?? "/nonexistent", ".mmm");
  return {
    user: path.join(home, "config.yml"),
    project: path.join(mainRoot, ".mmm", "config.yml"),
  };
}
