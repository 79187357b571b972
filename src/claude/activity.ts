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

/** Messages whose further lines are still known; they follow each other closely, sub-agents side by side. */
const MAX_MESSAGES = 1000;

/** What has been counted while a call runs, in constant memory. */
export class LiveCounts {
  /** Of the main conversation. */
  turns = 0;
  /** Tokens by message, the latest ones; sub-agents' messages are paid for too. */
  readonly #messages = new Map<string, number>();
  #tokens = 0;

  /** Is this message seen for the first time? */
  meet(id: string): boolean {
    if (this.#messages.has(id)) return false;
    this.#messages.set(id, 0);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MAX_MESSAGES && oldest !== undefined) this.#messages.delete(oldest);
    return true;
  }

  /** @returns the sum so far, or `null` when this message brings nothing new. */
  tokens(id: string, of: number): number | null {
    const before = this.#messages.get(id) ?? 0;
    if (of <= before) return null;
    this.#messages.set(id, of);
    this.#tokens += of - before;
    return this.#tokens;
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
  if (id !== null && counts.meet(id) && asString(event["parent_tool_use_id"]) === null) {
    counts.turns += 1;
    found.push({ type: "turns", turns: counts.turns });
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
