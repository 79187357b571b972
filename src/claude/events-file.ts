/** Keeps the event stream on disk as it comes (spec 6.4). */
import { LogFile } from "../process/output.ts";
import { parseJson } from "../lib/json.ts";

/** An unfinished line longer than this goes to disk unfinished: memory stays bounded. */
const MAX_HELD_BYTES = 1024 * 1024;

/**
 * Whole lines only, each at once: whatever is killed and whenever, each line of the file can be read (F10).
 */
export class EventsFile {
  readonly #file: LogFile;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The line under way has partly been written. */
  #midLine = false;

  constructor(file: string) {
    this.#file = new LogFile(file);
  }

  write(chunk: Buffer): void {
    const end = chunk.lastIndexOf(0x0a) + 1;
    if (end > 0) {
      this.#flush();
      this.#file.write(chunk.subarray(0, end));
      this.#midLine = false;
    }
    if (end < chunk.length) this.#hold(chunk.subarray(end));
  }

  /**
   * The stream is over. @returns half an event that was left, which the file does not get.
   * @param isPlain the program prints no events: its last line needs no newline and no sense.
   */
  end(isPlain: boolean): Buffer | null {
    const rest = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    const isWhole = isPlain || this.#midLine || parseJson(rest.toString("utf8")) !== undefined;
    if (rest.length > 0 && isWhole) this.#file.write(rest);
    if (!isPlain && (this.#midLine || (rest.length > 0 && isWhole))) this.#file.write(NEWLINE);
    this.#midLine = false;
    this.#file.close();
    return rest.length > 0 && !isWhole ? rest : null;
  }

  /** What is held back is lost: there is no room for it. */
  abandon(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#file.close();
  }

  #hold(piece: Buffer): void {
    // Copied: a piece of a pooled chunk would keep the whole chunk alive.
    this.#held.push(Buffer.from(piece));
    this.#heldBytes += piece.length;
    if (this.#heldBytes > MAX_HELD_BYTES || this.#midLine) this.#flush();
  }

  #flush(): void {
    if (this.#heldBytes === 0) return;
    this.#file.write(Buffer.concat(this.#held));
    this.#held = [];
    this.#heldBytes = 0;
    this.#midLine = true;
  }
}

const NEWLINE = Buffer.from("\n");
