import { quotedUnit } from "./scan-expansion.ts";
import { skipBlanks, WORD_END } from "./scan-word.ts";
import type { Command, Word } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";

/** A heredoc whose body begins after the line's newline. */
export interface Heredoc {
  readonly delimiter: string;
  readonly quoted: boolean;
  /** `<<-`: leading tabs do not count. */
  readonly strips: boolean;
  readonly command: Command;
  readonly at: number;
}

/** Reads the delimiter; the position is after `<<` or `<<-`. Null when it cannot be one. */
export function heredocDelimiter(scan: Scan, command: Command, at: number): Heredoc | null {
  const strips = scan.text[scan.pos - 1] === "-";
  skipBlanks(scan);
  let delimiter = "";
  let quoted = false;
  const start = scan.pos;
  while (!scan.done && !WORD_END.includes(scan.peek())) {
    const char = scan.peek();
    if (char === "$" || char === "`") return badDelimiter(scan);
    if (char === "'" || char === '"') {
      const close = scan.text.indexOf(char, scan.pos + 1);
      const inside =
        close === -1 || close >= scan.end ? null : scan.text.slice(scan.pos + 1, close);
      if (inside === null || /[$`\\\n]/.test(inside)) return badDelimiter(scan);
      delimiter += inside;
      quoted = true;
      scan.pos = close + 1;
    } else if (char === "\\") {
      if (scan.peek(1) === "\n" || scan.peek(1) === "") return badDelimiter(scan);
      delimiter += scan.peek(1);
      quoted = true;
      scan.pos += 2;
    } else {
      delimiter += char;
      scan.pos += 1;
    }
  }
  if (scan.pos > start) return { delimiter, quoted, strips, command, at };
  scan.stop("heredoc-delim", "a heredoc without a delimiter", at);
  return null;
}

/** Reads the bodies of the heredocs opened on the line that just ended; the position is after its newline. */
export function heredocBodies(scan: Scan, pending: Heredoc[]): void {
  for (const heredoc of pending) {
    const end = bodyEnd(scan, heredoc);
    if (end === null) return;
    body(scan, heredoc, end.body);
    if (scan.stopped === null) scan.pos = end.next;
  }
  pending.length = 0;
}

function badDelimiter(scan: Scan): null {
  const at = scan.pos;
  const found = scan.peek() === "$" ? scan.recognise(at) : null;
  const reference = found?.reference ?? null;
  if (reference === null)
    scan.stop("heredoc-delim", "a heredoc delimiter that shells read differently", at);
  else {
    scan.refuseRaw(
      reference,
      "heredoc-delim",
      "stands in the delimiter of a heredoc, which is not expanded; write a fixed word",
    );
    scan.stop("heredoc-delim", "a heredoc delimiter that is not a fixed word", at);
  }
  return null;
}

/** Where the body ends and where the text goes on after the delimiter's line. */
function bodyEnd(scan: Scan, heredoc: Heredoc): { body: number; next: number } | null {
  let line = scan.pos;
  // What the lines before, each ending in an odd number of backslashes, contribute to this one.
  let joined: string | null = null;
  while (line < scan.end) {
    const newline = scan.text.indexOf("\n", line);
    const end = newline === -1 || newline > scan.end ? scan.end : newline;
    const text = lineText(scan, { line, end }, heredoc);
    const whole: string = joined === null ? text : joined + text;
    if (whole === heredoc.delimiter) {
      if (joined === null) return { body: line, next: Math.min(end + 1, scan.end) };
      scan.stop(
        "heredoc-open",
        `the end ${heredoc.delimiter} of a heredoc is split over lines`,
        line,
      );
      return null;
    }
    joined = continued(scan, { line, end }, heredoc) ? whole.slice(0, -1) : null;
    // Longer than the delimiter can never equal it; keep only what says so.
    if (joined !== null && joined.length > heredoc.delimiter.length)
      joined = `${heredoc.delimiter}\n`;
    line = end + 1;
  }
  scan.stop("heredoc-open", `the heredoc <<${heredoc.delimiter} has no end`, heredoc.at);
  return null;
}

function lineText(scan: Scan, span: { line: number; end: number }, heredoc: Heredoc): string {
  let from = span.line;
  if (heredoc.strips) while (from < span.end && scan.text[from] === "\t") from += 1;
  // Two characters past the delimiter are enough to compare and to see a trailing backslash.
  return scan.text.slice(from, Math.min(span.end, from + heredoc.delimiter.length + 2));
}

function continued(scan: Scan, span: { line: number; end: number }, heredoc: Heredoc): boolean {
  if (heredoc.quoted) return false;
  let slashes = 0;
  while (span.end - slashes > span.line && scan.text[span.end - slashes - 1] === "\\") slashes += 1;
  return slashes % 2 === 1;
}

function body(scan: Scan, heredoc: Heredoc, end: number): void {
  if (heredoc.quoted) {
    const why = `stands in a quoted heredoc (<<'${heredoc.delimiter}'), where the shell expands nothing; take the quotes off ${heredoc.delimiter} (and write \\$ \\\` \\\\ for the shell's own), or set X="\${…}" before the command and use it there`;
    scan.refuseUntil(end, "heredoc-quoted", why);
    return;
  }
  const word: Word = {
    start: scan.pos,
    end,
    literal: "",
    quoted: true,
    role: "heredoc",
    sites: [],
  };
  const outer = scan.word;
  scan.word = word;
  scan.within(end, () => {
    while (!scan.done) quotedUnit(scan, "heredoc");
  });
  scan.word = outer;
  if (word.sites.length === 0) return;
  const { command, at } = heredoc;
  command.inputs.push(word);
  scan.inputs.push({ at, word, command });
}
