/** What a scan of a shell text finds: references with the places that decide their form, and the commands around them. */
import type { Reference } from "../reference.ts";
import type { ShellProblem, Span } from "./problem.ts";

/** The quoting in force where a reference stands. */
export type Context = "bare" | "dq" | "sq" | "ansi" | "heredoc" | "arith";

/** What a word is to the shell. */
export type Role =
  | "command"
  | "argument"
  | "assignment"
  | "redirection"
  | "case-subject"
  | "pattern"
  | "for-word"
  | "here-string"
  | "heredoc";

/** A reference found in a text, with all that decides its form. */
export interface Site extends Span {
  readonly reference: Reference;
  readonly context: Context;
  /** The word or heredoc body it stands in; null inside arithmetic. */
  readonly word: Word | null;
}

/** In `literal`: a reference. Cannot collide, a text with NUL is refused. */
export const HOLE = "\0";
/** In `literal`: any other expansion, whose text is not known. */
export const UNKNOWN = "\u0001";

export interface Word {
  readonly start: number;
  /** Offset after the last character that belongs to it (line continuations do not). */
  end: number;
  /** The text after quote removal, with {@link HOLE} and {@link UNKNOWN} for what is not literal. */
  literal: string;
  quoted: boolean;
  role: Role;
  readonly sites: Site[];
}

/** The left side of a pipe: a range of indexes into the sites, and of offsets in the text. */
export interface Piped extends Span {
  readonly from: number;
  readonly to: number;
}

/** Text that reaches a standard input, opened by `<<` or `<<<` at `at`. */
export interface Input {
  readonly at: number;
  readonly word: Word;
  readonly command: Command;
}

/** A simple command, or the head of a compound one. */
export interface Command {
  kind: "simple" | "conditional" | "for" | "case" | "function";
  readonly words: Word[];
  readonly assignments: Word[];
  /** Texts that reach its standard input: heredoc bodies and here-strings. */
  readonly inputs: Word[];
  /** Words after `<`, `>` and the like. */
  readonly targets: Word[];
  /** What stands left of the `|` before this command. */
  readonly piped: Piped | null;
  readonly firstSite: number;
  hasHeredoc: boolean;
}

/** What the scanner is told about a `$`. */
export interface Recognised {
  /** Null when the `$` only earned a problem. */
  readonly reference: Reference | null;
  readonly end: number;
  readonly problem: ShellProblem | null;
}

export type Recogniser = (offset: number) => Recognised | null;
