/** Trees of inputs that a resume goes on in (spec 7, 8.4): each is looked at like the session's own. */
import { existsSync } from "node:fs";
import type { SessionRecord } from "../engine/session-record.ts";
import { MmmError } from "../errors.ts";
import { findRepository, type RepositoryStart } from "../git/repository.ts";
import { shellWord } from "../lib/shell-word.ts";
import type { Reuse } from "../session/past.ts";
import type { OwnTree, Story } from "../session/story.ts";
import { inputNumber, readInputRecord } from "../session/worktree-file.ts";
import { checkTree, giveUpLine } from "./resume-place.ts";
import { protectedIn } from "./worktree/work.ts";

interface ResumingInputs {
  readonly session: SessionRecord;
  readonly story: Story;
  readonly reuse: Reuse;
  readonly cwd: string;
  /** Absolute; of the session. */
  readonly directory: string;
}

/** Throws `MmmError` (exit 3) when one of them is gone or has moved on. */
export async function checkInputs(start: RepositoryStart, resuming: ResumingInputs): Promise<void> {
  const { story, reuse, directory, session, cwd } = resuming;
  for (const [lane, tree] of story.trees) {
    const records = reuse.past.lanes.get(lane)?.records ?? [];
    const last = records.at(-1);
    // It starts anew in a new tree, or is over.
    if (records.length === 0) continue;
    if (last?.type === "event" && last.event.type === "input-finished") continue;
    if (!existsSync(tree.place.path)) throw gone(session, tree);
    const own = await findRepository(tree.place.path, start.env);
    // Its merge failed: whoever resolved it by hand has made commits there.
    if (records.length < (story.lanes.get(lane)?.length ?? 0) && isOver(story, lane)) continue;
    const saved = protectedIn(readInputRecord(directory, inputNumber(tree.place.name)));
    const known = saved.map(({ path }) => path);
    const restart = reuse.past.lanes.get(lane)?.restart ?? null;
    const ready = { protectedPaths: known, saved };
    await checkTree(own, { session, place: tree.last, restart, known, ready, cwd });
  }
}

function isOver(story: Story, lane: string): boolean {
  const last = story.lanes.get(lane)?.at(-1);
  return last?.type === "event" && last.event.type === "input-finished";
}

function gone(session: SessionRecord, { place }: OwnTree): MmmError {
  const again = `git worktree prune && git worktree add ${shellWord(place.path)} ${place.name}`;
  return new MmmError("worktree-gone", 3, {
    message: `the worktree of an input is not there any more: ${place.path}`,
    next: [`${again}   (what was committed; then resume)`, giveUpLine(session)],
  });
}
