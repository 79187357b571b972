import { readFile, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import { plainEnvironment, userEnvironment } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { runGit } from "./run.ts";
import { isAtLeast } from "./version.ts";

/** The repository around a directory, as it was found. */
export interface RepositoryStart {
  /** Top of the working tree, symlinks resolved. */
  readonly root: string;
  /** This working tree's own git directory (a linked worktree has one of its own). */
  readonly gitDir: string;
  /** The git directory that all worktrees share. */
  readonly commonDir: string;
  /** The directory it was asked for, relative to `root`, `/` between folders; empty: the top. */
  readonly prefix: string;
  /** `null`: detached HEAD. */
  readonly branch: string | null;
  readonly head: string;
  /** What `git commit` and its hooks see: the caller's, without what misleads git. */
  readonly env: Environment;
}

/** `rev-parse --path-format=absolute` came with it. */
const oldest = [2, 31] as const;

/**
 * @param env the environment mmm was started in; inherited GIT_DIR and the like are ignored
 * @throws MmmError exit 3: git missing or too old, no repository, bare, not owned, no commit yet
 */
export async function findRepository(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RepositoryStart> {
  const user = userEnvironment(env);
  const ask: Ask = async (...args) => {
    const result = await runGit({ cwd, env: plainEnvironment(user), args });
    return {
      code: result.code,
      text: result.stdout.toString("utf8").replace(/\n$/u, ""),
      stderr: result.stderr.trim(),
    };
  };
  const found = await askAtOnce(ask);
  if (found !== null) return { ...found, prefix: await prefixOf(cwd, found.root), env: user };
  // Something is unusual: one question after the other, to say what.
  checkVersion((await ask("--version")).text);
  const inside = await ask("rev-parse", "--is-inside-work-tree");
  if (inside.code !== 0) throw noRepository(cwd, inside.stderr);
  if (inside.text !== "true")
    throw noWorkTree(cwd, (await ask("rev-parse", "--is-bare-repository")).text);
  const path = async (what: string): Promise<string> => {
    const answer = await ask("rev-parse", "--path-format=absolute", what);
    if (answer.code !== 0) throw noRepository(cwd, answer.stderr);
    return await realpath(answer.text);
  };
  const root = await path("--show-toplevel");
  const gitDir = await path("--git-dir");
  const commonDir = await path("--git-common-dir");
  const head = await ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}");
  if (head.code !== 0) throw await noCommit(root, { gitDir, ask });
  const branch = await ask("symbolic-ref", "--quiet", "--short", "HEAD");
  return {
    root,
    gitDir,
    commonDir,
    prefix: await prefixOf(cwd, root),
    branch: branch.code === 0 ? branch.text : null,
    head: head.text,
    env: user,
  };
}

/** One process for all of it; `null`: not a work tree with a commit and an ordinary HEAD, or paths with line ends. */
async function askAtOnce(
  ask: Ask,
): Promise<Pick<RepositoryStart, "root" | "gitDir" | "commonDir" | "head" | "branch"> | null> {
  const answer = await ask(
    "rev-parse",
    // A git older than `oldest` prints this back as a line of its own.
    "--path-format=absolute",
    "--show-toplevel",
    "--git-dir",
    "--git-common-dir",
    "HEAD^{commit}",
    "--symbolic-full-name",
    "HEAD",
  );
  const lines = answer.text.split("\n");
  const [root, gitDir, commonDir, head, ref] = lines;
  if (answer.code !== 0 || lines.length !== 5 || ref === undefined) return null;
  if (!root || !gitDir || !commonDir || !head || !ref.startsWith("refs/heads/")) return null;
  return {
    root: await realpath(root),
    gitDir: await realpath(gitDir),
    commonDir: await realpath(commonDir),
    head,
    branch: ref.slice("refs/heads/".length),
  };
}

async function prefixOf(cwd: string, root: string): Promise<string> {
  return relative(root, await realpath(cwd))
    .split(sep)
    .join("/");
}

interface Answer {
  readonly code: number | null;
  readonly text: string;
  readonly stderr: string;
}

type Ask = (...args: readonly string[]) => Promise<Answer>;

function checkVersion(text: string): void {
  if (isAtLeast(text, oldest)) return;
  throw new MmmError("git-old", 3, {
    message: `mmm needs git ${oldest.join(".")} or newer, and this is ${text === "" ? "another program" : text}`,
    next: ["install a newer git and see that it comes first on PATH"],
  });
}

function noRepository(cwd: string, stderr: string): MmmError {
  const unsafe = /dubious ownership in repository at '([^']*)'/u.exec(stderr);
  if (unsafe !== null)
    return new MmmError("repository-owner", 3, {
      message: `the repository ${unsafe[1] ?? cwd} belongs to another user, and git refuses to work in it`,
      next: [`git config --global --add safe.directory '${unsafe[1] ?? cwd}'`],
    });
  if (/not a git repository/u.test(stderr))
    return new MmmError("no-repository", 3, {
      message: `${cwd} is not in a git repository`,
      next: ["git init", "mmm cook --path DIR"],
    });
  return new MmmError("repository-broken", 3, {
    message: `git cannot read the repository around ${cwd}: ${stderr}`,
    next: ["git status", "git fsck"],
  });
}

function noWorkTree(cwd: string, bare: string): MmmError {
  return bare === "true"
    ? new MmmError("repository-bare", 3, {
        message: `${cwd} is in a bare repository, which has no files to work on`,
        next: ["git clone it, or: git worktree add ../checkout"],
      })
    : new MmmError("no-work-tree", 3, {
        message: `${cwd} is inside a git directory, not in a working tree`,
        next: ["cd to the folder that holds .git"],
      });
}

/** HEAD names a branch that is not there: nothing was ever committed, or somebody has deleted it. */
async function noCommit(
  root: string,
  { gitDir, ask }: { readonly gitDir: string; readonly ask: Ask },
): Promise<MmmError> {
  const last = await lastHead(gitDir);
  const branch = (await ask("symbolic-ref", "--quiet", "--short", "HEAD")).text;
  if (last === null || branch === "")
    return new MmmError("no-commit", 3, {
      message: `the repository ${root} has no commit yet`,
      next: ["git add -A", 'git commit -m "first commit"'],
    });
  return headUnborn(root, { branch, last });
}

/** The branch on which a tree stands is not there. @param last where it stood last, as far as is known */
export function headUnborn(
  root: string,
  { branch, last }: { readonly branch: string; readonly last: string },
): MmmError {
  const again = `git -C ${shellWord(root)} branch ${shellWord(branch)} ${last.slice(0, 10)}`;
  return new MmmError("branch-gone", 3, {
    message: `${root} stands on the branch ${branch}, and there is no such branch: it was deleted, or has no commit yet`,
    next: [`${again}   (makes it again, where it stood last)`],
  });
}

/** Where HEAD of that tree stood last, as its own reflog has it; `null`: nobody knows. */
async function lastHead(gitDir: string): Promise<string | null> {
  const log = await readFile(join(gitDir, "logs", "HEAD"), "utf8").catch(() => "");
  const moves = log.trimEnd().split("\n").toReversed();
  for (const move of moves) {
    const [, to = ""] = move.split(" ", 2);
    if (/^[0-9a-f]{40,64}$/u.test(to) && !/^0+$/u.test(to)) return to;
  }
  return null;
}
