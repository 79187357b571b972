/**
 * The little git that recordings need. Not `git/`: rooms that implement the engine's ports do not know
 * each other (.mmm/ARCHITECTURE.md).
 */
import { MmmError } from "../errors.ts";
import { runGitTool } from "../process/git-tool.ts";

/** A recording is text for people; a file beyond this has no place in it. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface GitCall {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

/** @throws MmmError `recording-git`, exit 3, with what git said. */
export async function git(args: readonly string[], call: GitCall): Promise<Buffer> {
  const report = await runGitTool(args, { ...call, maxBytes: MAX_BYTES });
  if (report.end.kind === "exited" && report.end.code === 0 && !report.truncated)
    return report.stdout;
  const said = report.truncated ? `more than ${MAX_BYTES} bytes` : report.stderr.trim();
  throw new MmmError("recording-git", 3, {
    message: `git ${args.slice(0, 6).join(" ")}: ${said === "" ? report.end.kind : said}`,
  });
}

/** A line of output without its newline. */
export async function gitLine(args: readonly string[], call: GitCall): Promise<string> {
  return (await git(args, call)).toString("utf8").replace(/\r?\n$/, "");
}

/** Top of the working tree, and of the main repository when it is another one. */
export async function rootsOf(cwd: string): Promise<{ root: string; all: readonly string[] }> {
  const root = await gitLine(["rev-parse", "--show-toplevel"], { cwd });
  const list = (await git(["worktree", "list", "--porcelain", "-z"], { cwd })).toString("utf8");
  const main = /^worktree ([^\0]+)/.exec(list)?.[1];
  return { root, all: main === undefined || main === root ? [root] : [root, main] };
}
