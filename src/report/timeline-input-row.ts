/** Inputs in `mmm sessions show`: whose row it is, and what became of its tree (spec 8.4). */
import type { InputEntry, TimelineItem, TimelineStart } from "../engine/timeline-model.ts";
import { unreachable } from "../lib/unreachable.ts";
import { inputPrefix } from "./input-prefix.ts";
import type { Tone } from "./line.ts";
import { inline } from "./safe-text.ts";

/** What a row begins with where several inputs were at work at once; else empty. */
export function inputTag(item: TimelineItem, start: TimelineStart | null): string {
  if (start === null || start.parallel < 2) return "";
  const owner = ownerOf(item);
  return owner === null ? "" : inputPrefix(owner, start.inputs);
}

function ownerOf(item: TimelineItem): number | null {
  if (item.type === "input" || item.type === "input-state") return item.index;
  return item.type === "step" || item.type === "iteration" ? item.input : null;
}

export function inputStateRow(entry: InputEntry): { readonly text: string; readonly tone: Tone } {
  const text = inline(entry.text, 400);
  switch (entry.state) {
    case "opened":
      return { text: `worktree ${text}`, tone: "dim" };
    case "merged":
      return { text: `merged into ${text}`, tone: "good" };
    case "kept":
      return { text: `worktree ${text} is kept`, tone: "warn" };
    case "failed":
      return { text: `failed: ${text}`, tone: "bad" };
    default:
      return unreachable(entry.state);
  }
}
