/** What a running step shows while it runs: one rule for every child, Claude or shell (spec 6.4). */
import { textWidth } from "./text-width.ts";

import type { LiveEvent } from "../engine/events.ts";
import type { ClaudeActivity } from "../engine/ports.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatDuration, formatMoney } from "./format.ts";
import { indentOf, say, type Line } from "./line.ts";
import type { RunMemory } from "./run-memory.ts";
import { keyOf, type RunningStep } from "./running-steps.ts";
import { cutToWidth, inline, LineBuffer, safeLines } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";
import { pauseLine, pauseWords } from "./retry-wording.ts";
import { labelOf, stepName } from "./step-wording.ts";
import { waitingLine, waitingWords } from "./wait-wording.ts";

/** Columns of a label on the live line when a tool call stands beside it. */
const LABEL_MOST = 60;
const LABEL_LEAST = 8;
/** Less of a tool call tells nothing. */
const DOING_LEAST = 10;

/** Of one step's output. */
interface OpenLine {
  readonly prefix: string;
  readonly input: number | null;
  readonly buffer: LineBuffer;
}

/** Live events to lines: tool calls, text and shell output under `-v`, retries always. */
export class LiveFeed {
  readonly #symbols: Symbols;
  readonly #open = new Map<string, OpenLine>();

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** @param whose what each line begins with, in a run with several inputs at once */
  lines(event: LiveEvent, whose = ""): readonly Line[] {
    const prefix = `${whose}${indentOf(event.at)}   ${this.#symbols.bar} `;
    if (event.type === "activity") {
      return this.#activity(event.activity, prefix);
    }
    const key = keyOf(event.at);
    const open = this.#open.get(key) ?? {
      prefix,
      input: event.at.input,
      buffer: new LineBuffer(),
    };
    this.#open.set(key, open);
    return open.buffer.push(event.text).map((text) => say(`${prefix}${text}`, "dim", 1));
  }

  /**
   * Lines begun and not ended, before something else is said.
   *
   * @param input only of that one: what is said of it tears no line of another
   */
  flush(input?: number): readonly Line[] {
    const lines: Line[] = [];
    for (const [key, open] of this.#open) {
      if (input !== undefined && open.input !== input) continue;
      lines.push(...open.buffer.flush().map((text) => say(`${open.prefix}${text}`, "dim", 1)));
      this.#open.delete(key);
    }
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
      case "usage":
        return [];
      default:
        return unreachable(activity);
    }
  }
}

/**
 * `3/5 npm test · 1m 5s · attempt 2/3 · 4 turns · 12,345 tokens · $0.12 so far · Edit src/a.ts`, at most `columns` wide.
 *
 * The last tool call gives way first, then the label: time, attempt and cost are what it is for.
 */
export function statusWords(
  step: RunningStep,
  of: {
    readonly memory: RunMemory;
    readonly symbols: Symbols;
    readonly nowMs: number;
    readonly columns: number;
    /** Of its input, else of the session. */
    readonly cost?: readonly string[];
  },
): string {
  const { at } = step;
  const { symbols, memory, columns, cost = costSoFar(step, memory) } = of;
  const number = `${at.number}/${at.total}`;
  const pause = pauseWords(step, of.nowMs);
  const facts = [
    elapsed(step, of.nowMs),
    ...(isWaiting(step) ? [waitingWords(step)] : []),
    ...(pause === null ? [] : [pause]),
    ...(step.maxAttempts > 1 ? [`attempt ${step.attempt}/${step.maxAttempts}`] : []),
    ...(step.run > 1 ? [`run ${step.run}/${step.maxRuns}`] : []),
    ...(step.turns === null ? [] : [formatCount(step.turns, "turn")]),
    ...(step.tokens === null ? [] : [formatCount(step.tokens, "token")]),
    ...cost,
  ].join(symbols.dot);
  const room = columns - textWidth(`${number} ${symbols.dot}${facts}`);
  const most = step.doing === null ? Infinity : LABEL_MOST;
  const width = Math.min(most, Math.max(LABEL_LEAST, room));
  const label = inline(labelOf(at, symbols), width, symbols.ellipsis);
  const status = `${number} ${label}${symbols.dot}${facts}`;
  const left = columns - textWidth(status + symbols.dot);
  if (step.doing === null || left < DOING_LEAST) {
    return cutToWidth(status, columns, symbols.ellipsis);
  }
  return `${status}${symbols.dot}${inline(step.doing, left, symbols.ellipsis)}`;
}

/** After 30 s without a word. */
export function heartbeatLine(step: RunningStep, symbols: Symbols, nowMs: number): Line {
  if (isWaiting(step)) return waitingLine(step, symbols);
  const pause = pauseWords(step, nowMs);
  if (pause !== null) return pauseLine(step, pause, symbols);
  const label = labelOf(step.at, symbols);
  const time = elapsed(step, nowMs);
  const text = `${symbols.waiting} ${stepName(step.at)}: ${label} still running (${time})`;
  return say(`${indentOf(step.at)}${text}`, "dim");
}

function isWaiting(step: RunningStep): step is RunningStep & { waitsUntil: string } {
  return step.waitsUntil !== null;
}

/** Whole seconds: tenths would flicker. */
export function elapsed({ startedMs }: { readonly startedMs: number }, nowMs: number): string {
  return formatDuration(Math.max(0, Math.floor((nowMs - startedMs) / 1000)) * 1000);
}

/** Of the session, this attempt included as far as it has told. */
function costSoFar(step: RunningStep, memory: RunMemory): string[] {
  if (step.at.kind !== "claude") return [];
  const costUsd = memory.knownCostUsd + (step.attemptCostUsd ?? 0);
  const most = memory.limits.costUsd;
  const limit = most === null ? " so far" : ` of ${formatMoney(most)}`;
  return paidWords({ costUsd, unknownCosts: memory.unknownCosts }, limit);
}

/** Nothing when nothing was paid. @param limit stands behind what is known */
export function paidWords(
  paid: { readonly costUsd: number; readonly unknownCosts: number },
  limit = "",
): string[] {
  const known = paid.costUsd === 0 ? null : `${formatMoney(paid.costUsd)}${limit}`;
  if (paid.unknownCosts > 0) return [known === null ? "cost unknown" : `at least ${known}`];
  return known === null ? [] : [known];
}
