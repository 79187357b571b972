import type { Reference } from "../reference.ts";
import { errorAt, type ShellProblem, type Span } from "./problem.ts";
import {
  type Context,
  type Site,
  HOLE,
  UNKNOWN,
  type Word,
  type Piped,
  type Input,
  type Command,
  type Recogniser,
} from "./scan-model.ts";

interface Refusal {
  readonly code: string;
  readonly why: string;
}

/** Each level costs a handful of JS frames; real scripts stay under ten. */
const MAX_DEPTH = 100;

/** The state of one pass over a text. It lives for that pass only. */
export class Scan {
  readonly text: string;
  readonly recognise: Recogniser;
  readonly sites: Site[] = [];
  readonly problems: ShellProblem[] = [];
  readonly commands: Command[] = [];
  readonly inputs: Input[] = [];
  /** What is piped into compound commands. */
  readonly compoundPipes: Piped[] = [];
  /** Plain names that the text itself sets. */
  readonly assigned = new Set<string>();
  pos = 0;
  /** No loop reads at or past it: the end of the text, of a backtick body or of a heredoc body. */
  end: number;
  word: Word | null = null;
  /** Why references are refused here, whatever their context. */
  refusal: Refusal | null = null;
  /** The first thing that could not be read; from then on `done` is true everywhere. */
  stopped: ShellProblem | null = null;
  private depth = 0;
  private readonly list: (scan: Scan, close: string) => void;

  constructor(text: string, recognise: Recogniser, list: (scan: Scan, close: string) => void) {
    this.text = text;
    this.recognise = recognise;
    this.list = list;
    this.end = text.length;
  }

  get done(): boolean {
    return this.pos >= this.end;
  }

  peek(ahead = 0): string {
    return this.pos + ahead < this.end ? (this.text[this.pos + ahead] ?? "") : "";
  }

  startsWith(what: string): boolean {
    return this.pos + what.length <= this.end && this.text.startsWith(what, this.pos);
  }

  /** Gives up: every loop sees the end from here on. */
  stop(code: string, message: string, at: number): void {
    this.stopped ??= errorAt({ start: at, end: Math.min(at + 1, this.text.length) }, code, message);
    this.end = -1;
  }

  /** Moves on by `count` characters, which are part of the word as they are. */
  take(count: number): void {
    if (this.word !== null) {
      this.word.literal += this.text.slice(this.pos, this.pos + count);
      this.word.end = this.pos + count;
    }
    this.pos += count;
  }

  /** Moves on by `count` characters that stand for `literal` in the word. */
  takeAs(literal: string, count: number): void {
    this.pos += count;
    this.mark(literal);
  }

  /** What was read up to here stands for `literal` in the word. */
  mark(literal: string): void {
    if (this.word === null) return;
    this.word.literal += literal;
    this.word.end = this.pos;
  }

  /** Takes characters up to the next one of `stops`. */
  takeUntil(stops: Uint8Array): void {
    let to = this.pos;
    while (to < this.end && stops[this.text.charCodeAt(to)] !== 1) to += 1;
    this.take(to - this.pos);
  }

  /** Runs `body` one level deeper with no word of its own. */
  nest(body: () => void): void {
    if (this.depth >= MAX_DEPTH) {
      this.stop("depth", `more than ${MAX_DEPTH} levels of nesting`, this.pos);
      return;
    }
    const { word, refusal } = this;
    this.depth += 1;
    body();
    this.depth -= 1;
    this.word = word;
    this.refusal = refusal;
  }

  /** A list of commands up to `close` ("" = the current end), with fresh quoting. */
  commandList(close: string): void {
    this.nest(() => {
      this.word = null;
      // bash expands the target of >& twice, so what a command in it prints is evaluated as well.
      if (this.refusal?.code !== "redir-dup") this.refusal = null;
      this.list(this, close);
    });
  }

  /** Runs `body` with everything past `limit` out of sight. */
  within(limit: number, body: () => void): void {
    const { end } = this;
    this.end = limit;
    body();
    if (this.stopped === null) this.end = end;
  }

  /** Runs `body` in a place where no reference can be right. */
  refusing(code: string, why: string, body: () => void): void {
    const { refusal } = this;
    this.refusal = { code, why };
    body();
    this.refusal = refusal;
  }

  /** Reads the reference at the current `$`, if it is one. */
  reference(context: Context): boolean {
    const found = this.recognise(this.pos);
    if (found === null) return false;
    if (found.problem !== null) this.problems.push(found.problem);
    const { reference, end } = found;
    if (reference === null) {
      if (end === this.pos) return false;
      this.takeAs(UNKNOWN, end - this.pos);
      return true;
    }
    this.place(reference, { start: this.pos, end }, context);
    this.pos = end;
    this.mark(reference.filter === "raw" ? UNKNOWN : HOLE);
    return true;
  }

  /** Reports every reference between here and `to`, which must not be used there, and moves on. */
  refuseUntil(to: number, code: string, why: string): void {
    this.refusing(code, why, () => {
      const escapes = code === "backtick";
      while (this.pos < to && !this.done) {
        const char = this.text[this.pos];
        if (escapes && char === "\\") this.pos += 2;
        else if (char !== "$" || !this.reference("bare")) this.pos += 1;
      }
    });
    if (this.stopped === null) this.pos = to;
  }

  /** Reports a raw reference in a place where even text is wrong. */
  refuseRaw(reference: Reference, code: string, why: string): void {
    this.problems.push(errorAt(reference, code, `${reference.text} ${why}`));
  }

  private place(reference: Reference, span: Span, context: Context): void {
    const { refusal, word } = this;
    if (refusal !== null && reference.filter !== "raw") {
      this.problems.push(errorAt(reference, refusal.code, `${reference.text} ${refusal.why}`));
      return;
    }
    const { start, end } = span;
    const place = context === "arith" ? null : word;
    const site: Site = { start, end, reference, context, word: place };
    this.sites.push(site);
    if (reference.filter !== "raw") word?.sites.push(site);
  }
}

/** A table for {@link Scan.takeUntil}. */
export function charTable(chars: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const char of chars) table[char.charCodeAt(0)] = 1;
  return table;
}
