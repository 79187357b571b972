/** What a lane reads in the records of its past. */
import type { Event } from "./events.ts";
import type { PastRecord } from "./lane.ts";

export function isEnd(record: PastRecord | undefined): boolean {
  return record?.type === "event" && record.event.type === "iteration-finished";
}

/** Which process of the session told each event of that type, the oldest last. */
export function begunBy(past: readonly PastRecord[], type: Event["type"]): number[] {
  const found: number[] = [];
  for (const record of past)
    if (record.type === "event" && record.event.type === type) found.push(record.segment);
  return found.reverse();
}

export function nameOf(record: PastRecord): string {
  return record.type === "event" ? placed(record.event) : record.call;
}

/** The same thing at the same place; times and texts may differ. */
export function isSame(then: Event, now: Event): boolean {
  if (then.type !== now.type) return false;
  if (!("at" in then) || !("at" in now)) return "at" in then === "at" in now;
  const { step, iteration, input, depth } = then.at;
  const { at } = now;
  return step === at.step && iteration === at.iteration && input === at.input && depth === at.depth;
}

function placed(event: Event): string {
  if (!("at" in event)) return event.type;
  const { step, iteration, input, depth } = event.at;
  return `${event.type} ${input ?? "-"}/${iteration}/${step}/${depth}`;
}

/** What has to be said again for a person to know where a lane stands. */
export function stillOpen(open: readonly Event[], event: Event): readonly Event[] {
  switch (event.type) {
    case "input-started":
    case "iteration-started":
    case "step-started":
    case "handler-started":
    case "item-started":
      return [...open, event];
    case "input-finished":
      return [];
    case "iteration-finished":
      return upTo(open, "iteration-started");
    case "step-finished":
      return upTo(open, "step-started");
    case "item-finished":
      return upTo(open, "item-started");
    case "handler-finished":
      return upTo(open, "handler-started");
    default:
      return open;
  }
}

function upTo(open: readonly Event[], type: Event["type"]): Event[] {
  return open.slice(
    0,
    open.findLastIndex((event) => event.type === type),
  );
}
