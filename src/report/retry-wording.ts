/** Words for a step that is run again: after a failure (spec 2.4, `retry`), or after a usage limit. */
import type { Event } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { failureWords } from "./failure-wording.ts";
import { formatDuration } from "./format.ts";
import { indentOf, say, type Line } from "./line.ts";
import type { RunMemory } from "./run-memory.ts";
import type { RunningStep } from "./running-steps.ts";
import { inline } from "./safe-text.ts";
import { ended, labelOf, shortTail, stepName } from "./step-wording.ts";
import type { Symbols } from "./symbols.ts";
import { waitStarted } from "./wait-wording.ts";

type Of<T extends Event["type"]> = Event & { readonly type: T };

/** What is told before a run that is made again. */
export function againWords(
  event: Of<"run-failed"> | Of<"retry-started"> | Of<"wait-started">,
  memory: RunMemory,
  symbols: Symbols,
): readonly Line[] {
  switch (event.type) {
    case "run-failed":
      return ended(`attempt ${event.attempt}, run ${event.run}`, event, symbols);
    case "retry-started":
      return retryStarted(event, memory.steps.step(event.at), symbols);
    case "wait-started":
      return waitStarted(event, symbols);
    default:
      return unreachable(event);
  }
}

/** `⚠️  Run 1/3 failed: exit code 7, run again in 2s`. */
function retryStarted(
  event: Of<"retry-started">,
  step: RunningStep | null,
  symbols: Symbols,
): Line[] {
  const { at, run, maxRuns, delayMs, why, log } = event;
  const indent = indentOf(at);
  const unsaid = step?.unsaid ?? null;
  const how = unsaid === null ? inline(why, 160) : failureWords(unsaid);
  const delay = formatDuration(delayMs);
  const when = delay === formatDuration(0) ? "" : ` in ${delay}`;
  const text = `${symbols.warning} Run ${run - 1}/${maxRuns} failed: ${how}, run again${when}`;
  return [
    say(`${indent}${text}`, "warn"),
    ...(step === null ? [] : shortTail(indent, step, symbols)),
    ...(log === null ? [] : [say(`${indent}   log ${inline(log, 4000)}`, "dim", 2)]),
  ];
}

/** For the live line and the heartbeat; `null`: it is at work. */
export function pauseWords(step: RunningStep, nowMs: number): string | null {
  const left = step.againMs === null ? 0 : step.againMs - nowMs;
  return left <= 0 ? null : `runs again in ${formatDuration(Math.ceil(left / 1000) * 1000)}`;
}

export function pauseLine(step: RunningStep, words: string, symbols: Symbols): Line {
  const text = `${stepName(step.at)}: ${labelOf(step.at, symbols)} ${words}`;
  return say(`${indentOf(step.at)}${symbols.waiting} ${text}`, "dim");
}
