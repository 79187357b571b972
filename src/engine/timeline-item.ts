/** An item of a loop in the course of a session; see `timeline.ts`. Texts are cut: a timeline is no log. */
import { asNumber, asString, type JsonObject } from "../lib/json.ts";
import { addSpend, NOTHING_SPENT } from "./spend.ts";
import type { ItemEntry, StepPart } from "./timeline-model.ts";

const TEXT_UNITS = 500;

export function itemOf(event: JsonObject, startedAt: string | null): ItemEntry {
  const index = asNumber(event["index"]) ?? 0;
  return {
    type: "item",
    index,
    total: asNumber(event["total"]) ?? index,
    item: short(event["item"]) ?? "",
    conclusion: itemConclusionOf(event["conclusion"]),
    failure: short(event["failure"]),
    startedAt,
    durationMs: asNumber(event["durationMs"]),
    spend: NOTHING_SPENT,
  };
}

function itemConclusionOf(value: unknown): ItemEntry["conclusion"] {
  switch (value) {
    case "succeeded":
    case "failed":
    case "tolerated":
    case "nothing-to-do":
      return value;
    default:
      return "unfinished";
  }
}

/** Each item with what its steps have spent. */
export function withItemSpends(parts: readonly StepPart[]): readonly StepPart[] {
  return parts.map((part, at) => {
    if (part.type !== "item") return part;
    const after = parts.slice(at + 1);
    const next = after.findIndex((each) => each.type !== "step");
    const own = next === -1 ? after : after.slice(0, next);
    const spend = own.reduce(
      (sum, each) => (each.type === "step" ? addSpend(sum, each.spend) : sum),
      NOTHING_SPENT,
    );
    return { ...part, spend };
  });
}

export function short(value: unknown): string | null {
  return asString(value)?.slice(0, TEXT_UNITS) ?? null;
}
