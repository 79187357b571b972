/** The row of an item in `mmm sessions show`: where a loop's time and money went. */
import type { ItemEntry } from "../engine/timeline-model.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { Tone } from "./line.ts";
import { inline } from "./safe-text.ts";

export interface Row {
  readonly text: string;
  readonly tone?: Tone;
  readonly time?: number | null;
  readonly cost?: string | null;
  /** Part of the text that gives way on a narrow terminal, so that what follows it can be read. */
  readonly label?: string;
}

/** @param paid of its steps; `null`: none called Claude */
export function itemRow(entry: ItemEntry, indent: string, paid: string | null): Row {
  const { index, total, conclusion, durationMs } = entry;
  const item = inline(entry.item, 160);
  const end = itemWords(entry);
  return {
    text: `${indent}item ${index}/${total}: ${item}${end === "" ? "" : ` (${end})`}`,
    tone: ITEM_TONES[conclusion],
    label: item,
    time: durationMs,
    cost: paid,
  };
}

const ITEM_TONES = {
  succeeded: "plain",
  "nothing-to-do": "plain",
  tolerated: "warn",
  unfinished: "warn",
  failed: "bad",
} as const;

function itemWords({ conclusion, failure }: ItemEntry): string {
  const why = failure === null ? "" : `: ${inline(failure, 160)}`;
  switch (conclusion) {
    case "succeeded":
      return "";
    case "nothing-to-do":
      return "nothing to do";
    case "tolerated":
      return `failed and tolerated${why}`;
    case "failed":
      return `failed${why}`;
    case "unfinished":
      return "unfinished";
    default:
      return unreachable(conclusion);
  }
}
