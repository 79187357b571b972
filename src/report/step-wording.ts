/** The sentences of one step: attempts, handlers, commits, how it ended (spec 10). */
import type { Event, StepPlace } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { commandLines, failureBlock, failureWords, tailLines } from "./failure-wording.ts";
import { formatCount, formatDuration, formatMoney } from "./format.ts";
import { complain, fitting, indentOf, say, type Line } from "./line.ts";
import type { RunningStep } from "./running-steps.ts";
import { cutToWidth, inline, safeLines } from "./safe-text.ts";
import { shortSha } from "./summary-wording.ts";
import type { Symbols } from "./symbols.ts";

type Of<T extends Event["type"]> = Event & { readonly type: T };

/** Of a label or command in a line that is not cut to a terminal. */
const LABEL_COLUMNS = 200;

/** `Step 3/5`; a handler's step is called by its path. */
export function stepName(at: StepPlace): string {
  return at.depth === 0 ? `Step ${at.number}/${at.total}` : `Step ${inline(at.step)}`;
}

/** One line, without the slash a command has: `mmm-code-review`. */
export function labelOf(at: StepPlace, symbols: Symbols): string {
  const label = firstLine(at.label, symbols);
  return at.kind === "claude" ? label.replace(/^\//, "") : label;
}

export function stepStarted(at: StepPlace, symbols: Symbols): Line[] {
  // A handler's step speaks when it runs; its number would only confuse.
  const from = at.depth === 0 ? 0 : 2;
  const text = `${indentOf(at)}${symbols.step} ${stepName(at)}: ${labelOf(at, symbols)}`;
  return [fitting(say(text, "plain", from))];
}

export function attemptStarted(
  event: Of<"attempt-started">,
  step: RunningStep | null,
  symbols: Symbols,
): Line[] {
  const indent = indentOf(event.at);
  const lines: Line[] = [];
  if (step !== null && step.unsaid !== null) {
    const how = failureWords(step.unsaid);
    lines.push(
      say(
        `${indent}${symbols.warning} ${attemptWords(step, step.maxAttempts)} failed: ${how}`,
        "warn",
      ),
    );
    lines.push(...shortTail(indent, step, symbols));
  }
  const most = Math.max(event.maxAttempts, event.attempt);
  // What a loop does is told item by item.
  if (event.at.kind === "foreach" && event.attempt === 1) return lines;
  const which = event.attempt > 1 ? ` (attempt ${event.attempt}/${most})` : "";
  const { before, command: run, after } = runningWords(event.at, event.rendered, symbols);
  lines.push(fitting(say(`${indent}${before}${run}${after}${which}`), run));
  const command = commandLines(event.rendered, symbols);
  lines.push(...command.map((text) => say(`${indent}   ${symbols.bar} ${text}`, "dim", 2)));
  if (event.log !== null) {
    lines.push(say(`${indent}   log ${inline(event.log, 4000)}`, "dim", 2));
  }
  return lines;
}

/** `🤖 Running /mmm-code-review...`, `⚙️  Running: npm test`. */
function runningWords(
  at: StepPlace,
  rendered: string,
  symbols: Symbols,
): { readonly before: string; readonly command: string; readonly after: string } {
  const command = firstLine(rendered, symbols);
  switch (at.kind) {
    case "shell":
      return { before: `${symbols.shell} Running: `, command, after: "" };
    case "analyze":
      return { before: `${symbols.analyze} Analyzing the project...`, command: "", after: "" };
    case "foreach":
      return { before: `${symbols.again} Again: `, command, after: "" };
    case "claude": {
      const after = command.endsWith(symbols.ellipsis) ? "" : "...";
      return { before: `${claudeSymbol(command, symbols)} Running `, command, after };
    }
    default:
      return unreachable(at.kind);
  }
}

function claudeSymbol(command: string, symbols: Symbols): string {
  const name = command.split(/\s/, 1)[0] ?? "";
  if (/(?:^|[/:-])lint(?:$|-)/.test(name)) {
    return symbols.lint;
  }
  return /(?:^|[/:-])(?:implement|fix|debug)(?:$|-)/.test(name) ? symbols.repair : symbols.claude;
}

export function attemptFinished(event: Of<"attempt-finished">, symbols: Symbols): Line[] {
  return ended(`attempt ${event.attempt}`, event, symbols);
}

/** One run of a child, for those who want to see each. */
export function ended(
  what: string,
  event: Of<"attempt-finished"> | Of<"run-failed">,
  symbols: Symbols,
): Line[] {
  const facts = [
    ...(event.end === null ? [] : [endFact(event)]),
    formatDuration(event.durationMs),
    ...(event.turns === null ? [] : [formatCount(event.turns, "turn")]),
    ...(event.model === null ? [] : [inline(event.model)]),
    ...(event.at.kind === "claude" ? [costFact(event)] : []),
  ];
  const text = `${what}: ${facts.join(", ")}`;
  return [say(`${indentOf(event.at)}   ${cutToWidth(text, 200, symbols.ellipsis)}`, "dim", 2)];
}

function endFact(event: Pick<Of<"attempt-finished">, "end">): string {
  return event.end?.kind === "exited" ? `exit code ${event.end.code}` : (event.end?.kind ?? "");
}

function costFact(event: Pick<Of<"attempt-finished">, "usage">): string {
  const cost = event.usage?.costUsd ?? null;
  return cost === null ? "cost unknown" : formatMoney(cost);
}

/** The attempt that made the handler run is told here, in one line: its repair comes right below. */
export function handlerStarted(
  event: Of<"handler-started">,
  step: RunningStep | null,
  symbols: Symbols,
): Line[] {
  const indent = indentOf(event.at);
  const what = `running ${event.handler}`;
  if (step === null || step.unsaid === null) {
    return [say(`${indent}${symbols.again} ${labelOf(event.at, symbols)}: ${what}`, "plain", 1)];
  }
  const how = failureWords(step.unsaid);
  return [
    say(
      `${indent}${symbols.warning} ${attemptWords(step, event.maxAttempts)} failed: ${how}, ${what}`,
      "warn",
    ),
    ...shortTail(indent, step, symbols),
  ];
}

/** Under `-v`, unless it was already seen live. */
export function shortTail(indent: string, step: RunningStep, symbols: Symbols): Line[] {
  if (step.seenLive || step.unsaid === null) {
    return [];
  }
  const lines = tailLines(step.unsaid.tail, symbols);
  return lines.map((text) => say(`${indent}   ${symbols.bar} ${text}`, "dim", 1));
}

function attemptWords(step: RunningStep, maxAttempts: number): string {
  return maxAttempts > 1 ? `Attempt ${step.attempt}/${maxAttempts}` : "The step";
}

export function handlerFinished(event: Of<"handler-finished">, symbols: Symbols): Line[] {
  const indent = indentOf(event.at);
  const label = labelOf(event.at, symbols);
  return event.ok
    ? [say(`${indent}${symbols.done} ${event.handler} of ${label} completed`, "plain", 1)]
    : [complain(`${indent}${symbols.warning} ${event.handler} of ${label} failed`, "warn")];
}

export function commitMade(event: Of<"commit-made">, symbols: Symbols): Line[] {
  const indent = `${indentOf(event.at)}   `;
  const subject = inline(event.commit.subject, 160, symbols.ellipsis);
  const by = event.by === "step" ? "by the step" : "by mmm";
  return [
    fitting(say(`${indent}${symbols.commit} ${subject}`)),
    say(`${indent}   commit ${inline(event.commit.sha)} ${by}`, "dim", 2),
  ];
}

export function stepFinished(
  event: Of<"step-finished">,
  step: RunningStep | null,
  symbols: Symbols,
): readonly Line[] {
  const indent = indentOf(event.at);
  const label = labelOf(event.at, symbols);
  switch (event.conclusion) {
    case "succeeded": {
      const facts = doneFacts(event, step).join(", ");
      return [
        fitting(say(`${indent}${symbols.done} ${label} completed (${facts})`, "good"), label),
      ];
    }
    case "skipped": {
      const why = event.why === null ? "" : `: ${inline(event.why, 200, symbols.ellipsis)}`;
      // The line above has the label; of a handler's step there is none.
      const what = event.at.depth === 0 ? stepName(event.at) : label;
      return [fitting(say(`${indent}${symbols.skipped} ${what} skipped${why}`, "dim"))];
    }
    case "failed":
    case "tolerated":
      return stepFailed(event, step, symbols);
    default:
      return unreachable(event.conclusion);
  }
}

function stepFailed(
  event: Of<"step-finished">,
  step: RunningStep | null,
  symbols: Symbols,
): readonly Line[] {
  const { at, failure, attempts, durationMs } = event;
  const tolerated = event.conclusion === "tolerated";
  const tone = tolerated ? "warn" : "bad";
  const symbol = tolerated ? symbols.warning : symbols.failed;
  const goesOn = tolerated ? ", the run goes on" : "";
  const title = `${symbol} ${stepName(at)} failed${goesOn}: ${labelOf(at, symbols)}`;
  const indent = indentOf(at);
  if (failure?.reason === "cancelled") {
    // Nobody looks for a fault in what he stopped himself.
    return [
      complain(
        `${indent}${symbols.stopped} ${stepName(at)} stopped: ${labelOf(at, symbols)}`,
        "warn",
      ),
    ];
  }
  if (failure === null) {
    return [complain(`${indent}${title} (${inline(at.place, 400)})`, tone)];
  }
  const handled = step?.handled ?? false;
  return failureBlock({ at, failure, title, tone, attempts, durationMs, handled, symbols, indent });
}

function doneFacts(event: Of<"step-finished">, step: RunningStep | null): string[] {
  const cost = step?.costUsd ?? null;
  return [
    formatDuration(event.durationMs),
    ...(event.attempts > 1 ? [formatCount(event.attempts, "attempt")] : []),
    ...(event.commits.length > 0 ? [formatCount(event.commits.length, "commit")] : []),
    ...(cost === null ? [] : [formatMoney(cost)]),
  ];
}

export function rolledBack(event: Of<"rolled-back">, symbols: Symbols): Line[] {
  const kept = event.kept === null ? "" : `, what was undone is kept in ${inline(event.kept, 400)}`;
  const text = `${symbols.undone} Rolled back to ${shortSha(event.head)}${kept}`;
  return [complain(`${indentOf(event.at)}${text}`, "warn")];
}

/** The first line with something on it, and a sign when there are more. */
function firstLine(text: string, symbols: Symbols): string {
  // A prompt may be long: what is not shown is not scanned.
  const lines = safeLines(text.slice(0, 2000)).filter((line) => line.trim() !== "");
  const first = inline(lines[0] ?? "", LABEL_COLUMNS, symbols.ellipsis);
  return lines.length > 1 && !/(?:…|\.\.\.)$/.test(first) ? `${first} ${symbols.ellipsis}` : first;
}
