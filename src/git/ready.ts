import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import { pinnedArgs, pinnedEnvironment } from "./environment.ts";
import { waitForIndexLock } from "./index-lock.ts";
import { showPath, splitNul } from "./path.ts";
import type { SavedFingerprint } from "./protection.ts";
import type { RepositoryStart } from "./repository.ts";
import { runGitOk } from "./run.ts";
import { type RawStatus, readStatus } from "./status.ts";

export interface ReadyOptions {
  readonly allowDirty: boolean;
  /** Absolute paths of the playbook and the parameter files. */
  readonly ownFiles: readonly string[];
  /** Default 10 000. */
  readonly lockWaitMs?: number;
}

const LOCK_WAIT_MS = 10_000;

/** What may stay dirty: relative to the repository. */
export interface Ready {
  readonly protectedPaths: readonly string[];
  /** Of a resumed session: as they were when it began. */
  readonly saved?: readonly SavedFingerprint[];
}

/**
 * Is the tree fit for a session (spec 5, Start)? In the order of spec 1: state, index lock, dirt.
 *
 * @throws MmmError exit 3, with the command that mends it
 */
export async function checkReady(start: RepositoryStart, options: ReadyOptions): Promise<Ready> {
  checkNothingUnderWay(start.gitDir);
  await waitForIndexLock(start.gitDir, { waitMs: options.lockWaitMs ?? LOCK_WAIT_MS });
  const { dirty, expected: stays } = await readDirt(start, options.ownFiles);
  const unexpected = dirty.filter((path) => !stays.has(path));
  if (unexpected.length > 0 && !options.allowDirty) {
    const inTheWay = new Set(unexpected);
    const expected = dirty.filter((path) => !inTheWay.has(path));
    throw dirtyTree(start, { unexpected, expected });
  }
  return { protectedPaths: dirty };
}

/** A fresh worktree as it lies there: nobody's work. With the look at it, which is one process. */
export async function readyAsItIs(
  start: RepositoryStart,
): Promise<{ readonly ready: Ready; readonly status: RawStatus }> {
  checkNothingUnderWay(start.gitDir);
  await waitForIndexLock(start.gitDir, { waitMs: LOCK_WAIT_MS });
  const place = { root: start.root, env: pinnedEnvironment(start.env, start) };
  const status = await readStatus(place, { isFresh: true });
  return { ready: { protectedPaths: [...status.entries.keys()] }, status };
}

/** What of the dirt never counts as such: own files, `.mmm/**`, `.claude/**`. */
export async function dirtThatStays(
  start: RepositoryStart,
  ownFiles: readonly string[],
): Promise<Ready> {
  return { protectedPaths: [...(await readDirt(start, ownFiles)).expected] };
}

/**
 * What a worktree would lack: uncommitted `.claude/**` and `.mmm/**`, those that git ignores too where
 * Claude reads them; relative to the repository. A file that was deleted is named as well.
 */
export async function uncommittedSettings(start: RepositoryStart): Promise<readonly string[]> {
  const env = pinnedEnvironment(start.env, start);
  // Where there are many files, git need not look at all of them.
  const { GIT_LITERAL_PATHSPECS: _, ...globs } = env;
  const status = await readStatus({ root: start.root, env: globs }, { only: CONFIGURATION });
  const folders = start.prefix.split("/").map((_, index, parts) => parts.slice(0, index + 1));
  const ignored = await runGitOk({
    cwd: start.root,
    env,
    args: [
      ...pinnedArgs,
      "ls-files",
      "-z",
      "--others",
      "--",
      ".claude",
      ".mmm/config.yml",
      ...folders.filter(([top]) => top !== "").map((parts) => `${parts.join("/")}/.claude`),
    ],
  });
  const found = [...status.entries.keys(), ...splitNul(ignored)];
  return [...new Set(found.filter((path) => isConfiguration(path) && !path.endsWith("/")))];
}

async function readDirt(
  start: RepositoryStart,
  ownFiles: readonly string[],
): Promise<{ readonly dirty: readonly string[]; readonly expected: ReadonlySet<string> }> {
  const status = await readStatus({ root: start.root, env: pinnedEnvironment(start.env, start) });
  const own = new Set<string>();
  for (const file of ownFiles) {
    own.add(inRepository(start.root, file));
    own.add(inRepository(start.root, await realpath(file).catch(() => file)));
  }
  const dirty = [...status.entries.keys()];
  const stays = dirty.filter((path) => own.has(path) || isConfiguration(path));
  return { dirty, expected: new Set(stays) };
}

/**
 * Would git make a commit as someone? Only to be asked when commits will be made.
 *
 * @throws MmmError exit 3, with the two lines that set the identity
 */
export async function checkIdentity(start: RepositoryStart): Promise<void> {
  const ask = async (name: string): Promise<unknown> =>
    await runGitOk({
      cwd: start.root,
      env: pinnedEnvironment(start.env, start),
      args: [...pinnedArgs, "var", name],
    });
  try {
    await Promise.all([ask("GIT_AUTHOR_IDENT"), ask("GIT_COMMITTER_IDENT")]);
  } catch (cause) {
    throw new MmmError("no-identity", 3, {
      message: "git does not know who makes the commits (user.name and user.email are not set)",
      next: [
        'git config --global user.name "Your Name"',
        "git config --global user.email you@example.com",
      ],
      cause,
    });
  }
}

/** What {@link isConfiguration} is true of, as pathspecs. */
const CONFIGURATION = [":(top,glob).mmm/**", ":(top,glob)**/.claude/**"];

/** `.mmm/**` of the repository, `.claude/**` wherever Claude reads it. */
function isConfiguration(path: string): boolean {
  return path.startsWith(".mmm/") || path.startsWith(".claude/") || path.includes("/.claude/");
}

function inRepository(root: string, file: string): string {
  return relative(root, file).split(sep).join("/");
}

/** What git calls in progress: file in the git directory, name, how to end it. */
const underWay: readonly (readonly [file: string, name: string, ends: readonly string[]])[] = [
  ["rebase-merge", "a rebase", ["git rebase --continue", "git rebase --abort"]],
  ["rebase-apply/applying", "git am", ["git am --continue", "git am --abort"]],
  ["rebase-apply", "a rebase", ["git rebase --continue", "git rebase --abort"]],
  ["MERGE_HEAD", "a merge", ["git commit", "git merge --abort"]],
  ["CHERRY_PICK_HEAD", "a cherry-pick", ["git cherry-pick --continue", "git cherry-pick --abort"]],
  ["REVERT_HEAD", "a revert", ["git revert --continue", "git revert --abort"]],
  ["sequencer", "a cherry-pick or revert", ["git cherry-pick --quit", "git revert --quit"]],
  ["BISECT_LOG", "a bisect", ["git bisect reset"]],
];

function checkNothingUnderWay(gitDir: string): void {
  const found = underWayIn(gitDir);
  if (found === null) return;
  throw new MmmError("git-under-way", 3, {
    message: `${found.name} is under way in this repository`,
    next: found.ends,
  });
}

/** What somebody has begun in that tree and not ended; `null`: nothing. */
export function underWayIn(
  gitDir: string,
): { readonly name: string; readonly ends: readonly string[] } | null {
  const found = underWay.find(([file]) => existsSync(join(gitDir, file)));
  return found === undefined ? null : { name: found[1], ends: found[2] };
}

const maxListed = 20;
/** More names make no line to read or to type. */
const maxNamed = 5;

/** Only what is in the way: a plain `git stash -u` would take a playbook just written along. */
function stashLine(start: RepositoryStart, dirt: Dirt): string {
  const git = start.prefix === "" ? "git" : `git -C ${shellWord(start.root)}`;
  const plain =
    dirt.unexpected.length <= maxNamed &&
    dirt.unexpected.every((path) => /^[^\p{Cc}\p{Cf}:*?[\\]+$/u.test(path));
  const words = plain
    ? dirt.unexpected
    : [".", ...[...new Set(dirt.expected.map(folderOrFile))].map((path) => `:!${path}`)];
  return `${git} stash -u -- ${words.map(shellWord).join(" ")}`;
}

/** `.claude` and `.mmm` whole, so that the line stays short. */
function folderOrFile(path: string): string {
  return /^(?:\.mmm|(?:.*\/)?\.claude)(?=\/)/.exec(path)?.[0] ?? path;
}

interface Dirt {
  readonly unexpected: readonly string[];
  /** What may stay as it is. */
  readonly expected: readonly string[];
}

function dirtyTree(start: RepositoryStart, dirt: Dirt): MmmError {
  const paths = dirt.unexpected;
  const listed = paths.slice(0, maxListed).map((path) => `  ${showPath(path)}`);
  if (paths.length > maxListed) listed.push(`  and ${paths.length - maxListed} more`);
  const files = paths.length === 1 ? "1 file is" : `${paths.length} files are`;
  return new MmmError("dirty-tree", 3, {
    message: `${files} not committed in ${start.root}:\n${listed.join("\n")}`,
    next: [
      stashLine(start, dirt),
      "or go on with --allow-dirty: these files then stay as they are",
    ],
  });
}
