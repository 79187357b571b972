/** Several inputs at work, as they are shown while they run: a line each, and one for the whole (spec 8.4, 10). */
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatMoney } from "./format.ts";
import { inputPrefix } from "./input-prefix.ts";
import type { InputAtWork } from "./inputs-at-work.ts";
import { say, type Line } from "./line.ts";
import { elapsed, paidWords, statusWords } from "./live-wording.ts";
import type { RunMemory } from "./run-memory.ts";
import type { RunningStep } from "./running-steps.ts";
import { cutToWidth, inline, safeLine } from "./safe-text.ts";
import { labelOf } from "./step-wording.ts";
import type { Symbols } from "./symbols.ts";

export interface LiveView {
  readonly memory: RunMemory;
  readonly symbols: Symbols;
  readonly nowMs: number;
}

/** Between two iterations git looks at the tree: too short to speak of a wait. */
const TURN_MS = 1000;
/** Of a line that names what is at work. */
const NAMED = 3;
const NAMED_COLUMNS = 40;

/**
 * At most two rows less than the terminal has, the last one tells of the whole.
 *
 * @param sign what stands before those that move
 */
export function inputLines(
  view: LiveView,
  screen: { readonly columns: number; readonly rows: number; readonly sign: string },
): readonly string[] {
  const all = view.memory.atWork.all;
  const { columns, sign } = screen;
  const room = Math.max(0, screen.rows - 2);
  const fits = all.length <= room ? all.length : Math.max(0, room - 1);
  const lines = all.slice(0, fits).map((input) => inputLine(input, view, { columns, sign }));
  const more = all.length - fits;
  const { ellipsis } = view.symbols;
  return [...lines, ...(more > 0 && fits > 0 ? [`and ${more} more`] : []), wholeWords(view)].map(
    (line) => cutToWidth(safeLine(line), columns, ellipsis),
  );
}

/** One line after 30 s without a word; `null`: nothing is at work. */
export function inputsBeat(view: LiveView): Line | null {
  const { memory, symbols } = view;
  const all = memory.atWork.all;
  if (all.length === 0) return null;
  const named = all.slice(0, NAMED).map((input) => {
    const step = memory.steps.innermostOf(input.input.index);
    const number = inputPrefix(input.input.index, 1).trim();
    if (step === null || input.phase === "merging") return `${number} ${phaseWords(input, view)}`;
    const label = inline(labelOf(step.at, symbols), NAMED_COLUMNS, symbols.ellipsis);
    const words = isPaused(step) ? "waits for the usage limit" : elapsed(step, view.nowMs);
    return `${number} ${step.at.number}/${step.at.total} ${label} (${words})`;
  });
  const more = all.length - named.length;
  const what = `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const { atWork, inputs } = memory;
  const over = `${atWork.finished}/${formatCount(inputs, "input")} done`;
  return say(`${symbols.waiting} ${over}, still at work: ${what}`, "dim");
}

/** All that is at work waits for a usage limit, for hours maybe. */
export function allPaused(memory: RunMemory): boolean {
  return memory.atWork.all.every(({ input }) => {
    const step = memory.steps.innermostOf(input.index);
    return step !== null && isPaused(step);
  });
}

function isPaused({ waitsUntil }: RunningStep): boolean {
  return waitsUntil !== null;
}

/** `[ 3] ⠋ 2/5 npm test · 12s · $0.04 · Edit src/a.ts`. */
function inputLine(
  at: InputAtWork,
  view: LiveView,
  { columns, sign }: { readonly columns: number; readonly sign: string },
): string {
  const { memory, symbols, nowMs } = view;
  const { index } = at.input;
  const prefix = inputPrefix(index, memory.inputs);
  const step = memory.steps.innermostOf(index);
  if (step === null || at.phase === "merging") {
    const moves = isWaiting(at, nowMs) ? " ".repeat(sign.length) : sign;
    const facts = [
      phaseWords(at, view),
      elapsed({ startedMs: at.sinceMs }, nowMs),
      ...paidWords(at),
      ...(at.gate === null ? [] : [at.gate]),
      ...(step === null ? [] : [labelOf(step.at, symbols)]),
    ];
    return `${prefix}${moves} ${facts.join(symbols.dot)}`;
  }
  const costUsd = at.costUsd + (step.attemptCostUsd ?? 0);
  const cost = paidWords({ costUsd, unknownCosts: at.unknownCosts });
  const left = columns - prefix.length - sign.length - 1;
  return `${prefix}${sign} ${statusWords(step, { memory, symbols, nowMs, columns: left, cost })}`;
}

function phaseWords(at: InputAtWork, { memory, symbols, nowMs }: LiveView): string {
  switch (at.phase) {
    case "opening":
      return memory.atWork.isResumed ? "getting ready" : "preparing its worktree";
    case "iterating":
      return `iteration ${at.iteration}/${at.maxIterations}`;
    case "between":
      return isWaiting(at, nowMs)
        ? "waiting for its turn to merge"
        : `iteration ${at.iteration}/${at.maxIterations}`;
    case "merging":
      return `merging into ${inline(at.into, 100, symbols.ellipsis)}`;
    default:
      return unreachable(at.phase);
  }
}

function isWaiting({ phase, sinceMs }: InputAtWork, nowMs: number): boolean {
  return phase === "between" && nowMs - sinceMs >= TURN_MS;
}

/** `5/20 inputs done, 1 failed · 4 at work · 2m 3s · $1.23`: what failed is done too. */
function wholeWords({ memory, symbols, nowMs }: LiveView): string {
  const { atWork, inputs, limits } = memory;
  const failed = atWork.failed > 0 ? `, ${atWork.failed} failed` : "";
  const limit = limits.costUsd === null ? "" : ` of ${formatMoney(limits.costUsd)}`;
  const costUsd = memory.knownCostUsd + memory.steps.costUsd;
  return [
    `${atWork.finished}/${formatCount(inputs, "input")} done${failed}`,
    ...(atWork.size > 0 ? [`${atWork.size} at work`] : []),
    elapsed(memory, nowMs),
    ...paidWords({ costUsd, unknownCosts: memory.unknownCosts }, limit),
  ].join(symbols.dot);
}
