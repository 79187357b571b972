/** What a call used, by model and in sum (spec 6.4). Pure. */
import type { ClaudeUsage, ModelUsage } from "../engine/ports.ts";
import { asNumber, asObject, type JsonObject } from "../lib/json.ts";

const COUNTS = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"] as const;

/** @param models `modelUsage` of a result: the result's `usage` leaves out sub-agents and side calls. */
export function readUsage(models: JsonObject): ClaudeUsage {
  return withSum(
    Object.entries(models).map(([name, value]) => {
      const entry = asObject(value) ?? {};
      return [
        name,
        {
          costUsd: asNumber(entry["costUSD"]),
          inputTokens: asNumber(entry["inputTokens"]) ?? 0,
          outputTokens: asNumber(entry["outputTokens"]) ?? 0,
          cacheReadTokens: asNumber(entry["cacheReadInputTokens"]) ?? 0,
          cacheWriteTokens: asNumber(entry["cacheCreationInputTokens"]) ?? 0,
        },
      ] as const;
    }),
  );
}

export function tokensOf(usage: ModelUsage): number {
  return COUNTS.reduce((sum, count) => sum + usage[count], 0);
}

/** @param one `null`: nothing yet. */
export function sumOf(one: ClaudeUsage | null, other: ClaudeUsage): ClaudeUsage {
  if (one === null) return other;
  return combine(one, other, (a, b) => a + b);
}

/**
 * A resumed conversation's own share. Versions up to 2.1.112 say what the call used, newer ones what the whole
 * conversation has used so far; they tell the share beside it (`since`), else it is the difference.
 *
 * @param isCumulative does this version go on counting?
 */
export function shareOf(
  reported: ClaudeUsage,
  {
    before,
    since,
    isCumulative,
  }: {
    readonly before: ClaudeUsage | null;
    readonly since: ClaudeUsage | null;
    readonly isCumulative: boolean;
  },
): ClaudeUsage {
  if (since !== null) return since;
  if (before === null || !isCumulative) return reported;
  // Less than before: it has begun anew after all.
  if (COUNTS.some((count) => reported[count] < before[count])) return reported;
  return combine(reported, before, (a, b) => Math.max(0, a - b));
}

function combine(
  one: ClaudeUsage,
  other: ClaudeUsage,
  join: (a: number, b: number) => number,
): ClaudeUsage {
  const left = new Map(Object.entries(one.models ?? {}));
  const right = new Map(Object.entries(other.models ?? {}));
  const names = new Set([...left.keys(), ...right.keys()]);
  return withSum(
    [...names].map((name) => {
      const [a, b] = [left.get(name) ?? NOTHING, right.get(name) ?? NOTHING];
      const costUsd = a.costUsd === null || b.costUsd === null ? null : join(a.costUsd, b.costUsd);
      return [
        name,
        {
          costUsd,
          inputTokens: join(a.inputTokens, b.inputTokens),
          outputTokens: join(a.outputTokens, b.outputTokens),
          cacheReadTokens: join(a.cacheReadTokens, b.cacheReadTokens),
          cacheWriteTokens: join(a.cacheWriteTokens, b.cacheWriteTokens),
        },
      ] as const;
    }),
  );
}

const NOTHING: ModelUsage = {
  costUsd: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

function withSum(entries: readonly (readonly [string, ModelUsage])[]): ClaudeUsage {
  const all = entries.map(([, usage]) => usage);
  const sum = (count: (typeof COUNTS)[number]): number =>
    all.reduce((total, usage) => total + usage[count], 0);
  return {
    costUsd: all.some(({ costUsd }) => costUsd === null)
      ? null
      : all.reduce((total, { costUsd }) => total + (costUsd ?? 0), 0),
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    cacheReadTokens: sum("cacheReadTokens"),
    cacheWriteTokens: sum("cacheWriteTokens"),
    models: Object.fromEntries(entries),
  };
}
