/** What people see while Claude works (spec 6.4). */
import type { ClaudeActivity } from "../engine/ports.ts";
import { asArray, asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";

/** Enough for a command line on a wide terminal. */
const MAX_DETAIL_CHARACTERS = 200;

/** The input field that says most about a tool call, best first. */
const TELLING = [
  "command",
  "file_path",
  "path",
  "pattern",
  "url",
  "query",
  "description",
  "prompt",
];

/** @param turns ids of the main conversation's messages seen so far; grows here. */
export function activitiesOf(event: JsonObject, turns: Set<string>): ClaudeActivity[] {
  if (event["type"] === "assistant") return assistant(event, turns);
  if (event["type"] === "system" && event["subtype"] === "api_retry") return [retry(event)];
  return [];
}

function assistant(event: JsonObject, turns: Set<string>): ClaudeActivity[] {
  const message = asObject(event["message"]);
  const found: ClaudeActivity[] = [];
  const id = asString(message?.["id"]);
  // One line a content block: several lines share a message. Sub-agents' messages are no turns.
  if (id !== null && asString(event["parent_tool_use_id"]) === null && !turns.has(id)) {
    turns.add(id);
    found.push({ type: "turns", turns: turns.size });
  }
  for (const item of asArray(message?.["content"])) {
    const block = asObject(item);
    const text = asString(block?.["text"]);
    if (block?.["type"] === "text" && text !== null && text !== "")
      found.push({ type: "text", text });
    if (block?.["type"] === "tool_use")
      found.push({
        type: "tool",
        name: asString(block["name"]) ?? "tool",
        detail: detailOf(asObject(block["input"]) ?? {}),
      });
  }
  return found;
}

function detailOf(input: JsonObject): string {
  for (const field of TELLING) {
    const value = asString(input[field]);
    if (value === null || value === "") continue;
    const line = value.replaceAll(/\s+/g, " ").trim();
    return line.length > MAX_DETAIL_CHARACTERS
      ? `${line.slice(0, MAX_DETAIL_CHARACTERS - 1)}…`
      : line;
  }
  return "";
}

function retry(event: JsonObject): ClaudeActivity {
  const status = asNumber(event["error_status"]);
  const cause = asString(event["error"]) ?? "the service failed";
  const attempt = asNumber(event["attempt"]);
  const of = asNumber(event["max_retries"]);
  const delay = asNumber(event["retry_delay_ms"]);
  return {
    type: "retry",
    message: [
      `retry ${attempt ?? "?"} of ${of ?? "?"}`,
      delay === null ? "" : ` in ${Math.round(delay / 100) / 10} s`,
      `: ${status === null ? "" : `${status} `}${cause}`,
    ].join(""),
  };
}
