/** What a merge has cost, added to what its session's files say (spec 6.5, 7). */
import { existsSync } from "node:fs";
import type { Spending } from "../engine/ledger.ts";
import { readSession, replaceSession, type SessionRecord } from "./session-file.ts";
import { type SessionFiles, amountRecord, recordLast } from "./state.ts";

type Part = Readonly<Record<string, unknown>>;

/** A session that says nothing of itself stays so. Throws `MmmError` (exit 3). */
export function recordMergeCost(files: SessionFiles, spending: Spending): void {
  if (spending.runs === 0 || !existsSync(files.session)) return;
  const found = readSession(files.session);
  if (found.kind !== "sound") return;
  const { process: _, ...record } = found.value;
  const sum = withSpending(record, spending);
  replaceSession(files.session, sum);
  recordLast(files.state, sum);
}

function withSpending(record: SessionRecord, spending: Spending): SessionRecord {
  const { costUsd, unknownCosts, tokens } = spending;
  const known = (record.known_cost_usd ?? record.cost_usd ?? 0) + costUsd;
  const unknown = (record.unknown_costs ?? 0) + unknownCosts;
  const wasUnknown = record.cost_usd === null;
  const models = spending.models.map(({ model, ...each }) => ({ model, ...amountRecord(each) }));
  const steps = spending.steps.map(({ step, label, ...each }) => ({
    step,
    label,
    ...amountRecord(each),
  }));
  return {
    ...record,
    cost_usd: wasUnknown || unknown > 0 ? null : known,
    known_cost_usd: known,
    unknown_costs: unknown,
    tokens: (record.tokens ?? 0) + tokens,
    models: joined(record.models ?? [], models, "model"),
    claude_steps: joined(record.claude_steps ?? [], steps, "step"),
  };
}

/** Lists whose parts are told apart by `key`; the numbers of one part are added up. */
function joined(
  earlier: readonly object[],
  later: readonly Part[],
  key: string,
): readonly object[] {
  const all = new Map(
    earlier.map((each): [unknown, Part] => [Reflect.get(each, key), { ...each }]),
  );
  for (const part of later) all.set(part[key], sumOf(all.get(part[key]), part));
  return [...all.values()];
}

function sumOf(before: Part | undefined, part: Part): Part {
  if (before === undefined) return part;
  const add = ([name, value]: [string, unknown]): [string, unknown] => {
    const earlier = before[name];
    return [
      name,
      typeof value === "number" && typeof earlier === "number" ? earlier + value : value,
    ];
  };
  return { ...before, ...Object.fromEntries(Object.entries(part).map(add)) };
}
