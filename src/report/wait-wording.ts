/** Words while mmm sleeps at a usage limit (spec 6.5, `--wait`). */
import type { Event } from "../engine/events.ts";
import { clockTime } from "./limit-wording.ts";
import { indentOf, say, type Line } from "./line.ts";
import type { RunningStep } from "./running-steps.ts";
import { labelOf, stepName } from "./step-wording.ts";
import type { Symbols } from "./symbols.ts";

type WaitStarted = Event & { readonly type: "wait-started" };

export function waitStarted({ at, until, resetsAt }: WaitStarted, symbols: Symbols): Line[] {
  const why = resetsAt === null ? "" : `, it resets at ${clockTime(resetsAt)}`;
  const text = `${symbols.waiting} The usage limit of Claude is reached${why}: waiting until ${clockTime(until)}`;
  return [say(`${indentOf(at)}${text}`, "warn")];
}

/** For the live line and the heartbeat. */
export function waitingWords(step: RunningStep & { readonly waitsUntil: string }): string {
  return `waiting for the usage limit until ${clockTime(step.waitsUntil)}`;
}

export function waitingLine(
  step: RunningStep & { readonly waitsUntil: string },
  symbols: Symbols,
): Line {
  const text = `${stepName(step.at)}: ${labelOf(step.at, symbols)} is ${waitingWords(step)}`;
  return say(`${indentOf(step.at)}${symbols.waiting} ${text}`, "dim");
}
