import type { EnvironmentChanges } from "./environment.ts";
import { OF_ANOTHER_MEANING } from "./git-variables.ts";
import { runTool, type ToolOptions, type ToolReport } from "./run-tool.ts";

const FORGOTTEN: EnvironmentChanges = Object.fromEntries(
  OF_ANOTHER_MEANING.map((name) => [name, undefined]),
);
const QUIET = { GIT_TERMINAL_PROMPT: "0", GIT_EDITOR: "true", LC_ALL: "C" };

/**
 * {@link runTool} for git in rooms that have no session's tree at hand: it asks nothing, speaks English, and
 * works on the repository around `cwd`. The session's own tree is `git/`'s business.
 */
export async function runGitTool(
  args: readonly string[],
  options: ToolOptions,
): Promise<ToolReport> {
  return runTool("git", args, { ...options, env: { ...FORGOTTEN, ...options.env, ...QUIET } });
}
