/** Where an edited playbook stops being the one that was run (spec 7). */
import type { PlannedStep, Plan } from "../playbook/plan-model.ts";
import type { Event } from "../engine/events.ts";
import { meaningOf } from "../playbook/meaning.ts";
import type { ReuseUpTo } from "../session/past.ts";
import type { Story } from "../session/story.ts";
import { shortMeaning } from "./run-of.ts";

export interface PlanChange extends ReuseUpTo {
  readonly why: string;
  /** That step, or a later one, had finished. */
  readonly finished: boolean;
}

/** `null`: every step that was begun means what it meant. */
export function firstChange(story: Story, plan: Plan): PlanChange | null {
  const meanings = new Map(
    plan.steps.map((step) => [
      step.path,
      { step, meaning: shortMeaning(meaningOf(step.step, plan.playbook)) },
    ]),
  );
  const lanes = new Map<string, number>();
  let first: LaneChange | null = null;
  let inTree: LaneChange | null = null;
  for (const [name, lane] of story.lanes) {
    const isOwn = story.trees.has(name);
    // What is merged stays as it is.
    if (isOwn && isOver(lane)) continue;
    const change = changeIn(lane, meanings, plan.steps.length);
    if (change === null) continue;
    if (first === null || change.line < first.line) first = change;
    if (isOwn) lanes.set(name, change.line);
    else if (inTree === null || change.line < inTree.line) inTree = change;
  }
  if (first === null) return null;
  return { line: inTree?.line ?? null, lanes, why: first.why, finished: first.finished };
}

/** In one lane. */
interface LaneChange {
  /** Of the journal; nothing of the lane is reused from there on. */
  readonly line: number;
  readonly why: string;
  readonly finished: boolean;
}

type LaneRecords = Story["lanes"] extends ReadonlyMap<string, infer Records> ? Records : never;

function isOver(lane: LaneRecords): boolean {
  const last = lane.at(-1);
  return last?.type === "event" && last.event.type === "input-finished";
}

/** A step of the list, or an item of a loop: what is done is not thrown away unasked. */
function endsUnit(event: Event): boolean {
  return (event.type === "step-finished" && event.at.depth === 0) || event.type === "item-finished";
}

function changeIn(
  lane: LaneRecords,
  meanings: ReadonlyMap<string, { readonly step: PlannedStep; readonly meaning: string }>,
  count: number,
): LaneChange | null {
  let seen = 0;
  let lastEnd = 0;
  for (const [index, record] of lane.entries()) {
    if (record.type !== "event") continue;
    const { event, line } = record;
    if (event.type === "iteration-started") seen = 0;
    if (event.type === "step-started" && event.at.depth === 0 && event.meaning !== undefined) {
      seen += 1;
      const now = meanings.get(event.at.step);
      if (now?.meaning !== event.meaning) {
        const finished = lane
          .slice(index)
          .some((each) => each.type === "event" && endsUnit(each.event));
        const what =
          now === undefined ? "is gone" : `is now "${now.step.step.label}" (${now.step.place})`;
        const same = now?.step.step.label === event.at.label;
        return {
          line,
          finished,
          why: `step ${event.at.step} (${event.at.label}) ${same ? `means something else now (${now.step.place})` : what}`,
        };
      }
    }
    if (event.type === "step-finished" && event.at.depth === 0) lastEnd = index;
    if (event.type === "iteration-finished" && event.changed && seen < count) {
      const end = lane[lastEnd + 1];
      if (end !== undefined)
        return {
          line: end.line,
          finished: true,
          why: `an iteration had ${seen} ${seen === 1 ? "step" : "steps"}, and now it has ${count}`,
        };
    }
  }
  return null;
}
