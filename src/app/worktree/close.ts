/** The end of a session in a worktree: merged, removed, or kept with the lines to type (spec 8, 10). */
import { createInterface } from "node:readline/promises";
import type { Event } from "../../engine/events.ts";
import type { Spent } from "../../engine/totals.ts";
import { tipOf } from "../../git/worktree.ts";
import { interruptCode } from "../../process/signals.ts";
import { shellWord } from "../../lib/shell-word.ts";
import type { WorktreeRecord } from "../../session/worktree-file.ts";
import type { Prepared } from "../prepared.ts";
import { mergeLine } from "./merge.ts";
import { removeWholly } from "./remove.ts";
import { mergeMaker } from "./make-merge.ts";
import { contextOf, type MergeContext } from "./merge-context.ts";
import { asNote, settleMerge } from "./settle.ts";
import { uncommitted } from "./work.ts";

export interface Closing {
  readonly record: WorktreeRecord;
  /** Absolute; of the session. */
  readonly directory: string;
  readonly end: Extract<Event, { type: "session-finished" }>;
  readonly tell: (event: Event) => void;
  /** Ends the question; the answer is no then. */
  readonly signal: AbortSignal;
}

/** The exit code of the whole: the run's own, unless a merge that was asked for went wrong. */
export async function closeWorktree(prepared: Prepared, closing: Closing): Promise<number> {
  const { start } = prepared;
  const { record, directory, end, tell } = closing;
  const { name, path } = record;
  const kept = (why: string | null, next: readonly string[]): number => {
    // What the session's end has said to type is not said again.
    const isSaid = end.next.some((line) => line.startsWith(`mmm resume ${name}`));
    const fresh = next.filter((line) => !(isSaid && line === `mmm resume ${name}`));
    tell({ type: "worktree-kept", session: name, path, why, next: fresh });
    return end.exitCode;
  };
  const look = `cd ${shellWord(path)}`;
  const clean = `mmm worktree clean ${name}`;
  if (end.status === "interrupted" || end.status === "suspended")
    return kept(null, [`mmm resume ${name}`]);
  const tip = await tipOf(start, name);
  const dirt = await uncommitted(start, { name, path, directory });
  const hasCommits = tip !== null && tip !== record.base;
  if (end.status === "failed" && !(end.stop === "input-failed" && hasCommits))
    return kept("the run failed", [look, `mmm resume ${name}`, `${clean} --force`]);
  if (end.status === "completed") tell({ type: "worktree-completed", session: name, path });
  if (!hasCommits && dirt.length === 0) {
    await removeWholly(start, record, asNote(tell), closing.signal);
    tell({ type: "worktree-removed", session: name, why: "unchanged" });
    return end.exitCode;
  }
  if (!hasCommits) return kept("its changes are not committed", [look, `${clean} --force`]);
  if (record.target === null)
    return kept("it began on a detached HEAD, so there is no branch to merge it into", [
      `git switch BRANCH && git merge --no-ff ${name}`,
    ]);
  const { signal } = closing;
  const isWanted = !signal.aborted && (await asked(prepared, signal));
  const stopped = interruptCode(signal);
  if (stopped !== null) {
    kept("it was stopped before the merge", [mergeLine(name)]);
    return stopped;
  }
  if (!isWanted) return kept(null, [mergeLine(name)]);
  const { mainRoot, ownFiles } = prepared;
  const context = async (): Promise<MergeContext> => Promise.resolve(contextOf(prepared));
  const place = { here: start, record, directory };
  const make = mergeMaker({ ...place, mainRoot, context, spent: spentBy(end), tell });
  const stays = end.status === "failed";
  const code = await settleMerge({ ...place, stays, ownFiles, make, tell, signal });
  return code === 0 ? end.exitCode : code;
}

function spentBy({ totals, workedMs }: Closing["end"]): Spent {
  const { knownCostUsd, unknownCosts, tokens, cutShort = 0 } = totals;
  const isCostUnknown = unknownCosts > 0;
  return { knownCostUsd, isCostUnknown, tokens, cutShort, durationMs: workedMs };
}

/** Nobody there to answer means no (spec 1, `-y`). */
async function asked({ request, invocation }: Prepared, signal: AbortSignal): Promise<boolean> {
  if (request.yes) return true;
  const { stdin } = process;
  const { stdout } = invocation;
  if (!stdin.isTTY || !stdout.isTTY || request.reporter === "json") return false;
  const question = "Would you like to merge the completed worktree now? (y/N): ";
  const lines = createInterface({ input: stdin, output: stdout });
  // The terminal is raw while it asks: Ctrl-C is a key then, and no signal.
  lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const gone = new Promise<string>((done) => lines.once("close", () => done("")));
    const answer = await Promise.race([lines.question(question, { signal }).catch(() => ""), gone]);
    return /^\s*y(?:es)?\s*$/i.test(answer);
  } finally {
    lines.close();
  }
}
