/** What a running step shows while it runs: one rule for every child, Claude or shell (spec 6.4). */
import type { LiveEvent } from "../engine/events.ts";
import type { ClaudeActivity } from "../engine/ports.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatDuration, formatMoney } from "./format.ts";
import { say, type Line } from "./line.ts";
import { keyOf, type RunMemory, type RunningStep } from "./run-memory.ts";
import { inline, LineBuffer, safeLines } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";
import { indentOf, labelOf, stepName } from "./step-wording.ts";

/** Live events to lines: tool calls, text and shell output under `-v`, retries always. */
export class LiveFeed {
  readonly #symbols: Symbols;
  readonly #open = new Map<string, { readonly prefix: string; readonly buffer: LineBuffer }>();

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  lines(event: LiveEvent): readonly Line[] {
    const prefix = `${indentOf(event.at)}   ${this.#symbols.bar} `;
    if (event.type === "activity") {
      return this.#activity(event.activity, prefix);
    }
    const key = keyOf(event.at);
    const open = this.#open.get(key) ?? { prefix, buffer: new LineBuffer() };
    this.#open.set(key, open);
    return open.buffer.push(event.text).map((text) => say(`${prefix}${text}`, "dim", 1));
  }

  /** Lines begun and not ended, before something else is said. */
  flush(): readonly Line[] {
    const lines: Line[] = [];
    for (const { prefix, buffer } of this.#open.values()) {
      lines.push(...buffer.flush().map((text) => say(`${prefix}${text}`, "dim", 1)));
    }
    this.#open.clear();
    return lines;
  }

  #activity(activity: ClaudeActivity, prefix: string): readonly Line[] {
    switch (activity.type) {
      case "text":
        return safeLines(activity.text).map((text) => say(`${prefix}${text}`, "plain", 1));
      case "tool": {
        const name = inline(activity.name);
        const detail = inline(activity.detail, 200, this.#symbols.ellipsis);
        return [say(`${prefix}${this.#symbols.tool} ${name} ${detail}`.trimEnd(), "dim", 1)];
      }
      case "retry": {
        const text = inline(activity.message, 200, this.#symbols.ellipsis);
        return [say(`${prefix}${this.#symbols.again} ${text}`, "warn")];
      }
      case "turns":
        return [];
      default:
        return unreachable(activity);
    }
  }
}

/** `3/5 npm test · 1m 5s · attempt 2/3 · 4 turns · $0.12 so far · Edit src/a.ts`; not yet cut. */
export function statusWords(
  step: RunningStep,
  of: { readonly memory: RunMemory; readonly symbols: Symbols; readonly nowMs: number },
): string {
  const { at } = step;
  const { symbols, memory } = of;
  const facts = [
    formatDuration(Math.max(0, Math.floor((of.nowMs - step.startedMs) / 1000) * 1000)),
    ...(step.maxAttempts > 1 ? [`attempt ${step.attempt}/${step.maxAttempts}`] : []),
    ...(step.turns === null ? [] : [`${step.turns} ${step.turns === 1 ? "turn" : "turns"}`]),
    ...costSoFar(at.kind === "claude", memory),
    ...(step.doing === null ? [] : [inline(step.doing, 80, symbols.ellipsis)]),
  ];
  // The label gives way first: elapsed time and cost are what the line is for.
  const label = inline(labelOf(at, symbols), 28, symbols.ellipsis);
  return [`${at.number}/${at.total} ${label}`, ...facts].join(symbols.dot);
}

/** After 30 s without a word. */
export function heartbeatLine(step: RunningStep, symbols: Symbols, nowMs: number): Line {
  const label = labelOf(step.at, symbols);
  const time = formatDuration(Math.floor((nowMs - step.startedMs) / 1000) * 1000);
  const text = `${symbols.waiting} ${stepName(step.at)}: ${label} still running (${time})`;
  return say(`${indentOf(step.at)}${text}`, "dim");
}

function costSoFar(isClaude: boolean, memory: RunMemory): string[] {
  if (!isClaude || (memory.knownCostUsd === 0 && memory.unknownCosts === 0)) {
    return [];
  }
  const known = memory.knownCostUsd === 0 ? null : formatMoney(memory.knownCostUsd);
  if (memory.unknownCosts > 0) {
    return [known === null ? "cost unknown" : `at least ${known} so far`];
  }
  return known === null ? [] : [`${known} so far`];
}
