/** Lines of a journal that stand for themselves in a timeline. */
import { asArray, asNumber, asString, type JsonObject } from "../lib/json.ts";
import type { TimelineItem, TimelineStart } from "./timeline-model.ts";

export function startOf(event: JsonObject): TimelineStart {
  const text = (field: string): string => asString(event[field]) ?? "";
  return {
    playbook: text("playbook"),
    root: text("root"),
    cwd: text("cwd"),
    head: text("head"),
    branch: asString(event["branch"]),
    commit: text("commit"),
    version: text("version"),
    replay: asString(event["replay"]),
    inputs: asNumber(event["inputs"]) ?? 0,
    parallel: asNumber(event["parallel"]) ?? 1,
  };
}

export function restartOf(event: JsonObject, at: string | null): readonly TimelineItem[] {
  const kept = asString(event["kept"]);
  if (kept === null) return [];
  const { why } = event;
  // A journal of before the field was there has none.
  const known = why === "failed" || why === "changed" ? why : "cut-short";
  return [{ type: "restarted", why: known, kept, files: asArray(event["files"]).length, at }];
}
