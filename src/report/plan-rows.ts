/** Rows of a plan: a key, and a text that goes on below itself where the terminal ends. */
import stringWidth from "string-width";
import { type Line, say, type Tone, type Verbosity } from "./line.ts";
import { cutToWidth, safeLine } from "./safe-text.ts";

export interface Fact {
  /** Absent: none, and no room for one. */
  readonly key?: string;
  readonly text: string;
  /** Levels. */
  readonly indent: number;
  readonly tone?: Tone;
  readonly from?: Verbosity;
}

const INDENT = "  ";
const KEY_WIDTH = 11;
/** Narrower text is worse than a line that the terminal breaks. */
const LEAST_WIDTH = 20;

/** @param columns of the terminal; `null`: a pipe, where nothing is broken */
export function fact(
  { key, text, indent, tone = "plain", from = 0 }: Fact,
  columns: number | null,
): readonly Line[] {
  const margin = INDENT.repeat(indent);
  const head = key === undefined ? margin : margin + key.padEnd(KEY_WIDTH);
  const below = " ".repeat(head.length);
  const width = columns === null ? null : Math.max(LEAST_WIDTH, columns - head.length);
  return wrapped(safeLine(text), width).map((part, index) =>
    say(`${index === 0 ? head : below}${part}`.trimEnd(), tone, from),
  );
}

/** Broken at spaces where there are some; nothing is left out. */
function wrapped(text: string, width: number | null): readonly string[] {
  if (width === null || stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<= )/)) {
    if (line !== "" && stringWidth(line + word.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += word;
    while (stringWidth(line.trimEnd()) > width) {
      const start = cutToWidth(line, width, "");
      // One character may be wider than the line.
      const taken = start === "" ? Array.from(line).slice(0, 1).join("") : start;
      lines.push(taken);
      line = line.slice(taken.length);
    }
  }
  return line.trim() === "" ? lines : [...lines, line.trimEnd()];
}
