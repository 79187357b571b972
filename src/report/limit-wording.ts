/** Words for money, tokens and time that run out (spec 6.5). */
import type { LimitReached } from "../engine/budget.ts";
import type { Limits } from "../playbook/model.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatDuration, formatMoney, formatNumber } from "./format.ts";
import { say, type Line } from "./line.ts";
import { inline } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

/** Why a session was suspended. */
export function limitWords({ kind, limit, spent, stoppedAt, resetsAt }: LimitReached): string {
  const most = limit ?? 0;
  switch (kind) {
    case "cost":
      if (stoppedAt !== undefined) {
        const left = formatMoney(most - (spent ?? 0));
        return `A run of Claude was stopped at ${formatMoney(stoppedAt)}, and ${left} is left of the limit of ${formatMoney(most)}`;
      }
      return `The limit of ${formatMoney(most)} is reached${beyond(spent, most, formatMoney)}`;
    case "tokens":
      return `The limit of ${formatCount(most, "token")} is reached${beyond(spent, most, formatNumber)}`;
    case "duration":
      return `The limit of ${formatDuration(most)} at work is reached${beyond(spent, most, formatDuration)}`;
    case "unknown-cost":
      return `Claude did not say what a step cost, so nobody knows what is left of ${formatMoney(most)}`;
    case "usage":
      return `The usage limit of Claude is reached${resetsAt === null ? "" : `, it resets at ${clockTime(resetsAt)}`}`;
    default:
      return unreachable(kind);
  }
}

function beyond(spent: number | null, limit: number, format: (value: number) => string): string {
  const over = (spent ?? 0) - limit;
  return isOver(over, limit) ? `, ${format(over)} over it` : "";
}

/** ` of $5.00`, `, $0.20 over the limit of $5.00`; nothing without a limit. */
export function standing(
  spent: number,
  limit: number | null,
  format: (value: number) => string,
): string {
  if (limit === null) return "";
  const over = spent - limit;
  return isOver(over, limit)
    ? `, ${format(over)} over the limit of ${format(limit)}`
    : ` of ${format(limit)}`;
}

/** Sums of floating point numbers are a hair off. */
function isOver(over: number, limit: number): boolean {
  return over > limit * 1e-6;
}

/** For the first lines; empty without limits. */
export function boundsLine({ costUsd, tokens, durationMs }: Limits, symbols: Symbols): Line[] {
  const facts = [
    ...(costUsd === null ? [] : [formatMoney(costUsd)]),
    ...(tokens === null ? [] : [formatCount(tokens, "token")]),
    ...(durationMs === null ? [] : [`${formatDuration(durationMs)} at work`]),
  ];
  return facts.length === 0 ? [] : [say(`${symbols.info} Limits: ${facts.join(", ")}`)];
}

/** ISO 8601 as the clock on the wall shows it: `2026-11-22 03:00`; what is no time is shown as it is. */
export function clockTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return inline(iso, 40);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
