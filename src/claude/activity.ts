/** What people see while Claude works (spec 6.4). */
import type { ClaudeActivity } from "../engine/ports.ts";
import { asArray, asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";
import { readUsage, tokensOf } from "./usage.ts";

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

/** What has been counted while a call runs. */
export class LiveCounts {
  /** Ids of the main conversation's messages. */
  readonly turns = new Set<string>();
  /** Tokens by message; sub-agents' messages are paid for too. */
  readonly #tokens = new Map<string, number>();
  #sum = 0;

  /** @returns the sum so far, or `null` when this message brings nothing new. */
  tokens(id: string, of: number): number | null {
    const before = this.#tokens.get(id) ?? 0;
    if (of <= before) return null;
    this.#tokens.set(id, of);
    this.#sum += of - before;
    return this.#sum;
  }
}

/** @param counts grows here. */
export function activitiesOf(event: JsonObject, counts: LiveCounts): ClaudeActivity[] {
  if (event["type"] === "assistant") return assistant(event, counts);
  if (event["type"] === "result") return finalUsage(event);
  if (event["type"] === "system" && event["subtype"] === "api_retry") return [retry(event)];
  return [];
}

/** The CLI names a price only in its results. */
function finalUsage(event: JsonObject): ClaudeActivity[] {
  const models = asObject(event["modelUsage"]);
  if (models === null) return [];
  const usage = readUsage(models);
  return [{ type: "usage", tokens: tokensOf(usage), costUsd: usage.costUsd }];
}

/** Of the stream's start: what was read is whole, of what is written only the beginning. */
const COUNTED = [
  "input_tokens",
  "cache_read_input_tokens",
  "cache_creation_input_tokens",
  "output_tokens",
];

function assistant(event: JsonObject, counts: LiveCounts): ClaudeActivity[] {
  const message = asObject(event["message"]);
  const found: ClaudeActivity[] = [];
  const id = asString(message?.["id"]);
  // One line a content block: several lines share a message. Sub-agents' messages are no turns.
  if (id !== null && asString(event["parent_tool_use_id"]) === null && !counts.turns.has(id)) {
    counts.turns.add(id);
    found.push({ type: "turns", turns: counts.turns.size });
  }
  const usage = asObject(message?.["usage"]);
  if (id !== null && usage !== null) {
    const sum = COUNTED.reduce((total, field) => total + (asNumber(usage[field]) ?? 0), 0);
    const tokens = counts.tokens(id, sum);
    if (tokens !== null) found.push({ type: "usage", tokens, costUsd: null });
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
