/** The engine at work under the signals (spec 4, 7). */
import type { Run } from "../engine/context.ts";
import type { Event } from "../engine/events.ts";
import { NO_PAST, type Recorder } from "../engine/lane.ts";
import type { SessionResumed } from "../engine/resumed-event.ts";
import { type Parallel, runSession, type SessionOutcome } from "../engine/session.ts";
import { NOTHING_SPENT } from "../engine/totals.ts";
import { ownChildren } from "../process/children.ts";
import { interruptCode, type SignalWatch } from "../process/signals.ts";
import type { Landing } from "../session/open-landing.ts";
import type { Reuse } from "../session/past.ts";
import type { JournalScan } from "../session/read-journal.ts";
import type { SessionSummary } from "../session/state.ts";
import { chooseLimits } from "./limits.ts";
import { withWayOn } from "./goes-on.ts";
import type { Prepared } from "./prepared.ts";
import { runOf, worktreeOf } from "./run-of.ts";
import type { SavedRequest } from "./saved-request.ts";

/** A session that an earlier process began. */
export interface Resumed {
  readonly summary: SessionSummary;
  readonly content: JournalScan;
  readonly reuse: Reuse;
  /** Merges that may be half done in the session's own tree. */
  readonly landings: readonly Landing[];
  /** What its user has to know first. */
  readonly words: readonly string[];
  readonly told: SessionResumed;
}

export interface Opened {
  readonly ports: Run["ports"];
  readonly name: string;
  readonly words: readonly string[];
  readonly now: Date;
  /** A session that was killed in this tree. */
  readonly gone: string | null;
  readonly saved: SavedRequest;
  /** `null`: a new session. */
  readonly resumed: Resumed | null;
  readonly watch: SignalWatch;
  /** `null`: one input after the other. */
  readonly parallel: Parallel | null;
  /** Nothing will be resumed: what was held for that may go. */
  readonly release: () => Promise<void>;
}

/** Runs the engine under the signals; no child is alive when it returns. */
export async function play(
  prepared: Prepared,
  opened: Opened & {
    readonly recorder: Recorder;
    readonly warn: (message: string) => void;
    /** Of a run that rejects: to be told when there is room on the disk again. */
    readonly onBroken: (event: Event & { readonly type: "session-broken" }) => void;
    readonly directory: string;
  },
): Promise<Extract<Event, { type: "session-finished" }>> {
  const { recorder, resumed, watch } = opened;
  const onAbort = (): void =>
    opened.warn("stopping: running commands have 5 s to end; once more ends them at once");
  if (watch.aborted.aborted) onAbort();
  else watch.aborted.addEventListener("abort", onAbort);
  // Whatever ends mmm itself, a bug included: no child outlives it (spec 11).
  const killAll = (): void => ownChildren.killAllNow();
  process.on("exit", killAll);
  let finished: Extract<Event, { type: "session-finished" }> | null = null;
  const isInWorktree = worktreeOf(prepared) !== null;
  const exitCode = (outcome: SessionOutcome): number => {
    const stopped = interruptCode(watch.aborted);
    if (outcome.status === "interrupted") return stopped ?? 143;
    // All was done but the way home: its merge is not begun any more.
    const isToMerge = outcome.status === "completed" || outcome.stop === "input-failed";
    if (isInWorktree && isToMerge && stopped !== null) return stopped;
    if (outcome.status === "suspended") return 75;
    return outcome.status === "completed" ? 0 : 1;
  };
  const run = { ...runOf(prepared, opened), ports: opened.ports, signal: watch.aborted };
  try {
    await runSession({
      run,
      recorder: {
        ...recorder,
        event: (event, mark) => {
          if (event.type === "session-finished") finished = event;
          recorder.event(event, mark);
        },
      },
      past: resumed?.reuse.past ?? NO_PAST,
      spent: resumed?.reuse.spent ?? NOTHING_SPENT,
      limits: chooseLimits(prepared),
      inputs: prepared.inputs,
      parallel: opened.parallel,
      onBroken: opened.onBroken,
      exitCode,
    });
  } catch (error) {
    throw withWayOn(error, opened.name);
  } finally {
    await ownChildren.endAll(watch.aborted.aborted);
    watch.aborted.removeEventListener("abort", onAbort);
    process.off("exit", killAll);
  }
  if (finished === null) throw new Error("the session ended without an end");
  return finished;
}
