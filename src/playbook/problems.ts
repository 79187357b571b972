import { nearest } from "../lib/nearest.ts";
import type { Diagnostic, Range } from "./diagnostic.ts";

const TOO_MANY = 1000;

/** Collects what is wrong with one playbook; nothing is thrown, reading goes on. */
export class Problems {
  /** By place and message: what an alias or `defaults` brings to many steps is told once. */
  readonly #found = new Map<string, Diagnostic>();

  readonly #spoiled = new Set<string>();
  readonly #end: number;
  readonly #errors: Diagnostic[] = [];

  /** @param end of the text: the parser's own places can lie behind it. */
  constructor(end: number) {
    this.#end = end;
  }

  /** What stands there is reported and means nothing: no more is said about it. */
  spoil(range: Range): void {
    this.#spoiled.add(`${range.start} ${range.end}`);
  }

  error(code: string, range: Range, message: string, more: More = {}): void {
    this.#add({ code, severity: "error", message, range, ...more });
  }

  note(code: string, range: Range, message: string, more: More = {}): void {
    this.#add({ code, severity: "note", message, range, ...more });
  }

  /** So many errors that what is left need not be looked at: the file is noise. Notes do not count. */
  get areTooMany(): boolean {
    return this.#errors.length >= TOO_MANY;
  }

  get areNone(): boolean {
    return this.#found.size === 0;
  }

  get hasErrors(): boolean {
    return this.#errors.length > 0;
  }

  get errorCount(): number {
    return this.#errors.length;
  }

  /** Errors found after the first `count` ones, in the order found. */
  errorsFrom(count: number): readonly Diagnostic[] {
    return this.#errors.slice(count);
  }

  /** In the order of their places; of several at one place, in the order found. */
  get sorted(): readonly Diagnostic[] {
    return [...this.#found.values()].toSorted((a, b) => a.range.start - b.range.start);
  }

  #add(given: Diagnostic): void {
    const start = Math.min(given.range.start, this.#end);
    const end = Math.max(start, Math.min(given.range.end, this.#end));
    const problem = { ...given, range: { start, end } };
    const place = `${problem.range.start} ${problem.range.end}`;
    const key = `${place} ${problem.message}`;
    if (this.#spoiled.has(place)) return;
    if (this.#found.has(key)) return;
    this.#found.set(key, problem);
    if (problem.severity === "error") this.#errors.push(problem);
  }
}

type More = Pick<Diagnostic, "help" | "related">;

/** `help` when there is something near, else nothing: to spread into a problem. */
export function didYouMean(word: string, candidates: Iterable<string>): { help?: string } {
  const found = nearest(word, candidates);
  return found === null ? {} : { help: `did you mean \`${found}\`?` };
}

/** The first character of a range: the place of something missing (spec section 2). */
export function firstCharacter(range: Range): Range {
  return { start: range.start, end: Math.min(range.end, range.start + 1) };
}
