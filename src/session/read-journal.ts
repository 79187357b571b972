/** Reads `journal.jsonl` back; what is damaged is told, never guessed (spec 7). */
import { isAscii, isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { MmmError } from "../errors.ts";
import { type JournalLine, JOURNAL_VERSION } from "./journal-line.ts";

interface JournalDamage {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

/** How far a journal can be believed. */
export interface JournalScan {
  /** Lines up to the first damage: only these may be replayed; the next line's `seq` is one more. */
  readonly sound: number;
  /** How long they are in the file. */
  readonly soundBytes: number;
  /** Whole lines after the first damage: for people, never for a replay. */
  readonly rest: readonly JournalLine[];
  readonly damage: readonly JournalDamage[];
  /** Bytes of a last line without its end: mmm was stopped while it wrote. No damage. */
  readonly torn: number;
}

export interface JournalContent extends JournalScan {
  /** The sound ones. */
  readonly lines: readonly JournalLine[];
}

/** Small enough for texts that the next collection of garbage takes: a journal may have hundreds of megabytes. */
const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The same as {@link scanJournal}, and every sound line at once. */
export function readJournal(file: string): JournalContent {
  const lines: JournalLine[] = [];
  return { ...scanJournal(file, (line) => lines.push(line)), lines };
}

/**
 * Hands out the sound lines in order; whoever keeps none of them needs no memory for them.
 * No file is an empty journal. Throws `MmmError` (exit 3): unreadable, or a newer mmm's.
 */
export function scanJournal(file: string, see: (line: JournalLine) => void): JournalScan {
  const reading = new Reading(file, see);
  const fd = open(file);
  if (fd === null) return reading.scan();
  try {
    let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let filled = 0;
    for (;;) {
      // A line longer than all of it.
      if (filled === buffer.length) buffer = Buffer.concat([buffer], filled * 2);
      const length = readSync(fd, buffer, filled, buffer.length - filled, null);
      if (length === 0) return reading.scan(filled);
      const left = reading.take(buffer.subarray(0, filled + length));
      buffer.copyWithin(0, filled + length - left, filled + length);
      filled = left;
    }
  } catch (error) {
    throw error instanceof MmmError ? error : unreadable(file, error);
  } finally {
    closeSync(fd);
  }
}

function open(file: string): number | null {
  let fd: number;
  try {
    // Not blocking: opening a pipe would wait for ever.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unreadable(file, error);
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw unreadable(file, new Error("it is not a file"));
}

function unreadable(file: string, cause: unknown): MmmError {
  return new MmmError("journal-unreadable", 3, {
    message: `cannot read the journal ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
    next: ["check that it can be read: ls -l"],
    cause,
  });
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** `null`: no UTF-8. Decoding would put U+FFFD in the place of broken bytes: an invention. */
function decoded(latin1: string): string | null {
  const bytes = Buffer.from(latin1, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : null;
}

/** A journal as far as it is read. */
class Reading {
  readonly #file: string;
  readonly #see: (line: JournalLine) => void;
  readonly #rest: JournalLine[] = [];
  readonly #damage: JournalDamage[] = [];
  #sound = 0;
  #soundBytes = 0;
  #count = 0;

  constructor(file: string, see: (line: JournalLine) => void) {
    this.#file = file;
    this.#see = see;
  }

  /** Returns how many bytes are left after the last whole line. */
  take(bytes: Buffer): number {
    const end = bytes.lastIndexOf(NEWLINE);
    if (end === -1) return bytes.length;
    const whole = bytes.subarray(0, end);
    const plain = isAscii(whole);
    // One text is much cheaper than many, and as latin1 it has a unit for each byte.
    for (const line of whole.toString("latin1").split("\n"))
      this.#line(plain || !BEYOND_ASCII.test(line) ? line : decoded(line), line.length);
    return bytes.length - end - 1;
  }

  scan(torn = 0): JournalScan {
    return {
      sound: this.#sound,
      soundBytes: this.#soundBytes,
      rest: this.#rest,
      damage: this.#damage,
      torn,
    };
  }

  /** @param text `null`: it cannot be decoded */
  #line(text: string | null, bytes: number): void {
    this.#count += 1;
    const line = text === null ? "it has bytes that are no UTF-8" : parse(text);
    if (typeof line === "string") {
      this.#damage.push({ line: this.#count, why: line });
      return;
    }
    if (line.v > JOURNAL_VERSION) throw newer(this.#file, line.v);
    if (this.#damage.length > 0) {
      this.#rest.push(line);
      return;
    }
    const next = this.#sound + 1;
    if (line.seq !== next) {
      this.#damage.push({ line: this.#count, why: `it is number ${line.seq}, and ${next} is due` });
      this.#rest.push(line);
      return;
    }
    this.#sound = next;
    this.#soundBytes += bytes + 1;
    this.#see(line);
  }
}

function newer(file: string, version: number): MmmError {
  return new MmmError("journal-newer", 3, {
    message: `${file} was written by a newer mmm: it has version ${version}, and this mmm knows ${JOURNAL_VERSION}`,
    next: ["use the newer mmm that wrote it"],
  });
}

/** The line, or why it is none. */
function parse(text: string): JournalLine | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is no JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no object";
  const line = value as Partial<Record<string, unknown>>; // Its stamp is checked below.
  const { v, seq, time, type } = line;
  if (!isCount(v)) return "it has no version";
  // Whatever else a newer mmm writes: its version is the word to say.
  if (v > JOURNAL_VERSION) return value as JournalLine;
  if (!isCount(seq)) return "it has no number";
  if (typeof time !== "string") return "it has no time";
  if (typeof type !== "string" || type === "") return "it has no type";
  if (type === "answer" && (typeof line["lane"] !== "string" || typeof line["call"] !== "string")) {
    return "it is an answer to no question";
  }
  return value as JournalLine; // What mmm wrote under that stamp.
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
