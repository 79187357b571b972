/** Sums of money and tokens in which the unknown stays visible (spec 6.4). */
import { asNumber, asObject, type JsonObject } from "../lib/json.ts";
import type { Spend } from "./timeline-model.ts";

export const NOTHING_SPENT: Spend = {
  knownCostUsd: 0,
  unknownCosts: 0,
  cutShort: 0,
  tokens: 0,
  calls: 0,
};

export function addSpend(a: Spend, b: Spend): Spend {
  return {
    knownCostUsd: a.knownCostUsd + b.knownCostUsd,
    unknownCosts: a.unknownCosts + b.unknownCosts,
    cutShort: a.cutShort + b.cutShort,
    tokens: a.tokens + b.tokens,
    calls: a.calls + b.calls,
  };
}

/** Of an `attempt-finished`: nothing for shell steps and where no process ran. */
export function spendOf(event: JsonObject, kind: string): Spend {
  const end = asObject(event["end"]);
  if (kind !== "claude" || end === null) return NOTHING_SPENT;
  const usage = asObject(event["usage"]);
  if (end["kind"] === "cancelled" && usage === null)
    return { ...NOTHING_SPENT, calls: 1, cutShort: 1 };
  const cost = asNumber(usage?.["costUsd"]);
  const tokens = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"].map(
    (field) => asNumber(usage?.[field]) ?? 0,
  );
  return {
    knownCostUsd: cost ?? 0,
    unknownCosts: cost === null ? 1 : 0,
    cutShort: 0,
    tokens: tokens.reduce((sum, each) => sum + each, 0),
    calls: 1,
  };
}
