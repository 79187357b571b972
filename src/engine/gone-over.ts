/**
 * An iteration of the past leaves its counts, and nothing else: its values do not survive it (spec 3.1). So a
 * resume counts it and does not go through it step by step, which keeps a long session quick to resume.
 */
import type { Lane, PastRecord } from "./lane.ts";
import type { StopReason } from "./outcome.ts";
import type { Ports, TreePoint } from "./ports.ts";

export interface GoneOver {
  /** The tree as it began. */
  readonly start: TreePoint;
  /** Why the input ended with it; `null`: another iteration follows. */
  readonly stop: StopReason | null;
}

/** The iteration that the lane's past has next; `null`: it has to be gone through. */
export function goOver(lane: Lane, ports: Ports, iteration: number): GoneOver | null {
  const records = lane.ahead();
  const [first, end, next] = [records[0], records.at(-2), records.at(-1)];
  if (first?.type !== "event" || end?.type !== "event" || next?.type !== "event") return null;
  const begins = first.event;
  // A journal of an older mmm does not say how many units there were.
  if (end.event.type !== "iteration-finished" || end.units === undefined) return null;
  if (begins.type !== "iteration-started" || begins.iteration !== iteration) return null;
  const stop = stopIn(next.event);
  const start = records.find(isPoint);
  if (stop === undefined || start?.type !== "answer") return null;
  if (records.some((record) => isRemembered(record, ports))) return null;
  lane.pass(records.length - 1, end.units);
  return { start: start.value as TreePoint, stop }; // What `isPoint` names holds one.
}

/** `undefined`: the iteration had consequences. */
function stopIn(
  next: Extract<PastRecord, { type: "event" }>["event"],
): StopReason | null | undefined {
  if (next.type === "iteration-started") return null;
  return next.type === "input-finished" && next.ok ? next.stop : undefined;
}

function isPoint(record: PastRecord): boolean {
  return record.type === "answer" && (record.call === "mark" || record.call === "snapshot");
}

/** Somebody outside of the lane has to know that it was. */
function isRemembered(record: PastRecord, { tree, claude }: Ports): boolean {
  if (record.type !== "answer") return false;
  switch (record.call) {
    // A line for the end of the session belongs to it.
    case "keep":
    case "rollback":
      return true;
    case "commit":
      return tree.hasProtected;
    case "claude":
      return claude.recalled !== undefined;
    default:
      return false;
  }
}
