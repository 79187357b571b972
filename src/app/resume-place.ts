/** Does the tree still stand where the session left it (spec 7)? What somebody else did is never undone. */
import { isStopped, type SessionRecord } from "../engine/session-record.ts";
import { MmmError } from "../errors.ts";
import { removeDeadLock } from "../git/dead-lock.ts";
import { halfMoved } from "../git/half-moved.ts";
import { type HeadNow, headMoves } from "../git/head-moves.ts";
import { showPath } from "../git/path.ts";
import { waitForIndexLock } from "../git/index-lock.ts";
import type { RepositoryStart } from "../git/repository.ts";
import { type Ready, underWayIn } from "../git/ready.ts";
import { openTree } from "../git/tree.ts";
import { isAncestor, tipOf } from "../git/worktree.ts";
import { shellWord } from "../lib/shell-word.ts";
import { openLandings } from "../session/open-landing.ts";
import type { Reuse } from "../session/past.ts";
import type { Story } from "../session/story.ts";
import type { LastPlace } from "../session/whereabouts.ts";
import type { TreeLook, TreePoint, TreePort } from "../engine/ports.ts";
import { savedRequest } from "./saved-request.ts";
import { gitFrom } from "./world.ts";

interface Resuming {
  readonly session: SessionRecord;
  readonly story: Story;
  readonly reuse: Reuse;
  /** Where mmm was started: lines to type are for there. */
  readonly cwd: string;
  /** Files that are nobody's business. */
  readonly ready: Ready;
}

/** Throws `MmmError` (exit 3) when the session's tree has moved on. */
export async function checkPlace(start: RepositoryStart, resuming: Resuming): Promise<void> {
  const { session, story, ready, cwd } = resuming;
  // The playbook and the like may have been put back since: that is no change of the work.
  const known = savedRequest(story.request)?.protectedFiles.map(({ path }) => path) ?? [];
  const { restart } = resuming.reuse;
  // Nothing runs in it when inputs have trees of their own; they are merged into wherever its branch stands.
  const mayGoOn = story.trees.size > 0;
  for (const landing of openLandings(story)) known.push(...(await halfMoved(start, landing)));
  await checkTree(start, { session, place: story.place, restart, known, ready, cwd, mayGoOn });
}

export interface TreeLeft extends Pick<Resuming, "session" | "cwd" | "ready"> {
  /** `null`: nobody knows. */
  readonly place: LastPlace | null;
  /** Where it goes back to. */
  readonly restart: TreePoint | null;
  /** Files that somebody may have put back. */
  readonly known: readonly string[];
  /** Name of the worktree, when it is that of an input. */
  readonly input?: string;
  /** Commits on top of where it stood are nobody's trouble. */
  readonly mayGoOn?: boolean;
}

/** The same for any tree of the session. */
export async function checkTree(
  start: RepositoryStart,
  { session, place, restart, known, ready, cwd, input, mayGoOn = false }: TreeLeft,
): Promise<void> {
  if (place === null) return;
  // Nobody else is to be at work in a tree that mmm has made.
  if (mayGoOn || input !== undefined) await removeDeadLock(start);
  await waitForIndexLock(start.gitDir, { waitMs: 10_000 });
  const git = gitFrom(cwd, start.root);
  const told = { session, git, input: input ?? null };
  const hasGoneOn = mayGoOn && (await isAhead(start, place));
  if (!hasGoneOn) await checkHead(start, { ...told, place });
  const tree = await openTree({ start, session: session.name, ready });
  const now = await tree.look();
  const strange = hasGoneOn
    ? now.changes.map(({ path }) => path)
    : await strangeFiles(tree, now, { place, restart });
  const moved = strange.filter((path) => !known.includes(path));
  const underWay = underWayIn(start.gitDir);
  // Nothing can be merged into a tree in which another merge waits for its end.
  if (underWay !== null && (mayGoOn || moved.length > 0)) throw unended(told, underWay);
  if (moved.length === 0) return;
  const isUnmerged = now.changes.some(({ kind }) => kind === "unmerged");
  throw filesMoved(told, { files: moved, isUnmerged });
}

/** The session's own tree was deleted by hand; its branch may be there, or not. */
export async function worktreeGone(
  here: RepositoryStart,
  session: SessionRecord,
  root: string,
): Promise<MmmError> {
  const { name } = session;
  const isBranchThere = (await tipOf(here, name)) !== null;
  const message = `the worktree of ${name} is not there any more: ${root}`;
  return new MmmError("worktree-gone", 3, {
    message: isBranchThere ? message : `${message}, and neither is its branch`,
    next: [
      ...(isBranchThere
        ? [
            `git worktree prune && git worktree add ${shellWord(root)} ${name}   (what was committed; then resume)`,
          ]
        : []),
      // Nothing else can be done then.
      isBranchThere ? giveUpLine(session) : giveUpLine(session).replace(/^or /, ""),
    ],
  });
}

interface Told {
  readonly session: SessionRecord;
  /** How a git line to type begins. */
  readonly git: string;
  readonly input: string | null;
}

/** On the same branch, with commits on top. */
async function isAhead(start: RepositoryStart, { head, branch }: LastPlace): Promise<boolean> {
  if (branch === null || start.branch !== branch || start.head === head) return false;
  return isAncestor(start, { ancestor: head, of: start.head }).catch(() => false);
}

async function checkHead(
  start: RepositoryStart,
  { session, place, git, input }: Told & { readonly place: LastPlace },
): Promise<void> {
  const { name } = session;
  const now = await headMoves(start, { from: place.head, session: name });
  if (now.stranger === null && (now.branch === place.branch || now.head !== place.head)) return;
  const stood = place.branch === null ? "a detached HEAD" : `branch ${place.branch}`;
  const stands = now.branch === null ? "a detached HEAD" : `branch ${now.branch}`;
  const how = now.stranger === null || now.stranger === "unknown" ? "" : ` (${now.stranger})`;
  const isGone = place.branch !== null && (await tipOf(start, place.branch)) === null;
  const gone = isGone ? ", and that branch is gone" : "";
  throw new MmmError("tree-moved-on", 3, {
    message: `${input === null ? "the tree" : `the tree of ${input}`} has moved on since ${name} stopped: it stood on ${stood} at ${short(place.head)}${gone}, and now it is ${stands} at ${short(now.head)}${how}`,
    next: [`${git} ${wayBack(place, now, isGone)}`, ...anewLine(input), giveUpLine(session)],
  });
}

/** A step that failed has left nothing to put aside: such a session is dropped by leaving it alone. */
export function giveUpLine(session: SessionRecord): string {
  return isStopped(session)
    ? `or give the session up: mmm sessions drop ${session.name}`
    : `or begin anew with mmm cook (mmm sessions rm ${session.name} removes this one)`;
}

function anewLine(input: string | null): readonly string[] {
  if (input === null) return [];
  return [`mmm worktree clean ${input} --force   (throws away all of it; the input starts anew)`];
}

function wayBack({ branch, head }: LastPlace, now: HeadNow, isGone: boolean): string {
  if (isGone) return `switch -c ${shellWord(branch ?? "")} ${short(head)}`;
  if (now.branch === branch)
    return `reset --keep ${short(head)}   (your commits stay in the reflog)`;
  return branch === null ? `switch --detach ${short(head)}` : `switch ${shellWord(branch)}`;
}

/** Files that changed after the session stopped; what a killed unit left cannot be told from them, and is kept. */
async function strangeFiles(
  tree: TreePort,
  now: TreeLook,
  { place, restart }: { readonly place: LastPlace; readonly restart: TreePoint | null },
): Promise<readonly string[]> {
  if (place.left !== null) {
    const left = place.left;
    if (await tree.sameTree(left, now)) return [];
    // Somebody has tidied up: that is where the unit starts anyway.
    if (restart !== null && (await tree.sameTree(restart, now))) return [];
    return (await tree.filesSince(left, now)).map(({ path }) => path);
  }
  if (place.look === null) return [];
  const known = new Set(place.look.changes.map(({ path, kind }) => `${kind} ${path}`));
  return now.changes
    .filter(({ path, kind }) => !known.has(`${kind} ${path}`))
    .map(({ path }) => path);
}

const MOST_LISTED = 20;

/** `git stash` declines while it is under way. */
function unended(
  { session, git, input }: Told,
  { name, ends }: { readonly name: string; readonly ends: readonly string[] },
): MmmError {
  return new MmmError("tree-moved-on", 3, {
    message: `${name} is under way in the tree of ${input ?? session.name}: it has to come to its end first`,
    next: [
      ...ends.map((line) => line.replace(/^git/u, git)),
      ...anewLine(input),
      giveUpLine(session),
    ],
  });
}

function filesMoved(
  { session, git, input }: Told,
  { files, isUnmerged }: { readonly files: readonly string[]; readonly isUnmerged: boolean },
): MmmError {
  const listed = files.slice(0, MOST_LISTED).map((file) => `  ${showPath(file)}`);
  if (files.length > MOST_LISTED) listed.push(`  and ${files.length - MOST_LISTED} more`);
  const what = files.length === 1 ? "1 file has" : `${files.length} files have`;
  return new MmmError("tree-moved-on", 3, {
    message: `${what} changed ${input === null ? "" : `in ${input} `}since ${session.name} stopped:\n${listed.join("\n")}`,
    next: [
      // It declines what is in conflict.
      `put them aside: ${isUnmerged ? `${git} add -A && ` : ""}${git} stash -u`,
      ...anewLine(input),
      giveUpLine(session),
    ],
  });
}

function short(sha: string): string {
  return sha.slice(0, 10);
}
