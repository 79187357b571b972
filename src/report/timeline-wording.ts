/** `mmm sessions show`: where the time and the money of a session went; time and cost first, then what. */
import stringWidth from "string-width";
import { isStopped, type SessionRecord } from "../engine/session-record.ts";
import type {
  AttemptEntry,
  Spend,
  StepEntry,
  StepPart,
  TimelineItem,
  TimelineStart,
  TimelineTotals,
} from "../engine/timeline-model.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatDuration, formatNumber } from "./format.ts";
import { type Line, say, type Tone } from "./line.ts";
import { itemRow, type Row } from "./timeline-item-row.ts";
import { cutToWidth, inline, safeLine } from "./safe-text.ts";
import { inputStateRow, inputTag } from "./timeline-input-row.ts";
import { spendWords, statusWords, stopWords, timeWords } from "./sessions-wording.ts";

const TIME_WIDTH = 7;
const COST_WIDTH = 11;
const INDENT = "  ";

/** Name, how it ended, and what to type when it has not. */
export function sessionHead(record: SessionRecord, start: TimelineStart | null): readonly Line[] {
  const stop = stopWords(record);
  const facts: (readonly [string, string | null])[] = [
    ["playbook", record.playbook ?? start?.playbook ?? null],
    ["started", record.startedAt === null ? null : timeWords(record.startedAt)],
    ["tree", start?.root ?? null],
    ["branch", start?.branch ?? null],
    ["recording", start?.replay ?? null],
    ["folder", record.directory],
    ["error", record.error],
  ];
  return [
    say(
      `${inline(record.name, 200)}: ${statusWords(record)}${stop === null ? "" : `, ${stop}`}`,
      record.status === "completed" ? "good" : record.status === "failed" ? "bad" : "warn",
    ),
    ...facts.flatMap(([name, value]) =>
      value === null || value === ""
        ? []
        : [say(`${INDENT}${name.padEnd(10)} ${inline(value, 4000)}`)],
    ),
    ...(record.resumable
      ? [say(`${INDENT}go on      mmm resume ${inline(record.name, 200)}`)]
      : []),
    ...(isStopped(record)
      ? [say(`${INDENT}give up    mmm sessions drop ${inline(record.name, 200)}`)]
      : []),
    say(""),
    say(`${"time".padStart(TIME_WIDTH)}${"cost".padStart(COST_WIDTH)}`, "dim"),
  ];
}

/**
 * @param columns of the terminal; `null`: a pipe, where nothing is cut
 * @param start of the session: with several inputs at once each row says whose it is
 */
export function timelineLines(
  item: TimelineItem,
  columns: number | null,
  start: TimelineStart | null = null,
): readonly Line[] {
  const tag = inputTag(item, start);
  return rowsOf(item, tag !== "").map((each) =>
    row({ ...each, text: `${tag}${each.text}` }, columns),
  );
}

function rowsOf(item: TimelineItem, isTagged: boolean): readonly Row[] {
  switch (item.type) {
    case "resumed":
      return [{ text: `resumed ${timeWords(item.at)}`, tone: "strong" }];
    case "restarted": {
      const files = formatCount(item.files, "file");
      const text = `${RESTARTED[item.why]} begins again; what it had left (${files}) is kept as ${inline(item.kept)}`;
      return [{ text, tone: "warn" }];
    }
    case "input": {
      const text = `input ${item.index}/${item.total}: ${inline(item.value, 400)}`;
      return [{ text, tone: "strong" }];
    }
    case "input-state":
      return [inputStateRow(item)];
    case "iteration": {
      const of = item.input === null || isTagged ? "" : ` of input ${item.input}`;
      const text = `iteration ${item.iteration}/${item.maxIterations}${of}`;
      return [{ text, tone: "strong" }];
    }
    case "step":
      return stepRows(item, 1);
    default:
      return unreachable(item);
  }
}

const RESTARTED = {
  "cut-short": "what was cut short",
  failed: "the step that failed",
  changed: "the step that means something else now",
} as const;

/** The sums, each model on a line of its own, and a word about lines that could not be read. */
export function totalLines(totals: TimelineTotals, damaged: number): readonly Line[] {
  const time = totals.durationMs === null ? "" : formatDuration(totals.durationMs);
  const words = [
    formatCount(totals.iterations, "iteration"),
    formatCount(totals.steps, "step"),
    formatCount(totals.commits, "commit"),
    ...tokenWords(totals),
    ...unknownWords(totals),
  ];
  const lines = [
    say(""),
    ...totals.models.map((model) => {
      const name = model.model === null ? "a model that Claude did not name" : inline(model.model);
      const text = [formatCount(model.calls, "call"), ...tokenWords(model), ...unknownWords(model)];
      return say(columnsOf("", paidWords(model)) + `${name}: ${text.join(", ")}`);
    }),
    say(`${columnsOf(time, paidWords(totals))}in all: ${words.join(", ")}`, "strong"),
  ];
  if (damaged === 0) return lines;
  const what = formatCount(damaged, "line of its journal", "lines of its journal");
  const text = `${what} could not be read and ${damaged === 1 ? "is" : "are"} left out`;
  return [...lines, say(text, "warn")];
}

/** Less of a label names nothing. */
const LEAST_LABEL = 16;

function row({ text, tone, time, cost, label }: Row, columns: number | null): Line {
  const shown = time === undefined || time === null ? "" : formatDuration(time);
  const left = columnsOf(shown, cost ?? null);
  const line = safeLine(text);
  if (columns === null) return say(left + line, tone);
  const room = Math.max(columns - left.length, 20);
  const over = stringWidth(line) - room;
  const cut =
    over <= 0 || label === undefined
      ? line
      : line.replace(label, () =>
          cutToWidth(label, Math.max(LEAST_LABEL, stringWidth(label) - over)),
        );
  return say(left + cutToWidth(cut, room), tone);
}

function columnsOf(time: string, cost: string | null): string {
  return `${time.padStart(TIME_WIDTH)}${(cost ?? "").padStart(COST_WIDTH)}  `;
}

function stepRows(step: StepEntry, level: number): readonly Row[] {
  const attempts = step.parts.filter((part) => part.type === "attempt");
  const most = new Set(attempts.map(({ attempt }) => attempt)).size;
  const [only] = attempts;
  // One attempt and nothing around it is told with its step.
  const alone = step.parts.length === 1 && only !== undefined ? only : null;
  const words = [
    ...conclusionWords(step, alone),
    ...(most > 1 ? [formatCount(most, "attempt")] : []),
    ...(step.commits.length > 0 ? [formatCount(step.commits.length, "commit")] : []),
    ...tokenWords(step.spend),
    ...(alone === null ? [] : attemptFacts(alone)),
  ];
  const label = inline(step.label, 160);
  const head = `${indent(level)}${step.step} ${label}`;
  const inside = level + 1;
  return [
    {
      text: words.length === 0 ? head : `${head}: ${words.join(", ")}`,
      tone: stepTone(step),
      label,
      time: step.durationMs ?? alone?.durationMs ?? null,
      cost: paidWords(step.spend),
    },
    ...(alone === null ? step.parts.flatMap((part) => partRows(part, inside)) : []),
    ...ownCommits(step).map(({ sha, subject }) => ({
      text: `${indent(inside)}commit ${sha.slice(0, 7)} ${inline(subject, 160)}`,
      tone: "dim" as const,
    })),
    ...(step.kept === null
      ? []
      : [{ text: `${indent(inside)}undone, kept as ${inline(step.kept)}`, tone: "warn" as const }]),
  ];
}

/** Those that no step inside of it has told. */
function ownCommits(step: StepEntry): StepEntry["commits"] {
  const told = new Set(
    step.parts.flatMap((part) => (part.type === "step" ? part.commits.map(({ sha }) => sha) : [])),
  );
  return step.commits.filter(({ sha }) => !told.has(sha));
}

/** Of what called Claude; `null`: nothing did. */
function paidWords(spend: Spend): string | null {
  if (spend.calls === 0) return null;
  return spendWords(spend) ?? (spend.cutShort === spend.calls ? "unknown" : "$0.00");
}

function partRows(part: StepPart, level: number): readonly Row[] {
  switch (part.type) {
    case "step":
      return stepRows(part, level + 1);
    case "handler": {
      const end = part.ok === null ? " (unfinished)" : part.ok ? "" : " (failed)";
      return [{ text: `${indent(level)}${inline(part.handler)}${end}`, tone: "dim" }];
    }
    case "item":
      return [itemRow(part, indent(level), paidWords(part.spend))];
    case "attempt": {
      const how =
        part.result === "failed" ? [inline(part.failure ?? "failed", 160)] : [part.result];
      return [
        {
          text: `${indent(level)}attempt ${part.attempt}${part.run > 1 ? `, run ${part.run}` : ""}: ${[...how, ...tokenWords(part.spend), ...attemptFacts(part)].join(", ")}`,
          tone: part.result === "succeeded" ? "plain" : "warn",
          time: part.durationMs,
          cost: paidWords(part.spend),
        },
      ];
    }
    default:
      return unreachable(part);
  }
}

function attemptFacts({ model, turns, log, late }: AttemptEntry): readonly string[] {
  return [
    ...(model === null ? [] : [inline(model)]),
    ...(turns === null ? [] : [formatCount(turns, "turn")]),
    ...(late ? ["after the stop"] : []),
    ...(log === null ? [] : [inline(logName(log))]),
  ];
}

/** `logs/0003-3.log`: the head says in which folder. */
function logName(log: string): string {
  return log.split("/").slice(-2).join("/");
}

function conclusionWords(step: StepEntry, alone: AttemptEntry | null): readonly string[] {
  const why = inline(step.failure ?? alone?.failure ?? "", 160);
  switch (step.conclusion) {
    case "succeeded":
      return step.why === null ? [] : [inline(step.why)];
    case "skipped":
      return ["skipped", ...(step.why === null ? [] : [inline(step.why)])];
    case "unfinished":
      return ["unfinished"];
    case "failed":
      return [`failed${why === "" ? "" : ` (${why})`}`];
    case "tolerated":
      return [`failed and tolerated${why === "" ? "" : ` (${why})`}`];
    default:
      return unreachable(step.conclusion);
  }
}

function stepTone({ conclusion }: StepEntry): Tone {
  if (conclusion === "failed") return "bad";
  return conclusion === "tolerated" || conclusion === "unfinished" ? "warn" : "plain";
}

function tokenWords({ tokens }: Spend): readonly string[] {
  return tokens === 0 ? [] : [`${formatNumber(tokens)} tokens`];
}

function unknownWords({ unknownCosts, cutShort }: Spend): readonly string[] {
  return [
    ...(unknownCosts === 0 ? [] : [`${formatCount(unknownCosts, "call")} of unknown cost`]),
    ...(cutShort === 0 ? [] : [`${formatCount(cutShort, "call")} cut short, not in the sum`]),
  ];
}

function indent(level: number): string {
  return INDENT.repeat(level);
}
