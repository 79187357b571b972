import { nearest } from "../lib/nearest.ts";
import type { Diagnostic, Range } from "./diagnostic.ts";

const TOO_MANY = 1000;

/** Collects what is wrong with one playbook; nothing is thrown, reading goes on. */
export class Problems {
  /** By place and message: what an alias or `defaults` brings to many steps is told once. */
  readonly #found = new Map<string, Diagnostic>();

  readonly #spoiled = new Set<string>();

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

  /** So many that what is left need not be looked at: the file is noise. */
  get areTooMany(): boolean {
    return this.#found.size >= TOO_MANY;
  }

  get hasErrors(): boolean {
    return [...this.#found.values()].some(({ severity }) => severity === "error");
  }

  /** In the order of their places; of several at one place, in the order found. */
  get sorted(): readonly Diagnostic[] {
    return [...this.#found.values()].toSorted((a, b) => a.range.start - b.range.start);
  }

  #add(problem: Diagnostic): void {
    const place = `${problem.range.start} ${problem.range.end}`;
    const key = `${place} ${problem.message}`;
    if (this.#spoiled.has(place)) return;
    if (!this.#found.has(key)) this.#found.set(key, problem);
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
