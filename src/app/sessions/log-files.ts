/** Which logs a session has, and how one is shown: as it lies there, or harmless and readable on a terminal. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { activitiesOf, LiveCounts } from "../../claude/activity.ts";
import {
  asArray,
  asNumber,
  asObject,
  asString,
  type JsonObject,
  parseJson,
} from "../../lib/json.ts";
import { LineBuffer, safeLines } from "../../report/safe-text.ts";

/** The log of one run. */
export interface LogFile {
  readonly step: string;
  readonly id: string | null;
  readonly label: string;
  readonly attempt: number;
  readonly iteration: number;
  readonly input: number | null;
  readonly kind: string;
  readonly startedAt: string | null;
  /** Absolute; below the session's folder. */
  readonly file: string;
}

/** Of an `attempt-started` or a `retry-started`; `null`: it has none. */
export function logOf(event: JsonObject, directory: string): LogFile | null {
  const at = asObject(event["at"]);
  const told = asString(event["log"]);
  if (at === null || told === null) return null;
  // The folder may have moved since, and a journal must not name a file elsewhere.
  const [folder, name] = told.split("/").slice(-2);
  if ((folder !== "logs" && folder !== "claude") || name === undefined || name === "..")
    return null;
  return {
    step: asString(at["step"]) ?? "",
    id: asString(at["id"]),
    label: asString(at["label"]) ?? "",
    attempt: asNumber(event["attempt"]) ?? 1,
    iteration: asNumber(at["iteration"]) ?? 1,
    input: asNumber(at["input"]),
    kind: asString(at["kind"]) ?? "",
    startedAt: asString(event["time"]),
    file: path.join(directory, folder, name),
  };
}

/** 0: it is not there (yet). */
export function logBytes({ file }: LogFile): number {
  try {
    const found = statSync(file);
    return found.isFile() ? found.size : 0;
  } catch {
    return 0;
  }
}

const CHUNK_BYTES = 64 * 1024;
/** A longer line of Claude's is shown as text, cut. */
const MAX_LINE_UNITS = 1024 * 1024;

type Write = (text: string | Buffer) => void;

/** Reads a log that may still grow. */
export class LogReader {
  readonly log: LogFile;
  readonly #show: (chunk: Buffer) => void;
  readonly #end: () => void;
  #at = 0;

  /** @param terminal make it readable and harmless; else bytes */
  constructor(log: LogFile, { terminal, write }: { terminal: boolean; write: Write }) {
    this.log = log;
    const { push, end } = terminal ? shown(log, write) : { push: write, end: () => undefined };
    this.#show = push;
    this.#end = end;
  }

  /** Is there more than was read? */
  get hasMore(): boolean {
    return logBytes(this.log) > this.#at;
  }

  /** What has come since the last call. */
  read(): void {
    if (!this.hasMore) return;
    const fd = openSync(this.log.file, "r");
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (;;) {
        const bytes = readSync(fd, chunk, 0, CHUNK_BYTES, this.#at);
        if (bytes === 0) return;
        this.#at += bytes;
        this.#show(Buffer.from(chunk.subarray(0, bytes)));
      }
    } finally {
      closeSync(fd);
    }
  }

  /** No more will come. */
  finish(): void {
    this.read();
    this.#end();
  }
}

interface Show {
  readonly push: (chunk: Buffer) => void;
  readonly end: () => void;
}

function shown(log: LogFile, write: Write): Show {
  const decoder = new TextDecoder();
  const lines = (all: readonly string[]): void => {
    if (all.length > 0) write(`${all.join("\n")}\n`);
  };
  if (!log.file.endsWith(".jsonl")) {
    const buffer = new LineBuffer();
    return {
      push: (chunk) => lines(buffer.push(decoder.decode(chunk, { stream: true }))),
      end: () => lines(buffer.flush()),
    };
  }
  const claude = new ClaudeWords();
  let pending = "";
  return {
    push: (chunk) => {
      const parts = (pending + decoder.decode(chunk, { stream: true })).split("\n");
      pending = (parts.pop() ?? "").slice(0, MAX_LINE_UNITS);
      for (const line of parts) lines(claude.of(line));
    },
    end: () => lines(claude.of(pending)),
  };
}

/** What Claude said and did, from its event stream, or from the entry of a recording that stood in for it. */
class ClaudeWords {
  readonly #turns = new LiveCounts();
  #said = "";

  of(line: string): readonly string[] {
    const event = asObject(parseJson(line));
    // A program of the user's that stands in for Claude prints what it likes.
    if (event === null) return safeLines(line.slice(0, 4000));
    const recorded = asArray(event["activity"]).map((each) => asObject(each) ?? {});
    const live = activitiesOf(event, this.#turns);
    const words = [...recorded, ...live].flatMap((activity) => this.#activity({ ...activity }));
    // The result repeats the last text as a rule.
    const result = asString(event["type"] === "result" ? event["result"] : event["text"]);
    return result === null ? words : [...words, ...this.#text(result)];
  }

  #activity(activity: JsonObject): readonly string[] {
    const text = (field: string): string => asString(activity[field]) ?? "";
    switch (activity["type"]) {
      case "text":
        return this.#text(text("text"));
      case "tool":
        return safeLines(`▸ ${text("name")} ${text("detail")}`.trimEnd());
      case "retry":
        return safeLines(text("message"));
      default:
        return [];
    }
  }

  #text(text: string): readonly string[] {
    if (text === this.#said) return [];
    this.#said = text;
    return safeLines(text);
  }
}
