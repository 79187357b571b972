/** The end of a run, in the words of the original's README (spec 10). */
import type { Event } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { standing } from "./limit-wording.ts";
import { failureWords } from "./failure-wording.ts";
import { formatCount, formatDuration, formatMoney, formatNumber } from "./format.ts";
import { gateLines } from "./gate-wording.ts";
import { inputTable } from "./input-table.ts";
import { complain, say, type Line, type Tone, type Verbosity } from "./line.ts";
import type { RunMemory } from "./run-memory.ts";
import { type SessionFinished, stepWords, stopWords } from "./stop-wording.ts";
import { inline } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

export interface SummaryContext {
  readonly memory: RunMemory;
  readonly symbols: Symbols;
  readonly verbosity: Verbosity;
  /** Of the terminal; `null`: a pipe, where nothing is cut. */
  readonly columns: number | null;
}

/** More would push the status off the screen. */
const COMMITS_SHOWN = 20;
const TOLERATED_SHOWN = 20;
const INDENT = "   ";

/**
 * Status first, then the facts, then what to type: one block on standard output, so that a pipe has it in
 * this order. Under `-q`: what to type, and one line.
 */
export function summaryLines(event: SessionFinished, context: SummaryContext): readonly Line[] {
  if (context.verbosity === -1) {
    const next = event.status === "completed" ? [] : nextLines(event);
    return [...next.map(({ text }) => complain(text, "plain")), quietLine(event, context)];
  }
  return [
    say(""),
    headline(event, context.symbols),
    ...factLines(event, context),
    ...gateLines(context.memory, context.symbols, INDENT),
    ...commitLines(event, context),
    ...toleratedLines(event, context),
    ...inputTable(event, context, INDENT),
    ...nextLines(event),
  ];
}

function headline(event: SessionFinished, symbols: Symbols): Line {
  switch (event.status) {
    case "completed":
      return say(
        `${symbols.done} ${completedWords(event)}${finishedEarly(event) ? ":" : ""}`,
        "good",
      );
    case "failed":
      return say(`${symbols.failed} Improvement session failed:`, "bad");
    case "suspended":
      return say(`${symbols.paused} Improvement session suspended:`, "warn");
    case "interrupted":
      return say(`${symbols.stopped} Improvement session interrupted:`, "warn");
    default:
      return unreachable(event.status);
  }
}

function quietLine(event: SessionFinished, { memory, symbols }: SummaryContext): Line {
  const facts = [
    `${iterationWords(event, memory)} iterations`,
    formatCount(event.totals.commits, "commit"),
    formatDuration(event.totals.durationMs),
    ...costWords(event).map((words) => (words === "unknown" ? "cost unknown" : words)),
    ...cutWords(event),
  ].join(", ");
  const last = (text: string, tone: Tone): Line => say(`${text} (${facts})`, tone, -1);
  const why = stopWords(event, memory);
  switch (event.status) {
    case "completed":
      return last(`${symbols.done} ${completedWords(event)}: ${why}`, "good");
    case "failed":
      return last(`${symbols.failed} Improvement session failed: ${why}`, "bad");
    case "suspended":
      return last(`${symbols.paused} Improvement session suspended: ${why}`, "warn");
    case "interrupted":
      return last(`${symbols.stopped} Improvement session interrupted`, "warn");
    default:
      return unreachable(event.status);
  }
}

function completedWords(event: SessionFinished): string {
  return finishedEarly(event)
    ? "Improvement session finished early"
    : "Improvement session completed";
}

function finishedEarly(event: SessionFinished): boolean {
  return event.stop === "no-changes" || event.stop === "nothing-to-do" || event.stop === "until";
}

function factLines(event: SessionFinished, { memory, verbosity }: SummaryContext): Line[] {
  const { totals } = event;
  const isUnclear = totals.costUsd === null || (totals.cutShort ?? 0) > 0;
  const usedClaude = totals.tokens > 0 || isUnclear || totals.knownCostUsd > 0;
  const facts: (readonly [name: string, value: string])[] = [
    ["Iterations", iterationWords(event, memory)],
    ["Files improved", formatNumber(totals.filesChanged)],
    ["Reason", stopWords(event, memory)],
    ...failedBefore(event, memory),
    ["Steps", formatNumber(totals.steps)],
    ["Time", timeWords(event, memory)],
  ];
  if (usedClaude) {
    const replayed = memory.replay === null ? "" : " (replayed, nothing was paid)";
    const told = totals.tokens > 0 || !isUnclear;
    const { costUsd, tokens } = memory.limits;
    facts.push([
      "Tokens",
      told
        ? `${formatNumber(totals.tokens)}${standing(totals.tokens, tokens, formatNumber)}`
        : "unknown",
    ]);
    const cost = costWords(event).join("") || formatMoney(0);
    const known = `${cost}${standing(totals.knownCostUsd, costUsd, formatMoney)}`;
    facts.push(["Cost", `${[known, ...cutWords(event)].join(", ")}${replayed}`]);
    facts.push(...modelFacts(event));
  }
  if (event.status !== "completed" || verbosity > 0) {
    facts.push(["Logs", inline(event.directory, 4000)]);
  }
  return facts.map(([name, value]) => say(`${INDENT}${name}: ${value}`));
}

/** `2/10`; over several inputs the limit holds for each, so the sum stands alone. */
function iterationWords({ totals, maxIterations }: SessionFinished, memory: RunMemory): string {
  const { iterations } = totals;
  return memory.inputs > 1 ? formatNumber(iterations) : `${iterations}/${maxIterations}`;
}

/** A limit can keep a failed step from being run again: nothing else says then why it failed. */
function failedBefore(
  { status }: SessionFinished,
  memory: RunMemory,
): (readonly [name: string, value: string])[] {
  const step = status === "suspended" ? memory.steps.lastFailed() : null;
  if (step === null || step.failed === null) return [];
  const { at, failed, attempt, run } = step;
  const which = run > 1 ? `, run ${run}` : attempt > 1 ? `, attempt ${attempt}` : "";
  return [["Failed before", `${stepWords(at)}${which}: ${failureWords(failed)}`]];
}

/** Resumes included, waits for a usage limit left out, when there were any; `limits.duration` counts that. */
function timeWords({ totals, workedMs }: SessionFinished, { limits }: RunMemory): string {
  const resumed = workedMs - totals.durationMs > 1000;
  const rested = totals.durationMs - workedMs > 1000;
  const how = resumed ? "with what came before" : "at work";
  const all = resumed || rested ? `, ${formatDuration(workedMs)} ${how}` : "";
  return `${formatDuration(totals.durationMs)}${all}${standing(workedMs, limits.durationMs, formatDuration)}`;
}

/** Which model cost what, when there was more than one. */
function modelFacts({ spending }: SessionFinished): (readonly [name: string, value: string])[] {
  if (spending.models.length < 2) return [];
  return spending.models.map(({ model, costUsd, unknownCosts, cutShort, tokens }) => {
    const isUnclear = unknownCosts + cutShort > 0;
    const cost = isUnclear ? "cost unknown" : formatMoney(costUsd);
    const part = isUnclear && costUsd > 0 ? `at least ${formatMoney(costUsd)}` : cost;
    const told = tokens > 0 || !isUnclear ? `, ${formatCount(tokens, "token")}` : "";
    return [`  ${inline(model ?? "model unknown")}`, `${part}${told}`];
  });
}

/** What is unknown is never shown as 0 (spec 6.4); empty: nothing was spent. */
function costWords(event: SessionFinished): readonly string[] {
  const { costUsd, knownCostUsd, unknownCosts, cutShort = 0 } = event.totals;
  if (costUsd !== null) {
    if (costUsd > 0) return [formatMoney(costUsd)];
    return cutShort > 0 ? ["unknown"] : [];
  }
  if (knownCostUsd === 0) {
    return ["unknown"];
  }
  const missing = formatCount(unknownCosts, "step");
  return [`at least ${formatMoney(knownCostUsd)}, ${missing} of unknown cost`];
}

/** Runs that a signal ended, mmm's own death included: they were paid for, and nobody was told how much. */
function cutWords({ totals }: SessionFinished): readonly string[] {
  const { cutShort = 0 } = totals;
  return cutShort === 0 ? [] : [`${formatCount(cutShort, "call")} cut short at unknown cost`];
}

function commitLines(event: SessionFinished, { symbols, verbosity }: SummaryContext): Line[] {
  const total = Math.max(event.totals.commits, event.commits.length);
  const shown = event.commits.slice(0, COMMITS_SHOWN).map(({ sha, subject }) => {
    const name = verbosity === 2 ? `${shortSha(sha)} ` : "";
    return say(`${INDENT}  ${symbols.bullet} ${name}${inline(subject, 160, symbols.ellipsis)}`);
  });
  const more = total - shown.length;
  return [
    say(`${INDENT}Commits: ${formatNumber(total)}`),
    ...shown,
    ...(more > 0 ? [say(`${INDENT}  and ${formatNumber(more)} more`)] : []),
  ];
}

function toleratedLines(
  { toleratedFailures: tolerated }: SessionFinished,
  { memory, symbols }: SummaryContext,
): Line[] {
  if (tolerated.length === 0) return [];
  const what = formatCount(tolerated.length, "step");
  const shown = tolerated.slice(0, TOLERATED_SHOWN).map(({ at, message }) => {
    const of = at.input === null || memory.inputs < 2 ? "" : `input ${at.input}, `;
    const text = `${of}${stepWords(at)}: ${inline(message, 160, symbols.ellipsis)}`;
    return say(`${INDENT}  ${symbols.bullet} ${text} (${inline(at.place, 400)})`, "warn");
  });
  const more = tolerated.length - shown.length;
  return [
    say(`${INDENT}${symbols.warning} ${what} failed and the run went on:`, "warn"),
    ...shown,
    ...(more > 0 ? [say(`${INDENT}  and ${formatNumber(more)} more`, "warn")] : []),
  ];
}

/** Of one whose surroundings broke; what they said is the last word, and mmm's own. */
export function brokenLines(
  event: Event & { readonly type: "session-broken" },
  context: SummaryContext,
): readonly Line[] {
  const next = nextLines(event);
  if (context.verbosity === -1) return next.map(({ text }) => complain(text, "plain"));
  return [
    say(""),
    say(`${context.symbols.failed} Improvement session broken off:`, "bad"),
    say(`${INDENT}Logs: ${inline(event.directory, 4000)}`),
    ...inputTable({ ...event, failedInputs: [] }, context, INDENT),
    ...next,
  ];
}

function nextLines({ next }: Pick<SessionFinished, "next">): Line[] {
  if (next.length === 0) {
    return [];
  }
  return [say(`${INDENT}Next:`), ...next.map((text) => say(`${INDENT}  ${inline(text, 4000)}`))];
}

/** As git shortens it. */
export function shortSha(sha: string): string {
  return inline(sha.slice(0, 7));
}
