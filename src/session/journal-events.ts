/** `journal.jsonl` line by line, in memory bounded by one line: it may be torn, damaged, and being written. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { asObject, type JsonObject, parseJson } from "../lib/json.ts";

const CHUNK_BYTES = 256 * 1024;
/** No line of mmm's is longer; one that is would fill the memory. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const NEWLINE = 10;

/** Answers of the world, kept for `mmm resume`: nothing that happened. Always in the head of their line. */
const ANSWER = /^\{[^{}]{0,300}"type":"answer"/;

export class JournalReader {
  /** Lines that are no events; one without an end that is still the last is not counted. */
  damaged = 0;
  readonly #file: string;
  /** Bytes of whole lines that were read. */
  #at = 0;

  /** Opens nothing yet. */
  constructor(file: string) {
    this.#file = file;
  }

  /** The events since the last call; none when there is no such file. */
  *events(): Generator<JsonObject> {
    let fd: number;
    try {
      // Opening a pipe would wait for ever.
      if (!statSync(this.#file).isFile()) return;
      fd = openSync(this.#file, "r");
    } catch {
      return;
    }
    try {
      yield* this.#lines(fd);
    } finally {
      closeSync(fd);
    }
  }

  *#lines(fd: number): Generator<JsonObject> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let pending: Buffer[] = [];
    let pendingBytes = 0;
    let at = this.#at;
    for (;;) {
      const bytes = readSync(fd, chunk, 0, CHUNK_BYTES, at);
      if (bytes === 0) return;
      let from = 0;
      for (let end = 0; (end = chunk.subarray(0, bytes).indexOf(NEWLINE, from)) !== -1;) {
        const line =
          pendingBytes > MAX_LINE_BYTES
            ? null
            : Buffer.concat([...pending, chunk.subarray(from, end)]).toString("utf8");
        pending = [];
        pendingBytes = 0;
        from = end + 1;
        this.#at = at + from;
        const event = line === null ? null : this.#event(line);
        if (event !== null) yield event;
        else if (line === null) this.damaged += 1;
      }
      pendingBytes += bytes - from;
      if (pendingBytes > MAX_LINE_BYTES) pending = [];
      else pending.push(Buffer.from(chunk.subarray(from, bytes)));
      at += bytes;
    }
  }

  #event(line: string): JsonObject | null {
    if (line.trim() === "" || ANSWER.test(line)) return null;
    const event = asObject(parseJson(line));
    if (event === null) this.damaged += 1;
    return event;
  }
}
