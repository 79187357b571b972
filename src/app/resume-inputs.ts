/** Trees of inputs that a resume goes on in (spec 7, 8.4): each is looked at like the session's own. */
import type { SessionRecord } from "../engine/session-record.ts";
import { MmmError } from "../errors.ts";
import type { RepositoryStart } from "../git/repository.ts";
import { tipOf } from "../git/worktree.ts";
import { shellWord } from "../lib/shell-word.ts";
import type { ByHand, Reuse } from "../session/past.ts";
import type { OwnTree, Story } from "../session/story.ts";
import { inputNumber, readInputRecord } from "../session/worktree-file.ts";
import { type Branches, isHome, mergedAlready } from "./merged-already.ts";
import { checkPlace, checkTree, giveUpLine } from "./resume-place.ts";
import { protectedIn, treeAt } from "./worktree/work.ts";

interface ResumingInputs {
  readonly session: SessionRecord;
  readonly story: Story;
  readonly reuse: Reuse;
  readonly cwd: string;
  /** Absolute; of the session. */
  readonly directory: string;
}

/** What was done to inputs with plain git since the session stopped. */
export async function inputsByHand(
  start: RepositoryStart,
  story: Story,
  branches: Branches,
): Promise<ByHand> {
  const merged = await mergedAlready(start, story, branches);
  return { merged, gone: await goneInputs(start, story, merged) };
}

/** Of an input that is paid for again. */
export function wordsOf({ gone }: ByHand): readonly string[] {
  return [...gone].map((lane) => {
    const name = lane.replace("-", " ");
    return `worktree and branch of ${name} are gone, and what was on them is merged nowhere: it starts anew`;
  });
}

/** Lanes whose worktree and branch were both removed, and that nobody has merged: there is nothing to go on in. */
async function goneInputs(
  start: RepositoryStart,
  story: Story,
  merged: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  for (const [lane, { place }] of story.trees) {
    const records = story.lanes.get(lane) ?? [];
    const last = records.at(-1);
    const isGood = last?.type === "event" && last.event.type === "input-finished" && last.event.ok;
    if (isGood || isHome(records) || merged.has(lane) || (await treeAt(start, place.path)) !== null)
      continue;
    if ((await tipOf(start, place.name)) === null) gone.add(lane);
  }
  return gone;
}

/** Throws `MmmError` (exit 3) when one of the session's trees is gone or has moved on: of all at once. */
export async function checkTrees(
  start: RepositoryStart,
  resuming: ResumingInputs & Parameters<typeof checkPlace>[1],
): Promise<void> {
  const own = await troubleOf(checkPlace(start, resuming));
  const troubles = [...own, ...(await checkInputs(start, resuming))];
  const [first, ...others] = troubles;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const giveUp = giveUpLine(resuming.session);
  const next = troubles.flatMap((each) => each.next).filter((line) => line !== giveUp);
  throw new MmmError(first.code, first.exitCode, {
    message: troubles.map(({ message }) => message).join("\n"),
    next: [...new Set(next), giveUp],
  });
}

async function troubleOf(check: Promise<void>): Promise<readonly MmmError[]> {
  try {
    await check;
    return [];
  } catch (error) {
    if (error instanceof MmmError && /^(?:tree-moved-on|worktree-gone)$/.test(error.code))
      return [error];
    throw error;
  }
}

async function checkInputs(
  start: RepositoryStart,
  resuming: ResumingInputs,
): Promise<readonly MmmError[]> {
  const { story, reuse, directory, session, cwd } = resuming;
  const troubles: MmmError[] = [];
  for (const [lane, tree] of story.trees) {
    const records = reuse.past.lanes.get(lane)?.records ?? [];
    const last = records.at(-1);
    // It starts anew in a new tree, or is over.
    if (records.length === 0) continue;
    if (last?.type === "event" && last.event.type === "input-finished") continue;
    if (isHome(records) || reuse.merged.has(lane)) continue;
    const own = await treeAt(start, tree.place.path);
    if (own === null) {
      troubles.push(gone(session, tree));
      continue;
    }
    const saved = protectedIn(readInputRecord(directory, inputNumber(tree.place.name)));
    const known = saved.map(({ path }) => path);
    const restart = reuse.past.lanes.get(lane)?.restart ?? null;
    const ready = { protectedPaths: known, saved };
    const input = tree.place.name;
    const left = { session, place: tree.last, restart, known, ready, cwd, input };
    troubles.push(...(await troubleOf(checkTree(own, left))));
  }
  return troubles;
}

function gone(session: SessionRecord, { place }: OwnTree): MmmError {
  const again = `git worktree prune && git worktree add ${shellWord(place.path)} ${place.name}`;
  return new MmmError("worktree-gone", 3, {
    message: `the worktree of an input is not there any more: ${place.path}`,
    next: [`${again}   (what was committed; then resume)`, giveUpLine(session)],
  });
}
