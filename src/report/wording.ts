/**
 * Every sentence of a run: events to lines, pure (spec 10).
 *
 * Foreign text (labels, commands, messages, subjects) goes in through `inline` or `safeLines` only.
 */
import type { Event } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatDuration } from "./format.ts";
import { gateWords } from "./gate-wording.ts";
import { boundsLine } from "./limit-wording.ts";
import { inputWords } from "./input-wording.ts";
import { itemWords } from "./item-wording.ts";
import { complain, indentOf, say, type Line } from "./line.ts";
import { againWords } from "./retry-wording.ts";
import { resumeWords } from "./resume-wording.ts";
import { inline, safeLines } from "./safe-text.ts";
import {
  attemptFinished,
  attemptStarted,
  commitMade,
  handlerFinished,
  handlerStarted,
  rolledBack,
  stepFinished,
  stepStarted,
} from "./step-wording.ts";
import { brokenLines, shortSha, summaryLines, type SummaryContext } from "./summary-wording.ts";
import type { Symbols } from "./symbols.ts";
import { worktreeWords } from "./worktree-wording.ts";

type Of<T extends Event["type"]> = Event & { readonly type: T };

/** `context.memory` has seen all events before this one. Lines of every verbosity; the caller filters. */
export function wordsOf(event: Event, context: SummaryContext): readonly Line[] {
  const { memory, symbols } = context;
  switch (event.type) {
    case "session-started":
      return sessionStarted(event, symbols);
    case "note":
      return note(event, symbols);
    case "iteration-started":
      return iterationStarted(event, symbols);
    case "step-started":
      return stepStarted(event.at, symbols);
    case "attempt-started":
      return attemptStarted(event, memory.steps.step(event.at), symbols);
    case "process-started":
      return [say(`${indentOf(event.at)}   process ${event.process.pid}`, "dim", 2)];
    case "attempt-finished":
      return attemptFinished(event, symbols);
    case "handler-started":
      return handlerStarted(event, memory.steps.step(event.at), symbols);
    case "handler-finished":
      return handlerFinished(event, symbols);
    case "output-captured": {
      const value = inline(event.value, 160, symbols.ellipsis);
      return [say(`${indentOf(event.at)}   ${inline(event.name)} = ${value}`, "dim", 1)];
    }
    case "commit-made":
      return commitMade(event, symbols);
    case "step-finished":
      return stepFinished(event, memory.steps.step(event.at), symbols);
    case "rolled-back":
      return rolledBack(event, symbols);
    case "iteration-finished": {
      const what = event.changed ? "" : ", nothing changed";
      const text = `Iteration ${event.iteration} completed${what} (${formatDuration(event.durationMs)})`;
      return [say(`${symbols.done} ${text}`, "plain", 1)];
    }
    case "session-finished":
      return summaryLines(event, context);
    case "session-broken":
      return brokenLines(event, context);
    default:
      return otherWords(event, context);
  }
}

/** Those that have a file of their own. */
function otherWords(
  event:
    | Parameters<typeof gateWords>[0]
    | Parameters<typeof inputWords>[0]
    | Parameters<typeof itemWords>[0]
    | Parameters<typeof againWords>[0]
    | Parameters<typeof resumeWords>[0]
    | Parameters<typeof worktreeWords>[0],
  { memory, symbols }: SummaryContext,
): readonly Line[] {
  switch (event.type) {
    case "gate-started":
    case "gate-finished":
      return gateWords(event, symbols);
    case "input-started":
    case "input-opened":
    case "input-merging":
    case "input-merged":
    case "input-kept":
    case "input-left":
    case "input-finished":
      return inputWords(event, symbols);
    case "items-listed":
    case "item-started":
    case "item-finished":
      return itemWords(event, symbols);
    case "session-resumed":
    case "unit-restarted":
      return resumeWords(event, symbols);
    case "worktree-created":
    case "worktree-completed":
    case "worktree-merged":
    case "worktree-removed":
    case "worktree-kept":
      return worktreeWords(event, symbols);
    default:
      return againWords(event, memory, symbols);
  }
}

function sessionStarted(event: Of<"session-started">, symbols: Symbols): Line[] {
  const { start, workflow, plan, replay, info } = symbols;
  const each = event.inputs > 1 ? ` for each of ${formatCount(event.inputs, "input")}` : "";
  const most = formatCount(event.maxIterations, "iteration");
  const bound = `max ${most}${each}, ${boundWords(event.boundFrom)}`;
  const lines = [
    say(`${start} Starting improvement loop... (${bound})`, "strong"),
    say(`${workflow} Workflow: ${inline(event.description ?? event.name, 200, symbols.ellipsis)}`),
    say(`${plan} Starting workflow with ${formatCount(event.steps, "command")}`),
  ];
  lines.push(...boundsLine(event.limits, symbols));
  if (event.replay !== null) {
    const from = inline(event.replay, 400);
    lines.push(
      say(`${replay} Claude is replayed from ${from}: no model is called, nothing is paid`),
    );
  }
  if (event.commit === "off") {
    lines.push(say(`${info} Commits are off: changes stay in the working tree`));
  }
  const branch = event.branch === null ? "detached" : inline(event.branch);
  const facts = [
    `session ${inline(event.session)}`,
    `playbook ${inline(event.playbook, 400)}`,
    `directory ${inline(event.cwd, 400)}`,
    `HEAD ${shortSha(event.head)} (${branch})`,
    `mmm ${inline(event.version)}`,
  ];
  return [...lines, ...facts.map((fact) => say(`   ${fact}`, "dim", 1))];
}

function boundWords(from: Of<"session-started">["boundFrom"]): string {
  switch (from) {
    case "option":
      return "from --max-iterations";
    case "playbook":
      return "from the playbook";
    case "default":
      return "default";
    default:
      return unreachable(from);
  }
}

function note(event: Of<"note">, symbols: Symbols): Line[] {
  const [first = "", ...rest] = safeLines(event.message);
  if (event.severity === "warning") {
    const lines = [`${symbols.warning} ${first}`, ...rest.map((text) => `   ${text}`)];
    return lines.map((text) => complain(text, "warn"));
  }
  const lines = [`${symbols.info} ${first}`, ...rest.map((text) => `   ${text}`)];
  return lines.map((text) => say(text, "plain", 2));
}

/** With a single iteration the first line has said it all. */
function iterationStarted(event: Of<"iteration-started">, symbols: Symbols): Line[] {
  const { iteration, maxIterations } = event;
  const from = maxIterations === 1 ? 1 : 0;
  const text = `${symbols.iteration} Iteration ${iteration}/${maxIterations}...`;
  return [say("", "plain", from), say(text, "strong", from)];
}
