/** From a journal to what the next process of the session need not do again (spec 7). */
import type { Event, StepPlace } from "../engine/events.ts";
import type { ReusedStep } from "../engine/resumed-event.ts";
import type { LanePast, Past, PastRecord, RestartReason } from "../engine/lane.ts";
import type { StopReason } from "../engine/outcome.ts";
import type { TreePoint } from "../engine/ports.ts";
import type { Spent } from "../engine/totals.ts";
import { Spending } from "./spending.ts";
import type { Kept, Story } from "./story.ts";

/** What is answered from the journal, and what starts again. */
export interface Reuse {
  readonly past: Past;
  readonly spent: Spent;
  readonly kept: Readonly<Record<string, number>>;
  readonly steps: readonly ReusedStep[];
  readonly inFlight: { readonly at: StepPlace; readonly attempt: number } | null;
  /** The others, of inputs at once. */
  readonly alsoInFlight: readonly NonNullable<Reuse["inFlight"]>[];
  /** Where the session's tree goes back to, in the lane that was at work. */
  readonly restart: TreePoint | null;
  /** Lanes that somebody has merged by hand. */
  readonly merged: ReadonlySet<string>;
}

/** Lines of the journal from which on nothing is reused. */
export interface ReuseUpTo {
  /** In the session's tree; `null`: all that was finished is reused. */
  readonly line: number | null;
  /** In lanes that have a tree of their own. */
  readonly lanes: ReadonlyMap<string, number>;
}

/** Lanes with a tree of their own to which something was done by hand. */
export interface ByHand {
  /** Nothing is left of them: they start anew. */
  readonly gone: ReadonlySet<string>;
  /** Nothing is left to do but to say so. */
  readonly merged: ReadonlySet<string>;
}

/** @param upTo `null`: all that was finished is reused */
export function reuse(
  story: Story,
  upTo: ReuseUpTo | null,
  { gone, merged }: ByHand = { gone: new Set(), merged: new Set() },
): Reuse {
  const lanes = new Map<string, LanePast>();
  const spending = new Spending(story.spent);
  const steps: ReusedStep[] = [];
  const cutShort: NonNullable<Reuse["inFlight"]>[] = [];
  let restart: TreePoint | null = null;
  for (const [name, records] of story.lanes) {
    const failed = story.finished?.status === "failed";
    const end = gone.has(name)
      ? ANEW
      : merged.has(name)
        ? beforeMerge(records)
        : story.trees.has(name)
          ? endOfInput(records, { from: upTo?.lanes.get(name) ?? null, failed })
          : endOf(name, records, { from: upTo?.line ?? null, failed });
    const keep = records.slice(0, end.keep);
    spending.drop(name, records.slice(end.keep));
    lanes.set(name, { records: keep, restart: end.restart, why: end.why });
    steps.push(...reusedIn(keep));
    if (end.inFlight !== null) cutShort.push(end.inFlight);
    if (end.restart !== null && !story.trees.has(name)) restart = end.restart;
  }
  return {
    past: { lanes, segment: story.segments + 1 },
    spent: spending.spent(),
    kept: Object.fromEntries([...lanes].map(([name, { records }]) => [name, records.length])),
    steps,
    inFlight: cutShort.at(-1) ?? null,
    alsoInFlight: cutShort.slice(0, -1),
    restart,
    merged,
  };
}

interface LaneEnd {
  readonly keep: number;
  readonly restart: TreePoint | null;
  readonly why: RestartReason;
  readonly inFlight: Reuse["inFlight"];
}

const ANEW: LaneEnd = { keep: 0, restart: null, why: "cut-short", inFlight: null };

function endOf(
  name: string,
  records: readonly Kept[],
  { from, failed }: { readonly from: number | null; readonly failed: boolean },
): LaneEnd {
  const plain = (keep: number): LaneEnd => ({
    keep,
    restart: null,
    why: "cut-short",
    inFlight: null,
  });
  // How a session ends is found out anew each time.
  if (name === "session")
    return plain(records.findIndex((each) => isEvent(each, "session-started")) + 1);
  const changed = from === null ? -1 : records.findIndex(({ line }) => line >= from);
  if (changed !== -1)
    return { ...plain(changed), restart: pointAfter(records, changed), why: "changed" };
  if (failed) {
    const last = records.at(-1);
    // What a failed input did was undone, so it starts anew (spec 8.4).
    if (name.startsWith("input-")) {
      const isOver = last?.type === "event" && last.event.type === "input-finished";
      return plain(
        isOver && last.event.type === "input-finished" && !last.event.ok ? 0 : records.length,
      );
    }
    const start = failedStep(records);
    if (start !== null)
      return { ...plain(start), restart: pointAfter(records, start), why: "failed" };
  }
  return unfinished(records);
}

/** An input that was to be merged, up to there. */
function beforeMerge(records: readonly Kept[]): LaneEnd {
  const merging = records.findIndex((each) => isEvent(each, "input-merging"));
  return { ...ANEW, keep: Math.max(merging, 0) };
}

const UNMERGED: ReadonlySet<StopReason> = new Set([
  "merge-conflict",
  "merge-gate",
  "merge-refused",
]);

/** Of an input with a tree of its own: the others' failures and edits are not its business. */
function endOfInput(
  records: readonly Kept[],
  { from, failed }: { readonly from: number | null; readonly failed: boolean },
): LaneEnd {
  const plain = { restart: null, why: "cut-short", inFlight: null } as const;
  const last = records.at(-1);
  if (last?.type === "event" && last.event.type === "input-finished") {
    const { ok, stop } = last.event;
    if (ok || !failed) return { ...plain, keep: records.length };
    // Its work is paid for and good: only the merge is made again.
    return UNMERGED.has(stop) ? beforeMerge(records) : ANEW;
  }
  const changed = from === null ? -1 : records.findIndex(({ line }) => line >= from);
  if (changed !== -1)
    return { ...plain, keep: changed, restart: pointAfter(records, changed), why: "changed" };
  return unfinished(records);
}

/** The innermost unit that was begun and not finished starts again from the tree it started on. */
function unfinished(records: readonly PastRecord[]): LaneEnd {
  for (let index = records.length - 1; index >= 0; index -= 1) {
    const record = records[index];
    if (record === undefined) break;
    if (record.type === "answer" && /^(?:shell|claude|analysis)$/.test(record.call)) break;
    if (record.type !== "event") continue;
    const { event } = record;
    if (event.type === "attempt-finished" || event.type === "run-failed") break;
    if (event.type === "attempt-started" || event.type === "retry-started") {
      const { at, attempt } = event;
      const inFlight = { at, attempt };
      return { keep: index, restart: pointNow(records), why: "cut-short", inFlight };
    }
  }
  return { keep: records.length, restart: null, why: "cut-short", inFlight: null };
}

/** Where the top-level step that ended the run began; `null`: none did. */
function failedStep(records: readonly PastRecord[]): number | null {
  const start = records.findLastIndex(
    (each) => isEvent(each, "step-started") && each.event.at.depth === 0,
  );
  const end = records.findLast(
    (each) => isEvent(each, "step-finished") && each.event.at.depth === 0,
  );
  const isFailed =
    end !== undefined && isEvent(end, "step-finished") && end.event.conclusion === "failed";
  return isFailed && start !== -1 ? start : null;
}

function isEvent<T extends Event["type"]>(
  record: PastRecord,
  type: T,
): record is Extract<PastRecord, { type: "event" }> & {
  readonly event: Extract<Event, { type: T }>;
} {
  return record.type === "event" && record.event.type === type;
}

/** The tree is marked before each process; without a mark since the last look none was begun. */
function pointNow(records: readonly PastRecord[]): TreePoint | null {
  const last = records.findLast(
    (each) => isPoint(each) || (each.type === "answer" && each.call === "look"),
  );
  return last !== undefined && isPoint(last) ? pointOf(last) : null;
}

function pointAfter(records: readonly PastRecord[], index: number): TreePoint | null {
  return pointOf(records.slice(index).find(isPoint));
}

function isPoint(record: PastRecord): boolean {
  return record.type === "answer" && (record.call === "mark" || record.call === "snapshot");
}

function pointOf(record: PastRecord | undefined): TreePoint | null {
  return record?.type === "answer" ? (record.value as TreePoint) : null; // What `isPoint` names holds one.
}

/** Top-level steps that have finished, with what they made. */
function reusedIn(records: readonly PastRecord[]): readonly ReusedStep[] {
  const found: ReusedStep[] = [];
  let outputs: string[] = [];
  let costUsd: number | null = 0;
  for (const record of records) {
    if (record.type !== "event") continue;
    const { event } = record;
    if (event.type === "step-started" && event.at.depth === 0) {
      outputs = [];
      costUsd = 0;
    } else if (event.type === "output-captured" && event.at.depth === 0) outputs.push(event.name);
    else if (
      (event.type === "attempt-finished" || event.type === "run-failed") &&
      event.at.kind === "claude" &&
      event.end !== null
    ) {
      const cost: number | null = event.usage?.costUsd ?? null;
      costUsd = costUsd === null || cost === null ? null : costUsd + cost;
    } else if (event.type === "step-finished" && event.at.depth === 0) {
      const { at, conclusion, commits } = event;
      found.push({ at, conclusion, commits, outputs, costUsd });
    }
  }
  return found;
}
