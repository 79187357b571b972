/** The sentences of a loop: its list, and where each item stands (spec 2.8). */
import type { Event, StepPlace } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatCount, formatDuration } from "./format.ts";
import { complain, fitting, indentOf, say, type Line } from "./line.ts";
import { inline } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

type Of<T extends Event["type"]> = Event & { readonly type: T };

type ItemEvent = Of<"items-listed" | "item-started" | "item-finished">;

const ITEM_COLUMNS = 100;

export function itemWords(event: ItemEvent, symbols: Symbols): Line[] {
  switch (event.type) {
    case "items-listed":
      return itemsListed(event, symbols);
    case "item-started":
      return itemStarted(event, symbols);
    case "item-finished":
      return itemFinished(event, symbols);
    default:
      return unreachable(event);
  }
}

function itemsListed(event: Of<"items-listed">, symbols: Symbols): Line[] {
  const { total, done } = event;
  const indent = inside(event.at);
  if (total === 0)
    return [say(`${indent}${symbols.info} the list is empty: nothing is run`, "dim")];
  const rest = done > 0 ? `, ${done} of them done before` : "";
  return [say(`${indent}${formatCount(total, "item")}${rest}`, "dim", done > 0 ? 0 : 1)];
}

function itemStarted(event: Of<"item-started">, symbols: Symbols): Line[] {
  return [fitting(say(`${inside(event.at)}${symbols.item} ${words(event, symbols)}`))];
}

function itemFinished(event: Of<"item-finished">, symbols: Symbols): Line[] {
  const indent = inside(event.at);
  const name = words(event, symbols);
  const time = formatDuration(event.durationMs);
  switch (event.conclusion) {
    case "succeeded":
      return [say(`${indent}${symbols.done} ${name} completed (${time})`, "good", 1)];
    case "nothing-to-do":
      return [say(`${indent}${symbols.skipped} ${name} ended: nothing to do`, "dim")];
    case "tolerated":
      return [complain(`${indent}${symbols.warning} ${name} failed, the loop goes on`, "warn")];
    case "failed":
      return [complain(`${indent}${symbols.failed} ${name} failed (${time})`)];
    default:
      return unreachable(event.conclusion);
  }
}

/** An item stands under its loop. */
function inside(at: StepPlace): string {
  return `${indentOf(at)}   `;
}

function words(
  { index, total, item }: Pick<Of<"item-started">, "index" | "total" | "item">,
  symbols: Symbols,
): string {
  return `Item ${index}/${total}: ${inline(item, ITEM_COLUMNS, symbols.ellipsis)}`;
}
