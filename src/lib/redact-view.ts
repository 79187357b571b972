/** One way to read a stream of bytes while secrets are looked for. Positions count from the stream's start. */
import type { Matcher } from "./matcher.ts";

/** `end`: after the last byte. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface View {
  push(byte: number, at: number): void;
  /** From here on the bytes may belong to something that is not there in full yet. */
  pendingFrom(): number;
}

export interface Reading {
  readonly matcher: Matcher;
  readonly found: (span: Span) => void;
  /** Bytes that will come at most; `Infinity`: not known. */
  readonly length: number;
}

/** Walks a matcher over what a view makes of the bytes, and remembers where each of them began. */
class Track {
  readonly #matcher: Matcher;
  readonly #found: (span: Span) => void;
  readonly #starts: Float64Array;
  readonly #mask: number;
  #count = 0;
  #state = 0;

  constructor({ matcher, found, length }: Reading) {
    this.#matcher = matcher;
    this.#found = found;
    let size = 2;
    while (size <= Math.min(matcher.longestPattern, length)) size *= 2;
    this.#starts = new Float64Array(size);
    this.#mask = size - 1;
  }

  get isIdle(): boolean {
    return this.#state === 0;
  }

  reset(): void {
    this.#state = 0;
  }

  feed(byte: number, start: number, end: number): void {
    const state = this.#matcher.step(this.#state, byte);
    this.#state = state;
    if (state === 0) return;
    this.#starts[this.#count & this.#mask] = start;
    this.#count += 1;
    const length = this.#matcher.matched(state);
    if (length > 0) this.#found({ start: this.#startOf(length), end });
  }

  pendingFrom(): number {
    return this.#state === 0 ? Infinity : this.#startOf(this.#matcher.depth(this.#state));
  }

  #startOf(length: number): number {
    return this.#starts[(this.#count - length) & this.#mask] ?? 0;
  }
}

/** The bytes as they are. */
export class PlainView implements View {
  readonly #track: Track;

  constructor(reading: Reading) {
    this.#track = new Track(reading);
  }

  push(byte: number, at: number): void {
    this.#track.feed(byte, at, at + 1);
  }

  pendingFrom(): number {
    return this.#track.pendingFrom();
  }
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BACKSLASH = 0x5c;
/** `\r\n`, escaped once or twice. */
const MAX_SKIPPED = 12;

/** Both alphabets are one, and line ends inside are skipped: encoders fold lines, and JSON escapes that. */
export class Base64View implements View {
  readonly #track: Track;
  #skipped = 0;
  #isEscape = false;

  constructor(reading: Reading) {
    this.#track = new Track(reading);
  }

  push(byte: number, at: number): void {
    if (!this.#track.isIdle && this.#skips(byte)) {
      this.#skipped += 1;
      if (this.#skipped > MAX_SKIPPED) this.#track.reset();
      return;
    }
    if (this.#isEscape) this.#track.reset();
    this.#isEscape = false;
    this.#skipped = 0;
    this.#track.feed(byte === 0x2d ? 0x2b : byte === 0x5f ? 0x2f : byte, at, at + 1);
  }

  pendingFrom(): number {
    return this.#track.pendingFrom();
  }

  #skips(byte: number): boolean {
    if (this.#isEscape && (byte === 0x6e || byte === 0x72)) {
      this.#isEscape = false;
      return true;
    }
    if (byte === BACKSLASH) this.#isEscape = true;
    return byte === BACKSLASH || (!this.#isEscape && (byte === NEWLINE || byte === RETURN));
  }
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/** `%41` is `A` and `+` a space, whatever the encoder left as it is. */
export class PercentView implements View {
  readonly #track: Track;
  /** Where a `%` began whose digits are to come; `null`: none did. */
  #open: number | null = null;
  #digit = -1;

  constructor(reading: Reading) {
    this.#track = new Track(reading);
  }

  push(byte: number, at: number): void {
    const open = this.#open;
    if (open === null) {
      if (byte === PERCENT) this.#open = at;
      else this.#feed(byte, at, at + 1);
      return;
    }
    const first = this.#digit;
    if (first === -1 && valueOf(byte) !== -1) {
      this.#digit = byte;
      return;
    }
    this.#open = null;
    this.#digit = -1;
    if (first !== -1 && valueOf(byte) !== -1) {
      this.#feed(valueOf(first) * 16 + valueOf(byte), open, at + 1);
      return;
    }
    // No escape: a percent sign like any other letter.
    this.#feed(PERCENT, open, open + 1);
    if (first !== -1) this.#feed(first, open + 1, open + 2);
    this.push(byte, at);
  }

  pendingFrom(): number {
    return Math.min(this.#track.pendingFrom(), this.#open ?? Infinity);
  }

  #feed(byte: number, start: number, end: number): void {
    this.#track.feed(byte === PLUS ? SPACE : byte, start, end);
  }
}

/** The value of a hexadecimal digit; -1: it is none. */
function valueOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
