import type { Environment } from "./environment.ts";

/** Git for everything off the hot path; what it cannot do goes through `run.ts`. */
export interface GitClient {
  /** stdout as it is; throws `MmmError` for any exit code but 0. */
  text(...args: readonly string[]): Promise<string>;
  /** stdout without its last newline, or `null` for exit code 1 (git's "no"). */
  answer(...args: readonly string[]): Promise<string | null>;
}

/** simple-git is loaded at the first call: a session that changes nothing never needs it. */
export function createClient(cwd: string, env: Environment): GitClient {
  let loaded: Promise<GitClient> | null = null;
  const client = async (): Promise<GitClient> => {
    loaded ??= import("./simple-client.ts").then((module) => module.createSimpleClient(cwd, env));
    return await loaded;
  };
  return {
    text: async (...args) => await (await client()).text(...args),
    answer: async (...args) => await (await client()).answer(...args),
  };
}
