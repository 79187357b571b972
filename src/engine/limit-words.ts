/** Limits as a person types them: for notes, and for the line that goes on with a higher one. */
import { shownDuration } from "../lib/duration.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { LimitReached } from "./budget.ts";

/** `$1.25`, `1200 tokens`, `1h30m`. */
export function shownAmount(kind: "cost" | "tokens" | "duration", value: number): string {
  switch (kind) {
    case "cost":
      return `$${value.toFixed(value < 0.1 ? 4 : 2)}`;
    case "tokens":
      return `${value} tokens`;
    case "duration":
      return shownDuration(value);
    default:
      return unreachable(kind);
  }
}

/** Lines to type: the session with as much again as it had. */
export function resumeLine(session: string, { kind, limit, spent }: LimitReached): string {
  const line = `mmm resume ${session}`;
  const more = (limit ?? 0) + Math.max(limit ?? 0, spent ?? 0);
  switch (kind) {
    case "cost":
      return `${line} --max-cost ${upTo(more, 0.01).toFixed(2)}`;
    case "tokens":
      return `${line} --max-tokens ${Math.ceil(more)}`;
    case "duration":
      return `${line} --max-duration ${shownDuration(upTo(more, 60_000))}`;
    case "unknown-cost":
      return `${line} --allow-unknown-cost`;
    case "usage":
      return line;
    default:
      return unreachable(kind);
  }
}

/** Sums of floating point numbers are a hair off: 10.2 is not to become 10.21. */
function upTo(value: number, unit: number): number {
  return Math.ceil(value / unit - 1e-6) * unit;
}
