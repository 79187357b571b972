/** What the journal tells of an input beside its steps; see `timeline.ts`. */
import { asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";
import type { InputEntry, TimelineItem } from "./timeline-model.ts";

export function inputOf(event: JsonObject, at: string | null): readonly TimelineItem[] {
  const input = asObject(event["input"]);
  if (input === null) return [];
  const index = asNumber(input["index"]) ?? 0;
  const value = asString(input["file"]) ?? asString(input["arg"]) ?? "";
  return [{ type: "input", index, total: asNumber(input["total"]) ?? index, value, at }];
}

/** Its worktree, and how it got home; one that ended well and said nothing has no entry. */
export function inputStateOf(event: JsonObject, at: string | null): readonly InputEntry[] {
  const index = asNumber(asObject(event["input"])?.["index"]);
  if (index === null) return [];
  const text = (field: string): string => (asString(event[field]) ?? "").slice(0, TEXT_UNITS);
  const entry = { type: "input-state", index, at } as const;
  switch (event["type"]) {
    case "input-opened":
      return [{ ...entry, state: "opened", text: text("name") }];
    case "input-merged":
      return [
        { ...entry, state: "merged", text: `${text("into")} at ${text("commit").slice(0, 7)}` },
      ];
    case "input-kept":
      return [{ ...entry, state: "kept", text: text("name") }];
    case "input-finished":
      return text("message") === "" ? [] : [{ ...entry, state: "failed", text: text("message") }];
    default:
      return [];
  }
}

const TEXT_UNITS = 500;
