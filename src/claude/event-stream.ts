/**
 * What `--output-format stream-json` prints, understood line by line (reference: `claude --help`, and what
 * versions 1.0.128 to 2.1.329 were seen to print). Unknown events and fields are ignored.
 */
import { noRedactor, type Redactor } from "../lib/redact.ts";
import type { ClaudeActivity, ClaudeUsage } from "../engine/ports.ts";
import { Tail } from "../process/output.ts";
import { activitiesOf, LiveCounts } from "./activity.ts";
import {
  asArray,
  asNumber,
  asObject,
  asString,
  parseJson,
  strings,
  type JsonObject,
} from "../lib/json.ts";
import { LineSplitter, type Line } from "./line-splitter.ts";
import { readUsage, sumOf } from "./usage.ts";
import { readRateLimit, type RateLimit } from "./usage-limit.ts";

/** The first event of a session; a later `init` of the same process is ignored. */
export interface InitEvent {
  readonly model: string | null;
  readonly session: string | null;
  readonly version: string | null;
  /** Names that can be resolved; empty when the program lists none. */
  readonly slashCommands: readonly string[];
}

/** The last `result` event: a command in the background can make a process print several. */
export interface ResultEvent {
  readonly subtype: string | null;
  readonly isError: boolean;
  /** `null` on `error_*` subtypes, which carry `errors` instead. */
  readonly text: string | null;
  readonly errors: readonly string[];
  readonly apiErrorStatus: number | null;
  readonly stopReason: string | null;
  readonly terminalReason: string | null;
  readonly turns: number | null;
  readonly session: string | null;
  /** At least one call of a model was made and answered. */
  readonly calledModel: boolean;
  readonly model: string | null;
  readonly usage: ClaudeUsage | null;
  /** What was used since the result before, or since the start; only newer versions tell it. */
  readonly usageSince: ClaudeUsage | null;
  /** The answer that fits `--json-schema`, as JSON; `null`: there is none. */
  readonly structured: string | null;
  /** Names of tools that were refused. */
  readonly denied: readonly string[];
}

export interface StreamSummary {
  /** Lines that were events; 0: the program does not speak this language. */
  readonly events: number;
  readonly init: InitEvent | null;
  readonly result: ResultEvent | null;
  /** Sum of what each result says was used since the one before; `null`: one of them does not say. */
  readonly usageSince: ClaudeUsage | null;
  /** The latest word on the account's limits. */
  readonly rateLimit: RateLimit | null;
  /** Delay of the latest retry that the CLI made by itself. */
  readonly retryDelayMs: number | null;
  /** What was printed between events, as lines; the last 64 KiB. With no events at all: the output. */
  readonly plain: string;
  /** Lines longer than the bound, of which nothing could be read. */
  readonly cutLines: number;
  /** Whether the last thing printed was a line without its newline that made no sense. */
  readonly brokenEnd: boolean;
}

export interface StreamListener {
  /** Masks what is in an event or a line, before anything is cut off it. */
  readonly redactor?: Redactor;
  readonly onActivity?: (activity: ClaudeActivity) => void;
  readonly onInit?: (init: InitEvent) => void;
  /** Each `result`, and each other event after one: a process that lingers can be told from one at work. */
  readonly onResult?: (result: ResultEvent) => void;
  readonly onEvent?: () => void;
}

/** A result's text may be long; a line beyond this is a runaway and not read (still kept on disk). */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = Buffer.from("\n");
const KNOWN_TYPES: ReadonlySet<string> = new Set([
  "system",
  "assistant",
  "user",
  "rate_limit_event",
  "result",
]);

/** Feed it what standard output gives, in any pieces; the outcome does not depend on where they are cut. */
export class EventStream {
  readonly #lines: LineSplitter;
  readonly #listener: StreamListener;
  readonly #counts = new LiveCounts();
  #events = 0;
  #init: InitEvent | null = null;
  #result: ResultEvent | null = null;
  #since: ClaudeUsage | null | undefined = undefined;
  #rateLimit: RateLimit | null = null;
  #retryDelayMs: number | null = null;
  readonly #plain = new Tail();
  #cutLines = 0;
  #brokenEnd = false;

  constructor(listener: StreamListener = {}, maxLineBytes: number = MAX_LINE_BYTES) {
    this.#listener = listener;
    this.#lines = new LineSplitter(maxLineBytes, (line) => this.#line(line));
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  /** Once, after the last byte. */
  end(): StreamSummary {
    this.#lines.end();
    return {
      events: this.#events,
      init: this.#init,
      result: this.#result,
      usageSince: this.#since ?? null,
      rateLimit: this.#rateLimit,
      retryDelayMs: this.#retryDelayMs,
      plain: this.#plain.text().replace(/\n$/, ""),
      cutLines: this.#cutLines,
      brokenEnd: this.#brokenEnd,
    };
  }

  #line(line: Line): void {
    if (line.cut) {
      this.#cutLines += 1;
      return;
    }
    const text = line.bytes.toString("utf8");
    const event = eventOf(text);
    if (event !== null) {
      this.#event(event);
    } else {
      // Half an event is no text for people, and cannot be read: the process was ended while it wrote.
      this.#brokenEnd = !line.ended && this.#events > 0 && text.startsWith("{");
      if (text.trim() === "" || this.#brokenEnd) return;
      const { redactor } = this.#listener;
      this.#plain.push(redactor?.isActive ? Buffer.from(redactor.text(text)) : line.bytes);
      this.#plain.push(NEWLINE);
    }
  }

  #event(raw: JsonObject): void {
    this.#events += 1;
    this.#listener.onEvent?.();
    const { type, subtype } = raw;
    const masked = (this.#listener.redactor ?? noRedactor).value(raw);
    const event: JsonObject = { ...masked, type, subtype };
    if (type === "system" && subtype === "init" && this.#init === null) {
      this.#init = readInit(event);
      this.#listener.onInit?.(this.#init);
    }
    if (type === "rate_limit_event") this.#rateLimit = readRateLimit(event) ?? this.#rateLimit;
    if (type === "system" && event["subtype"] === "api_retry")
      this.#retryDelayMs = asNumber(event["retry_delay_ms"]);
    if (type === "result") {
      this.#result = readResult(event);
      const { usageSince } = this.#result;
      // A result without the figure makes the sum unknown for good.
      this.#since =
        this.#since === null || usageSince === null ? null : sumOf(this.#since ?? null, usageSince);
      this.#listener.onResult?.(this.#result);
    }
    if (this.#listener.onActivity === undefined) return;
    for (const activity of activitiesOf(event, this.#counts)) this.#listener.onActivity(activity);
  }
}

/** A script that stands in for claude may print JSON of its own: that is no event. */
function eventOf(text: string): JsonObject | null {
  if (!text.trimStart().startsWith("{")) return null;
  const event = asObject(parseJson(text));
  const type = asString(event?.["type"]);
  if (event === null || type === null) return null;
  return KNOWN_TYPES.has(type) || asString(event["session_id"]) !== null ? event : null;
}

function readInit(event: JsonObject): InitEvent {
  return {
    model: asString(event["model"]),
    session: asString(event["session_id"]),
    version: asString(event["claude_code_version"]),
    slashCommands: strings(event["slash_commands"]),
  };
}

function readResult(event: JsonObject): ResultEvent {
  const models = asObject(event["modelUsage"]);
  const names = models === null ? [] : Object.keys(models);
  const since = asObject(event["model_usage_since_last_result"]);
  const structured = event["structured_output"];
  return {
    subtype: asString(event["subtype"]),
    isError: event["is_error"] === true,
    text: asString(event["result"]),
    errors: strings(event["errors"]),
    apiErrorStatus: asNumber(event["api_error_status"]),
    stopReason: asString(event["stop_reason"]),
    terminalReason: asString(event["terminal_reason"]),
    turns: asNumber(event["num_turns"]),
    session: asString(event["session_id"]),
    calledModel: names.length > 0,
    model: names[0] ?? null,
    usage: models === null ? null : readUsage(models),
    usageSince: since === null ? null : readUsage(since),
    structured: structured === undefined || structured === null ? null : JSON.stringify(structured),
    denied: asArray(event["permission_denials"]).map(
      (denial) => asString(asObject(denial)?.["tool_name"]) ?? "a tool",
    ),
  };
}
