/** What of a call is kept where: events, log, text (spec 6.4, 11). */
import * as fs from "node:fs";
import { noRedactor, type Redactor, type RedactStream } from "../lib/redact.ts";
import { LogFile, Tail } from "../process/output.ts";
import { isDiskFull, type Reserve } from "../process/reserve.ts";
import type { StreamSummary } from "./event-stream.ts";
import { EventsFile } from "./events-file.ts";

/** Of a text in memory (spec 11). */
const MAX_TEXT_BYTES = 1024 * 1024;
const COPY_BYTES = 64 * 1024;

interface Kept {
  readonly text: string;
  readonly textFile: string;
  readonly tail: string;
  /** Was there a secret anywhere? */
  readonly masked: boolean;
}

interface KeeperOptions {
  readonly redactor?: Redactor;
  /** `null`: a full disk ends the call, and its answer is lost. */
  readonly reserve?: Reserve | null;
}

export class Keeper {
  readonly #eventsFile: string;
  readonly #events: EventsFile;
  readonly #log: LogFile;
  readonly #errors = new Tail();
  readonly #redactor: Redactor;
  readonly #redact: { readonly stdout: RedactStream; readonly stderr: RedactStream };

  readonly #reserve: Reserve | null;
  /** The disk's word for it: from then on only the answer is kept, at the end, in the reserve. */
  #full: unknown = null;

  constructor(
    eventsFile: string,
    logFile: string,
    { redactor = noRedactor, reserve = null }: KeeperOptions = {},
  ) {
    this.#redactor = redactor;
    this.#reserve = reserve;
    this.#redact = { stdout: redactor.stream(), stderr: redactor.stream() };
    this.#eventsFile = eventsFile;
    this.#events = new EventsFile(eventsFile);
    this.#log = new LogFile(logFile);
  }

  /** @throws MmmError `log-unwritable`, as all of these do. */
  stdout(chunk: Buffer): void {
    const masked = asBuffer(this.#redact.stdout.push(chunk));
    this.#whileRoom(() => this.#events.write(masked));
  }

  /** What Claude is being paid for goes on when only its events cannot be kept. */
  #whileRoom(write: () => void): void {
    if (this.#full !== null) return;
    try {
      write();
    } catch (error) {
      if (!isDiskFull(error) || this.#reserve?.isKept !== true) throw error;
      this.#full = error;
    }
  }

  stderr(chunk: Buffer): void {
    this.#keepError(asBuffer(this.#redact.stderr.push(chunk)));
  }

  #keepError(masked: Buffer): void {
    this.#errors.push(masked);
    this.#whileRoom(() => this.#log.write(masked));
  }

  /**
   * Once, when the process is gone. The log gets the text behind what was on stderr.
   *
   * @param wantsStructure the answer that fits the schema is the text.
   */
  finish(summary: StreamSummary, wantsStructure = false): Kept {
    const last = asBuffer(this.#redact.stdout.end());
    this.#whileRoom(() => this.#events.write(last));
    this.#keepError(asBuffer(this.#redact.stderr.end()));
    // Lines that were too long to be read are events all the same.
    const isPlain = summary.events === 0 && summary.cutLines === 0;
    this.#whileRoom(() => {
      const half = this.#events.end(isPlain);
      if (half !== null) this.#note("the event stream was cut off in", half);
    });
    if (this.#full !== null) this.#useReserve(isPlain);
    const structured = wantsStructure ? (summary.result?.structured ?? null) : null;
    const kept = isPlain ? this.#plainText() : this.#resultText(summary, structured);
    this.#log.close();
    const errors = this.#errors.text();
    const tail = [errors, kept.text, summary.plain].find((text) => text.trim() !== "") ?? "";
    const masked = this.#redact.stdout.masked || this.#redact.stderr.masked;
    return { ...kept, tail, masked };
  }

  #useReserve(isPlain: boolean): void {
    this.#reserve?.release();
    this.#events.abandon();
    // Without events the file was the answer, and a part of it is none.
    if (isPlain) throw this.#full;
  }

  #resultText(
    { result }: StreamSummary,
    structured: string | null,
  ): Pick<Kept, "text" | "textFile"> {
    const said = structured ?? result?.text ?? result?.errors.join("\n") ?? "";
    const text = this.#redactor.text(said);
    const bytes = Buffer.from(text);
    const textFile = `${this.#eventsFile.replace(/\.jsonl$/, "")}.txt`;
    const file = new LogFile(textFile);
    file.write(bytes);
    file.close();
    if (bytes.length > 0) this.#note(null, bytes);
    return { text: endOf(bytes), textFile };
  }

  /** The output is its own text; nothing was held back from its file. */
  #plainText(): Pick<Kept, "text" | "textFile"> {
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

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function endOf(bytes: Buffer): string {
  const tail = new Tail(MAX_TEXT_BYTES);
  tail.push(bytes);
  return tail.text();
}
