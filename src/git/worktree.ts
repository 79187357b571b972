/** Linked worktrees of a repository: made, listed, removed with their record (spec 8.1, 8.2). */
import { existsSync } from "node:fs";
import { lstat, readdir, readFile, realpath, rm } from "node:fs/promises";
import path from "node:path";
import { MmmError } from "../errors.ts";
import { pinnedArgs, plainEnvironment, unsyncedArgs } from "./environment.ts";
import { pastOthers } from "./past-others.ts";
import { splitNul } from "./path.ts";
import { findRepository, type RepositoryStart } from "./repository.ts";
import { type GitResult, type GitRun, gitFailed, runGit } from "./run.ts";

/** One line of `git worktree list`; the main working tree is the first. */
export interface WorktreeEntry {
  /** Absolute, as git has recorded it; it may be gone. */
  readonly path: string;
  readonly head: string;
  /** Short name; `null`: detached, or bare. */
  readonly branch: string | null;
}

/** The repository as all its worktrees share it: what is asked here depends on no tree. */
export type SharedRepository = Pick<RepositoryStart, "commonDir" | "env">;

export async function listWorktrees(shared: SharedRepository): Promise<readonly WorktreeEntry[]> {
  const output = await ask(shared, ["worktree", "list", "--porcelain", "-z"]);
  const found: WorktreeEntry[] = [];
  let entry: { path: string; head: string; branch: string | null } | null = null;
  for (const line of splitNul(output.stdout)) {
    if (line.startsWith("worktree ")) {
      entry = { path: line.slice(9), head: "", branch: null };
      found.push(entry);
    } else if (line.startsWith("HEAD ") && entry !== null) entry.head = line.slice(5);
    else if (line.startsWith("branch refs/heads/") && entry !== null)
      entry.branch = line.slice("branch refs/heads/".length);
  }
  return found;
}

export interface NewWorktree {
  /** Absolute; nothing may lie there. */
  readonly path: string;
  /** A new one; `null`: detached. */
  readonly branch: string | null;
  readonly commit: string;
}

/**
 * `git worktree add`; of one that does not come about, nothing is left. To be called by one process at a
 * time: git itself does not serialise it.
 */
export async function addWorktree(
  start: RepositoryStart,
  { path: place, branch, commit }: NewWorktree,
): Promise<RepositoryStart> {
  const how = branch === null ? ["--detach"] : ["--no-track", "-b", branch];
  const args = [...unsyncedArgs, "worktree", "add", "--quiet", ...how, "--", place, commit];
  const wasThere = existsSync(place);
  const result = await pastOthers(async () => {
    // From the tree the user stands in: a sparse checkout is taken over from there.
    const made = await runGit({ cwd: start.root, env: plainEnvironment(start.env), args });
    if (made.code === 0) return made;
    // git looks before it begins: what was there is not touched, and not ours.
    if (!wasThere) await removeWorktree(start, place).catch(() => undefined);
    const isOurs = !/branch named .* already exists/.test(made.stderr);
    if (branch !== null && isOurs && (await tipOf(start, branch)) === commit)
      await deleteBranch(start, branch).catch(() => undefined);
    return made;
  });
  if (result.code !== 0) throw gitFailed(args, result);
  return (
    (await madeHere(start, { path: place, branch, commit })) ?? findRepository(place, start.env)
  );
}

/** What git would say of the one it has just made; `null`: better ask. */
async function madeHere(
  { commonDir, env }: RepositoryStart,
  { path: place, branch, commit }: NewWorktree,
): Promise<RepositoryStart | null> {
  if (!NAME_OF_COMMIT.test(commit)) return null;
  const gitDir = await gitDirOf(place);
  if (gitDir === null || !existsSync(gitDir)) return null;
  const root = await realpath(place);
  return { root, gitDir: await realpath(gitDir), commonDir, prefix: "", branch, head: commit, env };
}

const NAME_OF_COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * Directory, branch and record of one whose commits are all elsewhere. `false`: git saw something in it that would
 * be lost, or does not know it; nothing is gone then.
 */
export async function removeClean(
  shared: SharedRepository,
  { path: place, branch }: { readonly path: string; readonly branch: string },
): Promise<boolean> {
  // git itself looks, and refuses; whatever the user lets `git status` leave out.
  const seesAll = ["-c", "status.showUntrackedFiles=all"];
  const args = [...seesAll, "worktree", "remove", "--", place];
  if ((await tryUnsynced(shared, args)).code !== 0) return false;
  await deleteBranch(shared, branch);
  return true;
}

/**
 * Directory and record; one that is gone, or half gone, is fine. What lies in it is not looked at.
 * Throws `MmmError` (exit 3) when the directory cannot be removed.
 */
export async function removeWorktree(shared: SharedRepository, place: string): Promise<void> {
  // Twice: also a locked one, and one with submodules.
  const args = ["worktree", "remove", "--force", "--force", "--", place];
  const result = await tryGit(shared, args);
  if (result.code === 0) return;
  // What git does not know, and what does not know git, is somebody else's.
  const isRecorded = (await listWorktrees(shared)).some((entry) => entry.path === place);
  if (!isRecorded && existsSync(place) && !(await isWorktreeOf(shared, place)))
    throw gitFailed(args, result);
  await rm(place, { recursive: true, force: true, maxRetries: 3 }).catch((cause: unknown) => {
    throw new MmmError("worktree-stays", 3, {
      message: `${place} cannot be removed: ${cause instanceof Error ? cause.message : String(cause)}`,
      next: [`rm -r '${place}'`],
      cause,
    });
  });
  await removeRecord(shared, place);
}

/** Only the record of that one: `git worktree prune` takes those of disks that are not mounted, too. */
async function removeRecord({ commonDir }: SharedRepository, place: string): Promise<void> {
  const folder = path.join(commonDir, "worktrees");
  for (const id of await readdir(folder).catch(() => [])) {
    const record = path.join(folder, id);
    const file = await readFile(path.join(record, "gitdir"), "utf8").catch(() => "");
    if (path.dirname(path.resolve(record, file.trimEnd())) === place)
      await rm(record, { recursive: true, force: true });
  }
}

/** Does the directory at `place` belong to a worktree of this repository, recorded or not? */
export async function isWorktreeOf(shared: SharedRepository, place: string): Promise<boolean> {
  const gitDir = await gitDirOf(place);
  if (gitDir === null) return false;
  const folder = path.dirname(gitDir);
  const real = existsSync(folder) ? await realpath(folder) : folder;
  return real === path.join(shared.commonDir, "worktrees");
}

/** Absolute, as its `.git` file names it, there or not; `null`: it is no linked worktree. */
async function gitDirOf(place: string): Promise<string | null> {
  const file = path.join(place, ".git");
  const isFile = await lstat(file).then(
    (stat) => stat.isFile(),
    () => false,
  );
  if (!isFile) return null;
  const target = /^gitdir: (.*)$/m.exec(await readFile(file, "utf8").catch(() => ""))?.[1];
  return target === undefined ? null : path.resolve(place, target);
}

/** The commit a branch stands on; `null`: there is no such branch. */
export async function tipOf(shared: SharedRepository, branch: string): Promise<string | null> {
  const ref = `refs/heads/${branch}`;
  const loose = await looseTip(shared, ref);
  if (loose !== null) return loose;
  const result = await tryGit(shared, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  return result.code === 0 ? result.stdout.toString("utf8").trim() : null;
}

/** Paths that differ between two commits, relative to the repository. */
export async function changedBetween(
  shared: SharedRepository,
  one: string,
  other: string,
): Promise<ReadonlySet<string>> {
  const names = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", one, other];
  return new Set(one === other ? [] : splitNul((await ask(shared, names)).stdout));
}

/** `null`: git has it elsewhere (packed, a reftable), or not at all. */
async function looseTip({ commonDir }: SharedRepository, ref: string): Promise<string | null> {
  if (ref.split("/").includes("..")) return null;
  const text = await readFile(path.join(commonDir, ref), "utf8").catch(() => "");
  const name = text.trimEnd();
  return NAME_OF_COMMIT.test(name) ? name : null;
}

/**
 * Is there, or may there be, a folder, a record or a branch of that name? For a folder whose name nobody else takes; a
 * branch that is in no file of its own is not seen.
 */
export async function mayHaveTraces(
  { commonDir }: SharedRepository,
  { path: place, branch }: { readonly path: string; readonly branch: string },
): Promise<boolean> {
  const refs = path.join(commonDir, "refs", "heads");
  const record = path.join(commonDir, "worktrees", path.basename(place));
  if ([place, record, path.join(refs, branch)].some((file) => existsSync(file))) return true;
  // A reftable has a file there.
  return await lstat(refs).then(
    (stat) => !stat.isDirectory(),
    () => true,
  );
}

/** With its configuration; one that is gone is fine. Throws when it is checked out somewhere. */
export async function deleteBranch(shared: SharedRepository, branch: string): Promise<void> {
  if ((await tipOf(shared, branch)) === null) return;
  const args = ["branch", "-D", "--quiet", "--", branch];
  const result = await tryUnsynced(shared, args);
  if (result.code !== 0) throw gitFailed(args, result);
}

/** How many commits `to` has and `from` has not. */
export async function commitsAhead(
  shared: SharedRepository,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<number> {
  const result = await ask(shared, ["rev-list", "--count", `${from}..${to}`, "--"]);
  return Number(result.stdout.toString("utf8").trim());
}

/**
 * How many commits would be lost with `branch`: those that no other branch, here or of a remote, has.
 *
 * @param also what else of `git rev-list` counts like another branch
 */
export async function onlyOn(
  shared: SharedRepository,
  {
    branch,
    tips,
    also = [],
  }: {
    readonly branch: string;
    readonly tips: readonly string[];
    readonly also?: readonly string[];
  },
): Promise<number> {
  const others = [`--exclude=${branch}`, "--branches", "--remotes", ...also];
  const result = await ask(shared, ["rev-list", "--count", ...tips, "--not", ...others, "--"]);
  return Number(result.stdout.toString("utf8").trim());
}

export async function isAncestor(
  shared: SharedRepository,
  { of, ancestor }: { readonly of: string; readonly ancestor: string },
): Promise<boolean> {
  const args = ["merge-base", "--is-ancestor", ancestor, of];
  const result = await tryGit(shared, args);
  if (result.code === 0 || result.code === 1) return result.code === 0;
  throw gitFailed(args, result);
}

/** Short names of the local branches that begin with `prefix`. */
export async function branchesOf(
  shared: SharedRepository,
  prefix: string,
): Promise<ReadonlySet<string>> {
  const args = ["for-each-ref", "--format=%(refname:lstrip=2)", `refs/heads/${prefix}*`];
  const result = await ask(shared, args);
  const names = result.stdout.toString("utf8").split("\n");
  return new Set(names.filter((name) => name !== ""));
}

async function ask(shared: SharedRepository, args: readonly string[]): Promise<GitResult> {
  const result = await tryGit(shared, args);
  if (result.code !== 0) throw gitFailed(args, result);
  return result;
}

/** In the shared git directory, which is there as long as the repository is. */
export async function tryGit(
  shared: SharedRepository,
  args: readonly string[],
): Promise<GitResult> {
  return await runPast(sharedRun(shared, [...pinnedArgs, ...args]));
}

async function tryUnsynced(shared: SharedRepository, args: readonly string[]): Promise<GitResult> {
  return await runPast(sharedRun(shared, [...unsyncedArgs, ...args]));
}

async function runPast(run: GitRun): Promise<GitResult> {
  return await pastOthers(() => runGit(run));
}

function sharedRun({ commonDir, env }: SharedRepository, args: readonly string[]): GitRun {
  const pinned = { GIT_DIR: commonDir, GIT_LITERAL_PATHSPECS: "1" };
  return { cwd: commonDir, env: { ...plainEnvironment(env), ...pinned }, args };
}
