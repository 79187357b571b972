/** What of a call is kept where: events, log, text (spec 6.4, 11). */
import * as fs from "node:fs";
import { LogFile, Tail } from "../process/output.ts";
import type { StreamSummary } from "./event-stream.ts";
import { EventsFile } from "./events-file.ts";

/** Of a text in memory (spec 11). */
const MAX_TEXT_BYTES = 1024 * 1024;
const COPY_BYTES = 64 * 1024;

interface Kept {
  readonly text: string;
  readonly textFile: string;
  readonly tail: string;
}

export class Keeper {
  readonly #eventsFile: string;
  readonly #events: EventsFile;
  readonly #log: LogFile;
  readonly #errors = new Tail();

  constructor(eventsFile: string, logFile: string) {
    this.#eventsFile = eventsFile;
    this.#events = new EventsFile(eventsFile);
    this.#log = new LogFile(logFile);
  }

  /** @throws MmmError `log-unwritable`, as all of these do. */
  stdout(chunk: Buffer): void {
    this.#events.write(chunk);
  }

  stderr(chunk: Buffer): void {
    this.#errors.push(chunk);
    this.#log.write(chunk);
  }

  /**
   * Once, when the process is gone. The log gets the text behind what was on stderr.
   *
   * @param wantsStructure the answer that fits the schema is the text.
   */
  finish(summary: StreamSummary, wantsStructure = false): Kept {
    // Lines that were too long to be read are events all the same.
    const isPlain = summary.events === 0 && summary.cutLines === 0;
    const half = this.#events.end(isPlain);
    if (half !== null) this.#note("the event stream was cut off in", half);
    const structured = wantsStructure ? (summary.result?.structured ?? null) : null;
    const kept = isPlain ? this.#plainText() : this.#resultText(summary, structured);
    this.#log.close();
    const errors = this.#errors.text();
    const tail = [errors, kept.text, summary.plain].find((text) => text.trim() !== "") ?? "";
    return { ...kept, tail };
  }

  #resultText({ result }: StreamSummary, structured: string | null): Omit<Kept, "tail"> {
    const text = structured ?? result?.text ?? result?.errors.join("\n") ?? "";
    const bytes = Buffer.from(text);
    const textFile = `${this.#eventsFile.replace(/\.jsonl$/, "")}.txt`;
    const file = new LogFile(textFile);
    file.write(bytes);
    file.close();
    if (bytes.length > 0) this.#note(null, bytes);
    return { text: endOf(bytes), textFile };
  }

  /** The output is its own text; nothing was held back from its file. */
  #plainText(): Omit<Kept, "tail"> {
    const tail = new Tail(MAX_TEXT_BYTES);
    const descriptor = fs.openSync(this.#eventsFile, "r");
    try {
      const buffer = Buffer.alloc(COPY_BYTES);
      for (;;) {
        const size = fs.readSync(descriptor, buffer, 0, buffer.length, null);
        if (size === 0) break;
        tail.push(buffer.subarray(0, size));
        this.#log.write(buffer.subarray(0, size));
      }
    } finally {
      fs.closeSync(descriptor);
    }
    return { text: tail.text(), textFile: this.#eventsFile };
  }

  #note(title: string | null, bytes: Buffer): void {
    if (title !== null) this.#log.write(Buffer.from(`${title}: `));
    this.#log.write(bytes);
    if (bytes.at(-1) !== 0x0a) this.#log.write(Buffer.from("\n"));
  }
}

function endOf(bytes: Buffer): string {
  const tail = new Tail(MAX_TEXT_BYTES);
  tail.push(bytes);
  return tail.text();
}
