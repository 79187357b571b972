/** How a failure reads: place, command, how it ended, its last words, the log, what to do (spec 10). */
import type { FailureDetail, StepPlace } from "../engine/events.ts";
import type { ProcessEnd } from "../engine/outcome.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatDuration } from "./format.ts";
import { complain, type Line, type Tone } from "./line.ts";
import { cutToWidth, inline, safeLines } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

const TAIL_LINES = 20;
/** A line of output is shown this wide at most; a minified file must not fill ten screens. */
const TAIL_COLUMNS = 500;
const COMMAND_LINES = 10;
const MESSAGE_LINES = 12;

/** `exit code 1`, `ended by signal SIGKILL`, `timed out after 5m`. */
export function endWords(end: ProcessEnd): string {
  switch (end.kind) {
    case "exited":
      return `exit code ${end.code}`;
    case "signalled":
      return `ended by signal ${inline(end.signal)}`;
    case "timed-out":
      return `timed out after ${formatDuration(end.afterMs)}`;
    case "cancelled":
      return "stopped by mmm";
    case "not-started":
      return `could not be started: ${inline(end.reason)}`;
    default:
      return unreachable(end);
  }
}

/** In a few words, for an attempt that will be repaired and for the list at the end. */
export function failureWords(failure: FailureDetail): string {
  const bare = failure.reason === "process" && failure.end !== null;
  return bare && failure.end !== null ? endWords(failure.end) : inline(failure.message, 160);
}

export interface FailureShown {
  readonly at: StepPlace;
  readonly failure: FailureDetail;
  readonly title: string;
  readonly tone: Tone;
  readonly attempts: number;
  readonly durationMs: number;
  /** Its on_failure or on_exit_code has run. */
  readonly handled: boolean;
  readonly symbols: Symbols;
  /** Spaces before each line. */
  readonly indent: string;
}

/** The whole block; the first line is the title. */
export function failureBlock(shown: FailureShown): readonly Line[] {
  const { failure, symbols, indent } = shown;
  const inside = `${indent}   `;
  const lines: Line[] = [complain(`${indent}${shown.title}`, shown.tone)];
  const fact = (name: string, value: string): void => {
    lines.push(complain(`${inside}${(name === "" ? "" : `${name}:`).padEnd(9)}${value}`, "plain"));
  };
  fact("at", inline(shown.at.place, 400));
  for (const [index, text] of commandLines(failure.rendered, symbols).entries()) {
    fact(index === 0 ? "command" : "", text);
  }
  fact("result", resultWords(shown));
  for (const [index, text] of messageLines(failure).entries()) {
    fact(index === 0 ? "error" : "", text);
  }
  const tail = tailLines(failure.tail, symbols);
  if (tail.length > 0) {
    fact("output", tail.length === 1 ? "the last line" : `the last ${tail.length} lines`);
    lines.push(...tail.map((text) => complain(`${inside}${symbols.bar} ${text}`, "dim")));
  } else if (failure.end !== null) {
    fact("output", "none");
  }
  if (failure.log !== null) {
    fact("log", inline(failure.log, 4000));
  }
  for (const [index, next] of nextSteps(shown).entries()) {
    fact(index === 0 ? "next" : "", inline(next, 4000));
  }
  return lines;
}

/** The last 20 lines, printable, each cut to 500 columns. */
export function tailLines(tail: string, symbols: Symbols): readonly string[] {
  return safeLines(tail)
    .slice(-TAIL_LINES)
    .map((text) => cutToWidth(text, TAIL_COLUMNS, symbols.ellipsis));
}

/** A command or prompt as it was sent, at most 10 lines. */
export function commandLines(rendered: string, symbols: Symbols): readonly string[] {
  const lines = safeLines(rendered);
  if (lines.length <= COMMAND_LINES) {
    return lines;
  }
  const more = formatCount(lines.length - COMMAND_LINES, "more line");
  return [...lines.slice(0, COMMAND_LINES), `${symbols.ellipsis} ${more}`];
}

function resultWords({ failure, attempts, durationMs }: FailureShown): string {
  const end = failure.end === null ? failedAs(failure) : endWords(failure.end);
  const tries = attempts > 1 ? `, after ${attempts} attempts` : "";
  return `${end} (${formatDuration(durationMs)}${tries})`;
}

function failedAs(failure: FailureDetail): string {
  return failure.exitCode === null ? "failed" : `exit code ${failure.exitCode}`;
}

/** What the failure itself knows, else what helps with a failure like this. */
function nextSteps(shown: FailureShown): readonly string[] {
  const { failure, at, tone } = shown;
  if (failure.next.length > 0) return failure.next;
  if (at.depth > 0 || tone !== "bad") return [];
  switch (failure.reason) {
    case "process":
    case "claude":
      return processNext(shown);
    case "value":
      return ["correct the value, or the step that it comes from"];
    case "output":
      return ["correct the rule of this output, or give it a default"];
    case "commit":
      return ["mend what git says, or write `auto_commit: false` at this step"];
    case "on-success":
      return ["mend what failed in on_success, see above"];
    case "validation":
      return ["mend what the gate says, see above"];
    case "item":
      return ["mend what failed in its items, see above"];
    case "no-commit":
    case "head":
    case "limit":
    case "cancelled":
      return [];
    default:
      return unreachable(failure.reason);
  }
}

function processNext({ failure, at, handled, symbols }: FailureShown): readonly string[] {
  switch (failure.end?.kind) {
    case "timed-out":
      return ["raise the timeout of this step, or see in the log what it waits for"];
    case "not-started":
      return ["check that the program is installed and on PATH, and that the directory exists"];
    case "exited":
    case "signalled": {
      const silent = tailLines(failure.tail, symbols).length === 0;
      const look =
        at.kind === "claude" && failure.log !== null
          ? "see in the log what it did"
          : "run it by hand to see why it fails: it printed nothing";
      const mend = silent ? look : "mend what the output says";
      // A handler that has run did not help; and nobody edits the playbooks that mmm ships.
      const ours = at.place.startsWith("examples/");
      return [handled || ours ? mend : `${mend}, or give the step an on_failure`];
    }
    default:
      return [];
  }
}

/** The message, unless the lines around it say just that. */
function messageLines(failure: FailureDetail): readonly string[] {
  const said = failure.end === null ? "" : endWords(failure.end);
  const all = safeLines(failure.message).filter((line) => line.trim() !== "");
  // Of a process the first line is a sentence about its end, which `result` has told.
  const lines = failure.reason === "process" && said !== "" ? all.slice(1) : all;
  const code = failure.end?.kind === "exited" ? failure.end.code : null;
  // Neither what stands under `output` nor what `result` says is news.
  const told = new Set([...safeLines(failure.tail), `claude failed: exit ${code}`]);
  const news = lines.filter((line) => !told.has(line));
  return news.slice(0, MESSAGE_LINES);
}
