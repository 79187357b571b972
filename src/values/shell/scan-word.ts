import { backtick, doubleQuoted, expansion, singleQuoted } from "./scan-expansion.ts";
import type { Role, Word } from "./scan-model.ts";
import { charTable, type Scan } from "./scan-state.ts";

/** Characters that end a word when they stand bare. */
export const WORD_END = " \t\n;&|<>()";

const PLAIN_STOP = charTable(`${WORD_END}\\'"$\``);
const ASSIGNMENT = /[A-Za-z_]\w*(?:\[[^\]'"\\`(){}\n]{0,200}\])?\+?=/y;

/** Reads one word. With `arrays`, `name=(…)` is part of it. Never empty-handed unless at the end or at a metacharacter. */
export function readWord(scan: Scan, role: Role, arrays = false): Word {
  const outer = scan.word;
  const start = scan.pos;
  const word: Word = { start, end: start, literal: "", quoted: false, role, sites: [] };
  scan.word = word;
  while (!scan.done) {
    const char = scan.peek();
    if (
      char === "(" &&
      arrays &&
      scan.text[scan.pos - 1] === "=" &&
      assignmentLength(scan, word) === scan.pos - start
    ) {
      array(scan);
      word.end = scan.pos;
    } else if (WORD_END.includes(char)) break;
    else piece(scan, word, char);
  }
  scan.word = outer;
  return word;
}

/** Length of the `NAME=`, `NAME+=` or `NAME[…]=` a word begins with as it stands in the text; 0 without one. */
export function assignmentLength(scan: Scan, word: Word): number {
  ASSIGNMENT.lastIndex = word.start;
  return ASSIGNMENT.exec(scan.text)?.[0].length ?? 0;
}

/** Skips blanks and line continuations; newlines too when asked. */
export function skipBlanks(scan: Scan, newlines = false): void {
  while (!scan.done) {
    const char = scan.peek();
    if (char === " " || char === "\t" || (newlines && char === "\n")) scan.pos += 1;
    else if (char === "\\" && scan.peek(1) === "\n") scan.pos += 2;
    else return;
  }
}

/** Skips a comment; its end is a newline or the limit, which stays. */
export function comment(scan: Scan): void {
  // No indexOf: past a limit it would run to the next newline, time and again.
  while (!scan.done && scan.peek() !== "\n") {
    const raw = scan.peek() === "$" ? scan.recognise(scan.pos) : null;
    if (raw?.reference?.filter === "raw") {
      scan.refuseRaw(
        raw.reference,
        "comment",
        "stands in a comment, which a newline in the value would end",
      );
    }
    scan.pos += 1;
  }
}

function piece(scan: Scan, word: Word, char: string): void {
  if (char === "\\") {
    const next = scan.peek(1);
    if (next === "\n") {
      scan.pos += 2;
      return;
    }
    word.quoted = true;
    scan.takeAs(next === "" ? "\\" : next, next === "" ? 1 : 2);
  } else if (char === "'" || char === '"') {
    word.quoted = true;
    if (char === "'") singleQuoted(scan, "sq");
    else doubleQuoted(scan);
  } else if (char === "$") expansion(scan, "bare");
  else if (char === "`") backtick(scan);
  else scan.takeUntil(PLAIN_STOP);
}

function array(scan: Scan): void {
  const open = scan.pos;
  scan.nest(() => {
    scan.pos += 1;
    while (!scan.done && scan.peek() !== ")") {
      skipBlanks(scan, true);
      if (scan.peek() === "#") comment(scan);
      else if (scan.peek() !== ")" && !scan.done) element(scan, open);
    }
  });
  if (scan.done) scan.stop("unterminated", "unterminated array (", open);
  else scan.pos += 1;
}

function element(scan: Scan, open: number): void {
  const element = readWord(scan, "argument");
  if (scan.pos === element.start) scan.stop("paren", `unexpected ${scan.peek()} in an array`, open);
  // `([ ${x} ]=1)`: bash reads the subscript past blanks and evaluates it.
  if (element.literal.startsWith("[") && !/^\[[^\]\0]*\]/.test(element.literal)) {
    scan.stop("subscript", "an array subscript that cannot be read", element.start);
  }
}
