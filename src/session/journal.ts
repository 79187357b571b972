/** `journal.jsonl`: one event or answer a line, appended before the next thing happens (spec 7). */
import {
  closeSync,
  constants,
  fsyncSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { noRedactor, type Redactor } from "../lib/redact.ts";
import { isDiskFull, type Reserve } from "../process/reserve.ts";
import type { MmmError } from "../errors.ts";
import { diskError, writing } from "./disk.ts";
import { JOURNAL_VERSION, type JournalRecord } from "./journal-line.ts";
import { type JournalScan, scanJournal } from "./read-journal.ts";
import { damagedName, isTaken } from "./set-aside.ts";

export interface Journal {
  /** What was repaired when it was opened, as a sentence; `null` mostly. */
  readonly note: string | null;
  /** Throws `MmmError` (exit 3) when the line cannot be written: the run must not go on unrecorded. */
  append(record: JournalRecord): void;
  close(): void;
}

/** The disk, as tests see it fill up and lose power. */
export interface JournalDisk {
  /** Returns how many bytes from `at` on were taken. */
  write(fd: number, bytes: Buffer, at: number): number;
  sync(fd: number): void;
}

interface JournalOptions {
  /** What the file holds, if it has just been read. */
  readonly content?: JournalScan;
  readonly disk?: Partial<JournalDisk>;
  /** The last line of defence: answers of the world are written down too. */
  readonly redactor?: Redactor;
  /** Room for the last line, should the disk be full. */
  readonly reserve?: Reserve | null;
}

/**
 * Goes on after the last sound line. What follows it (a line cut short, damage) is moved to
 * `journal.jsonl.damaged-<n>` first.
 *
 * @param now stamps `time`, ISO 8601 in UTC.
 */
export function openJournal(
  file: string,
  now: () => Date,
  {
    content = scanJournal(file, () => undefined),
    disk = {},
    redactor = noRedactor,
    reserve = null,
  }: JournalOptions = {},
): Journal {
  const fd = writing(`open the journal ${file}`, () => openSync(file, APPEND));
  const note = writing(`repair the journal ${file}`, () => repair(file, fd, content));
  const lines = new Lines(file, fd, {
    seq: content.sound,
    bytes: content.soundBytes,
    write: disk.write ?? ((to, bytes, at) => writeSync(to, bytes, at)),
    sync: disk.sync ?? fdatasyncSync,
    reserve,
  });
  return {
    note,
    append: (record) => lines.append(redactor.value(record), now()),
    close: () => lines.close(),
  };
}

/** Appends also when it was cut short before; reading is for the repair. */
const APPEND = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;

class Lines {
  readonly #file: string;
  readonly #fd: number;
  readonly #disk: JournalDisk;
  readonly #reserve: Reserve | null;
  #seq: number;
  #bytes: number;
  /** Something that must not be lost in a power cut was written and not yet synced. */
  #precious = false;
  #broken: unknown = null;
  #hasFolder: boolean;

  constructor(
    file: string,
    fd: number,
    start: JournalDisk & {
      readonly seq: number;
      readonly bytes: number;
      readonly reserve: Reserve | null;
    },
  ) {
    this.#file = file;
    this.#fd = fd;
    this.#disk = start;
    this.#reserve = start.reserve;
    this.#seq = start.seq;
    this.#bytes = start.bytes;
    this.#hasFolder = start.bytes > 0;
  }

  append(record: JournalRecord, time: Date): void {
    // After a gap nothing that is written would be the truth any more.
    if (this.#broken !== null) throw this.#broken;
    const stamp = { v: JOURNAL_VERSION, seq: this.#seq + 1, time: time.toISOString() };
    const line = Buffer.from(`${JSON.stringify({ ...stamp, ...record })}\n`);
    try {
      writing(`write the journal ${this.#file}`, () => this.#put(record, line));
      if (this.#reserve?.isSpent === true) throw this.#roomIsGone();
    } catch (error) {
      this.#broken = error;
      this.#cut();
      if (isDiskFull(error) && this.#reserve?.release() === true) this.#lastWord(line, stamp.seq);
      throw error;
    }
  }

  #put(record: JournalRecord, line: Buffer): void {
    this.#write(line);
    this.#precious ||= isPrecious(record);
    if (!isMoment(record, this.#precious)) return;
    this.#sync();
    // Its outputs and commits are still to come.
    this.#precious = isPaid(record);
  }

  #write(line: Buffer): void {
    for (let at = 0; at < line.length;) at += this.#disk.write(this.#fd, line, at);
    this.#seq += 1;
    this.#bytes += line.length;
  }

  /** The run stops here, and what has just happened is known all the same: it may have been paid for. */
  #lastWord(line: Buffer, seq: number): void {
    try {
      if (this.#seq < seq) this.#write(line);
      this.#precious = true;
    } catch {
      this.#cut();
    }
  }

  /** Somebody else has needed the reserve. */
  #roomIsGone(): MmmError {
    this.#precious = true;
    return diskError(
      `go on after ${path.dirname(this.#file)} has used its reserve`,
      Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
    );
  }

  close(): void {
    try {
      if (this.#precious) this.#sync();
    } catch {
      // The run is over, or it was stopped by this very disk.
    }
    closeSync(this.#fd);
  }

  #sync(): void {
    this.#disk.sync(this.#fd);
    if (this.#hasFolder) return;
    this.#hasFolder = true;
    syncFolder(path.dirname(this.#file));
  }

  /** Takes half a line back, so that the file stays readable as it is. */
  #cut(): void {
    try {
      ftruncateSync(this.#fd, this.#bytes);
    } catch {
      // The next one who opens it cuts it.
    }
  }
}

/** What cost money or made history survives a power cut; the rest survives a kill. */
function isPrecious(record: JournalRecord): boolean {
  if (record.type === "commit-made" || isPaid(record)) return true;
  if (record.type !== "attempt-finished" && record.type !== "run-failed") return false;
  return record.at.kind === "claude";
}

/** Claude was paid for this answer: outputs and commit may still fail, or the power. */
function isPaid(record: JournalRecord): boolean {
  return record.type === "answer" && /^claude\b/.test(record.call);
}

function isMoment(record: JournalRecord, precious: boolean): boolean {
  if (record.type === "session-finished" || isPaid(record)) return true;
  return precious && record.type === "step-finished";
}

/** Returns a word about what it has moved away; `null`: nothing. */
function repair(file: string, fd: number, content: JournalScan): string | null {
  const { soundBytes, torn, damage, rest } = content;
  if (torn === 0 && damage.length === 0) return null;
  const aside = moveEnd(file, fd, soundBytes);
  const [first] = damage;
  if (first === undefined)
    return `the last line of ${file} was cut short; its ${torn} bytes are kept as ${aside}`;
  const lost = rest.length === 0 ? "" : `, with ${rest.length} readable lines after it`;
  return `${file} is damaged at line ${first.line} (${first.why}); from there on it is kept as ${aside}${lost}`;
}

/** Copies before it cuts: whatever happens between, nothing is lost. */
function moveEnd(file: string, fd: number, from: number): string {
  const { aside, to } = openFree(file);
  try {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    for (let at = from; ;) {
      const length = readSync(fd, chunk, 0, chunk.length, at);
      if (length === 0) break;
      for (let done = 0; done < length;) done += writeSync(to, chunk, done, length - done);
      at += length;
    }
    fsyncSync(to);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  } finally {
    closeSync(to);
  }
  ftruncateSync(fd, from);
  return aside;
}

function openFree(file: string): { readonly aside: string; readonly to: number } {
  for (let n = 1; ; n += 1) {
    const aside = damagedName(file, n);
    try {
      return { aside, to: openSync(aside, "wx") };
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
}

/** A file that is synced in a folder that is not can be gone after a power cut. */
function syncFolder(folder: string): void {
  try {
    for (const each of [folder, path.dirname(folder)]) {
      const fd = openSync(each, "r");
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    }
  } catch {
    // Not every file system can; the file itself is synced all the same.
  }
}
