/** Where output goes: whole to disk, its end to memory (spec 11). */
import { closeSync, openSync, writeSync } from "node:fs";

import { MmmError } from "../errors.ts";

/** 64 KiB: enough for a test summary, small enough for a prompt. */
export const TAIL_BYTES = 64 * 1024;

/** Keeps the last bytes of a stream in a ring. */
export class Tail {
  readonly #maxBytes: number;
  /** Made at the first byte: most steps print little or nothing. */
  #ring: Buffer | null = null;
  #total = 0;

  constructor(maxBytes: number = TAIL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes seen, kept or not. */
  get total(): number {
    return this.#total;
  }

  push(chunk: Buffer): void {
    this.#ring ??= Buffer.allocUnsafe(this.#maxBytes);
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#maxBytes));
    const at = (this.#total + chunk.length - kept.length) % this.#maxBytes;
    const head = kept.copy(this.#ring, at);
    kept.copy(this.#ring, 0, head);
    this.#total += chunk.length;
  }

  /** As text, from the first whole character on; bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    if (this.#ring === null) return "";
    if (this.#total <= this.#maxBytes) return this.#ring.toString("utf8", 0, this.#total);
    const at = this.#total % this.#maxBytes;
    const bytes = Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
    let start = 0;
    // A cut character leaves at most three bytes of the form 10xxxxxx.
    while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return bytes.toString("utf8", start);
  }
}

/**
 * A log on disk. Written synchronously: nothing piles up in memory, a full disk is known at the very
 * chunk, and the order of two streams is the order of arrival.
 */
export class LogFile {
  readonly #file: string;
  #descriptor: number | null = null;
  #wasOpened = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws MmmError `log-unwritable` (exit 3). */
  write(chunk: Buffer): void {
    this.#guard(() => {
      this.#descriptor ??= this.#open();
      for (let at = 0; at < chunk.length;) {
        at += writeSync(this.#descriptor, chunk, at);
      }
    });
  }

  /** Opens the file ahead of the first byte; what goes wrong is told by the next `write` or `close`. */
  prepare(): void {
    try {
      this.#descriptor ??= this.#open();
    } catch {
      // Tried again when it is needed.
    }
  }

  /** After this the file exists, empty if nothing was written; a later `write` goes on at its end. */
  close(): void {
    this.#guard(() => {
      const descriptor = this.#descriptor ?? (this.#wasOpened ? null : this.#open());
      this.#descriptor = null;
      if (descriptor !== null) closeSync(descriptor);
    });
  }

  #open(): number {
    const descriptor = openSync(this.#file, this.#wasOpened ? "a" : "w");
    this.#wasOpened = true;
    return descriptor;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw logUnwritable(this.#file, error);
    }
  }
}

/** The surroundings do not fit (spec 1.1): a disk that is full or read-only. */
export function logUnwritable(file: string, cause: unknown): MmmError {
  const code = (cause as NodeJS.ErrnoException).code;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MmmError("log-unwritable", 3, {
    message: `cannot write the log ${file}: ${code === "ENOSPC" ? "the disk is full" : reason}`,
    next: [
      code === "ENOSPC"
        ? "make room (old sessions lie in .mmm/sessions), then run it again"
        : "make its folder writable, then run it again",
    ],
    cause,
  });
}
