/**
 * simple-git, with its corners rounded: any exit code but 0 is a failure (its default needs bytes on
 * stderr too), and an environment that names an editor or a pager is not refused.
 */
import { GitError, simpleGit } from "simple-git";
import type { GitClient } from "./client.ts";
import { pinnedConfig } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { gitFailed } from "./run.ts";

/** Carries the exit code through simple-git, which knows only messages. */
class ExitError extends GitError {
  readonly code: number;
  constructor(code: number, stderr: string) {
    super(undefined, stderr);
    this.code = code;
  }
}

export function createSimpleClient(cwd: string, env: Environment): GitClient {
  const start = async (args: readonly string[]): Promise<string> =>
    await simpleGit({
      baseDir: cwd,
      config: [...pinnedConfig],
      timeout: { block: 600_000 },
      // its default settles 50 ms after the exit, with whatever part of the output has arrived by then
      completion: { onClose: true, onExit: false },
      // These guard against values of strangers; here all of it is the user's own environment and our text.
      unsafe: {
        allowUnsafeEditor: true,
        allowUnsafeAskPass: true,
        allowUnsafeConfigPaths: true,
        allowUnsafeConfigEnvCount: true,
        allowUnsafePager: true,
        allowUnsafeSshCommand: true,
        allowUnsafeHooksPath: true,
        allowUnsafeFsMonitor: true,
        allowUnsafeTemplateDir: true,
        allowUnsafeGitProxy: true,
        allowUnsafeDiffExternal: true,
      },
      // what the default handler made of it (the first argument) has lost the exit code
      errors: (_, result) =>
        result.exitCode === 0
          ? undefined
          : new ExitError(result.exitCode, Buffer.concat(result.stdErr).toString("utf8")),
    })
      .env({ ...env })
      .raw([...args]);
  return {
    async text(...args) {
      try {
        return await start(args);
      } catch (cause) {
        throw asMmmError(args, cause);
      }
    },
    async answer(...args) {
      try {
        return (await start(args)).replace(/\n$/u, "");
      } catch (cause) {
        const exit = exitOf(cause);
        if (exit?.code === 1) return null;
        throw asMmmError(args, cause);
      }
    },
  };
}

function exitOf(cause: unknown): ExitError | null {
  if (cause instanceof ExitError) return cause;
  return null;
}

function asMmmError(args: readonly string[], cause: unknown): Error {
  const exit = exitOf(cause);
  if (exit !== null) return gitFailed(args, { code: exit.code, stderr: exit.message });
  return gitFailed(args, {
    code: null,
    stderr: cause instanceof Error ? cause.message : String(cause),
  });
}
