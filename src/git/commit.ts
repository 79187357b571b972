import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { MmmError } from "../errors.ts";
import type { CommitOutcome, CommitRequest } from "../engine/ports.ts";
import { composeMessage } from "./commit-message.ts";
import { durableArgs } from "./environment.ts";
import { diskTrouble } from "./disk-trouble.ts";
import { readLooseCommit, readLooseHead } from "./loose-commit.ts";
import { waitForIndexLock } from "./index-lock.ts";
import { showPath } from "./path.ts";
import { plumb, readFlag, tryPlumb } from "./place.ts";
import type { Place } from "./place.ts";
import { runGit } from "./run.ts";
import type { GitResult } from "./run.ts";
import { restoreIndex, setIndex, stageFromTree, stageNested, withIndexCopy } from "./staging.ts";
import { readStatus } from "./status.ts";
import type { RawStatus, StatusEntry } from "./status.ts";
import { findSwept } from "./sweep.ts";

export interface CommitLimits {
  /** How long a held `index.lock` is waited for. */
  readonly lockWaitMs: number;
  /** A commit that is to be signed and prints nothing for so long waits for a passphrase. */
  readonly passphraseMs: number;
  /** The same for one that is not: a hook that hangs. */
  readonly hookMs: number;
}

type NotMade = Exclude<CommitOutcome, { kind: "committed" }>;

export interface Made extends Extract<CommitOutcome, { kind: "committed" }> {
  readonly parents: readonly string[];
}

export interface Committing {
  readonly request: CommitRequest;
  /** That `request.changes` are of, when nothing was begun since. */
  readonly status: RawStatus | null;
  readonly limits: CommitLimits;
  readonly signal: AbortSignal;
}

/** Commits `request.changes` and nothing else, whatever a step or the user has staged. */
export async function commitChanges(
  place: Place,
  { request, limits, signal, ...known }: Committing,
): Promise<Made | NotMade> {
  if (request.changes.length === 0) return { kind: "nothing" };
  const unmerged = request.changes.filter((change) => change.kind === "unmerged");
  if (unmerged.length > 0)
    return refused(
      `merge conflicts are not resolved: ${unmerged.map((c) => showPath(c.path)).join(", ")}`,
    );
  const swept = request.everything ? null : findSwept(place.root, request.changes);
  if (swept !== null) return { kind: "blocked", ...swept };
  // Whoever holds it may be about to stage something.
  const isHeld = existsSync(join(place.gitDir, "index.lock"));
  try {
    await waitForIndexLock(place.gitDir, { waitMs: limits.lockWaitMs, signal });
  } catch (error) {
    return refused(
      error instanceof MmmError ? [error.message, ...error.next].join("\n") : String(error),
    );
  }
  const status = (isHeld ? null : known.status) ?? (await readStatus(place));
  const paths = new Set(request.changes.map((change) => change.path));
  const foreign = [...status.entries.values()].filter(
    (entry): entry is Staged => entry.staged !== null && !paths.has(entry.path),
  );
  return await withIndexCopy(place, async (saved) => {
    try {
      await stageExactly(place, request, foreign, status.entries);
    } catch (error) {
      if (!(error instanceof MmmError)) throw error;
      await restoreOrStop(place, saved, error.message);
      return refused(error.message);
    }
    if (!isSurelyMore(request, status.entries) && (await isAsHead(place))) {
      await putBack(place, foreign);
      return { kind: "nothing" };
    }
    const result = await runCommit(place, request, limits, signal);
    // The exit code says little: a hook after the commit may hang, or fail. HEAD has moved or not.
    const made = await readCommit(place);
    if (made.sha !== status.head) {
      const isEmpty = await dropEmpty(place, made, status.head);
      await putBack(place, foreign);
      return isEmpty
        ? { kind: "nothing" }
        : { kind: "committed", sha: made.sha, subject: made.subject, parents: made.parents };
    }
    if (result.ended !== "by-itself") await rm(join(place.gitDir, "index.lock"), { force: true });
    return await withoutCommit(place, { result, saved, paths, foreign });
  });
}

type Staged = StatusEntry & { readonly staged: NonNullable<StatusEntry["staged"]> };

/** The index becomes HEAD plus the changes. */
async function stageExactly(
  place: Place,
  request: CommitRequest,
  foreign: readonly Staged[],
  entries: ReadonlyMap<string, StatusEntry>,
): Promise<void> {
  await setIndex(
    place,
    foreign.map((entry) => ({ path: entry.path, side: entry.staged.head })),
  );
  await stageFromTree(
    place,
    // as they are now, if git still names them
    request.changes.map((change) => entries.get(change.path) ?? change),
  );
  if (request.everything)
    await stageNested(
      place,
      request.changes.filter((c) => c.kind === "nested-repository").map((c) => c.path),
    );
}

/**
 * A file that HEAD has not, or one of HEAD's that is gone: there is no doubt about it. What git calls modified may be
 * the same once its filters have seen it.
 */
function isSurelyMore(request: CommitRequest, entries: ReadonlyMap<string, StatusEntry>): boolean {
  return request.changes.some(({ path }) => {
    const entry = entries.get(path);
    return entry?.staged === null && (entry.kind === "added" || entry.kind === "deleted");
  });
}

async function isAsHead(place: Place): Promise<boolean> {
  const args = ["diff-index", "--cached", "--quiet", "HEAD", "--"];
  return (await tryPlumb(place, { args })).code === 0;
}

/** What others had staged is staged again. */
async function putBack(place: Place, foreign: readonly Staged[]): Promise<void> {
  const staged = foreign.filter((entry) => entry.kind !== null);
  await setIndex(
    place,
    staged.map((entry) => ({ path: entry.path, side: entry.staged.index })),
  );
}

const COMMIT = ["commit", "--quiet", "--cleanup=verbatim", "-F", "-"];

async function runCommit(
  place: Place,
  request: CommitRequest,
  limits: CommitLimits,
  signal: AbortSignal,
): Promise<GitResult> {
  const firstMs = Math.min(limits.passphraseMs, limits.hookMs);
  return await runGit({
    cwd: place.root,
    env: { GIT_REFLOG_ACTION: "mmm commit", ...place.userEnv },
    // verbatim: a subject that begins with `#` is no comment
    args: [...durableArgs, "-c", "i18n.commitEncoding=UTF-8", ...COMMIT],
    stdin: composeMessage(request.message, request.trailers),
    quietMs: firstMs,
    // Mostly it has long been done: then nobody asks.
    moreMs: async () => {
      const isSigned = await readFlag(place, "commit.gpgSign");
      return (isSigned ? limits.passphraseMs : limits.hookMs) - firstMs;
    },
    signal,
    tailOnly: true,
  });
}

interface HeadCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly subject: string;
  /** One parent, and the same tree as that. */
  readonly isEmpty: boolean;
}

async function readCommit(place: Place): Promise<HeadCommit> {
  const head = await readLooseHead(place);
  const [before, ...others] = head?.parents ?? [];
  const parent =
    head === null || before === undefined || others.length > 0
      ? null
      : await readLooseCommit(place, before);
  if (head !== null && parent !== null) return { ...head, isEmpty: head.tree === parent.tree };
  return await askCommit(place);
}

async function askCommit(place: Place): Promise<HeadCommit> {
  const args = ["log", "-z", "-2", "--first-parent", "--format=%H %T %P%n%s"];
  const text = (await plumb(place, { args })).toString("utf8");
  const [own = "", before = ""] = text.split("\0");
  const end = own.indexOf("\n");
  const [sha = "", tree = "", ...parents] = own.slice(0, end).split(" ");
  const isEmpty = parents.length === 1 && before.split(" ")[1] === tree;
  return { sha, subject: own.slice(end + 1), parents, isEmpty };
}

/** Git makes an empty commit when a hook takes all changes back (seen in 2.39); it is taken off again. */
async function dropEmpty(place: Place, made: HeadCommit, before: string): Promise<boolean> {
  if (!made.isEmpty) return false;
  await place.client.text("update-ref", "-m", "mmm commit: was empty", "HEAD", before, made.sha);
  return true;
}

/** Git did not commit: why, and the index as it was. */
async function withoutCommit(
  place: Place,
  attempt: {
    readonly result: GitResult;
    readonly saved: string;
    readonly paths: ReadonlySet<string>;
    readonly foreign: readonly Staged[];
  },
): Promise<NotMade> {
  const { result } = attempt;
  if (result.ended === "by-itself") {
    // a hook may have taken everything back: then there is nothing, not a refusal
    const left = await readStatus(place);
    if (![...attempt.paths].some((path) => left.entries.has(path))) {
      await putBack(place, attempt.foreign);
      return { kind: "nothing" };
    }
  }
  const trouble = result.ended === "by-itself" ? await diskTrouble(place, said(result)) : null;
  if (trouble !== null) throw trouble;
  await restoreIndex(place, attempt.saved);
  if (result.ended === "quiet") return { kind: "timed-out", afterMs: result.quietMs };
  if (result.ended === "aborted") return refused("interrupted before the commit was made");
  return refused(said(result));
}

/** The index as it was; throws `MmmError` (exit 3) when the disk is to blame for `text`. */
async function restoreOrStop(place: Place, saved: string, text: string): Promise<void> {
  const trouble = await diskTrouble(place, text);
  if (trouble === null) return restoreIndex(place, saved);
  // As well as that disk allows.
  await restoreIndex(place, saved).catch(() => undefined);
  throw trouble;
}

function said(result: GitResult): string {
  const text = [result.stdout.toString("utf8").trim(), result.stderr.trim()]
    .filter((part) => part !== "")
    .join("\n");
  return text === "" ? `git commit exited with ${result.code} and said nothing` : text;
}

function refused(text: string): NotMade {
  return { kind: "refused", text };
}
