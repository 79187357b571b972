/** The sentences of gates: what is checked, and what was seen (spec 2.6). */
import type { Event } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { endWords } from "./failure-wording.ts";
import { formatDuration } from "./format.ts";
import { complain, fitting, indentOf, say, type Line } from "./line.ts";
import type { RunMemory } from "./run-memory.ts";
import { inline, safeLines } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

type Of<T extends Event["type"]> = Event & { readonly type: T };

/** More push the status off the screen. */
const SHOWN = 20;

export function gateWords(
  event: Of<"gate-started"> | Of<"gate-finished">,
  symbols: Symbols,
): Line[] {
  return event.type === "gate-started" ? gateStarted(event, symbols) : gateFinished(event, symbols);
}

function gateStarted(event: Of<"gate-started">, symbols: Symbols): Line[] {
  const indent = `${indentOf(event.at)}   `;
  const what = event.when === "before" ? "Measuring" : "Checking";
  const command = inline(safeLines(event.command)[0] ?? "", 200, symbols.ellipsis);
  const lines = [
    fitting(say(`${indent}${symbols.gate} ${what} ${event.gate}: ${command}`), command),
  ];
  return [...lines, say(`${indent}   log ${inline(event.log, 4000)}`, "dim", 2)];
}

function gateFinished(event: Of<"gate-finished">, symbols: Symbols): Line[] {
  const indent = `${indentOf(event.at)}   `;
  const name = event.when === "until" ? inline(event.at.label, 120) : event.gate;
  switch (event.verdict) {
    case "ok": {
      const holds = event.when === "until" ? "is met" : "passed";
      return [say(`${indent}${symbols.done} ${name} ${holds} (${factsOf(event)})`, "good")];
    }
    case "measured":
      return [say(`${indent}${symbols.info} ${name} before the step: ${factsOf(event)}`, "dim", 1)];
    case "skipped":
      return [complain(`${indent}${symbols.warning} ${name} skipped: ${whyOf(event)}`, "warn")];
    case "failed":
      // Of a step the failure itself tells it.
      if (event.when !== "until") return [];
      return [say(`${indent}${symbols.again} ${name} is not met: ${whyOf(event)}`)];
    default:
      return unreachable(event.verdict);
  }
}

/** The latest verdict of each gate, for the summary. */
export function gateLines(memory: RunMemory, symbols: Symbols, indent: string): Line[] {
  const all = [...memory.gates.values()];
  if (all.length === 0) return [];
  const shown = all.slice(0, SHOWN).map((event) => {
    const place = placeOf(event, memory);
    const where = place === "" ? "" : ` (${place})`;
    const name = event.when === "until" ? inline(event.at.label, 120) : event.gate;
    const { verdict } = event;
    const good = verdict === "ok";
    const what = good ? `passed, ${factsOf(event)}` : `${verdict}: ${whyOf(event)}`;
    return say(`${indent}  ${symbols.bullet} ${name}${where} ${what}`, good ? "plain" : "warn");
  });
  const more = all.length - shown.length;
  return [
    say(`${indent}Gates:`),
    ...shown,
    ...(more > 0 ? [say(`${indent}  and ${more} more`)] : []),
  ];
}

/** `step 2 of input 3`; the `until` of a session needs none. */
function placeOf({ when, at }: Of<"gate-finished">, { inputs }: RunMemory): string {
  const step = when === "merge" ? "merge" : `step ${inline(at.step)}`;
  const of = at.input === null || inputs < 2 ? [] : [`of input ${at.input}`];
  return [...(when === "until" ? [] : [step]), ...of].join(" ");
}

function factsOf({ figures, end, durationMs }: Of<"gate-finished">): string {
  const time = durationMs > 0 ? [formatDuration(durationMs)] : [];
  if (figures === null) return [...(end === null ? [] : [endWords(end)]), ...time].join(", ");
  const { before, after } = figures;
  const shown = [before, after].flatMap((each) => (each === null ? [] : [figureWords(each)]));
  return [shown.join(" -> "), ...time].join(", ");
}

function whyOf({ why }: Of<"gate-finished">): string {
  return inline(why ?? "", 300);
}

function figureWords(figure: number): string {
  return String(Math.round(figure * 10_000) / 10_000);
}
