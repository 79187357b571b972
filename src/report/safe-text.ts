/**
 * Makes foreign text printable: what a model, a command, a label or a file name holds must not move
 * the cursor, change the title, hide or reorder text, or break a line in two (spec 0, "data is data").
 *
 * Well-formed escape sequences are dropped (they are style), whatever control character is left is
 * shown as a visible sign. All expressions are linear: none can start again inside its own match.
 */
import { textWidth } from "./text-width.ts";

/** CSI (`ESC [ ... m`), with its one-character form U+009B. */
const CSI = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
/** OSC (titles, links), DCS, SOS, PM, APC: up to BEL or ST, never across a line. */
const STRING_SEQUENCE =
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u0080-\u009f\n]*(?:\u0007|\u001b\\|\u009c)/g;
/** What is left of two-character escapes, `ESC 7`, `ESC ( B`. */
const SHORT_ESCAPE = /\u001b[ -/]*[0-~]/g;
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/g;
/** C1 controls, line and paragraph separators, bidirectional overrides and isolates, the BOM. */
const INVISIBLE = /[\u0080-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
const REPLACEMENT = "\ufffd";

/** One printable line: line breaks become a space, tabs stay. */
export function safeLine(text: string): string {
  return withoutEscapes(text)
    .replace(/\r\n|[\n\r]/g, " ")
    .replace(CONTROL, visible)
    .replace(INVISIBLE, REPLACEMENT)
    .replace(LONE_SURROGATE, REPLACEMENT);
}

/** Printable lines of a block of text; progress that overwrote itself with CR shows its last state. */
export function safeLines(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => safeLine(lastState(line)).trimEnd());
  while (lines.length > 0 && lines.at(-1) === "") {
    lines.pop();
  }
  return lines;
}

/** White space folded, for labels and values inside a sentence; at most `columns` wide. */
export function inline(text: string, columns = 100, ellipsis = "…"): string {
  // Far more than is shown, so that a value of megabytes costs nothing.
  const start = text.slice(0, columns * 8);
  const folded = safeLine(start).replace(/\s+/g, " ").trim();
  return cutToWidth(
    start.length < text.length && !folded.endsWith(ellipsis) ? `${folded}${ellipsis}` : folded,
    columns,
    ellipsis,
  );
}

/** At most `columns` wide as a terminal counts (wide characters two), never half a character. */
export function cutToWidth(text: string, columns: number, ellipsis = "…"): string {
  if (columns <= 0) {
    return "";
  }
  // No character is narrower than a column's fraction worth keeping: bounds the work on huge lines.
  const bounded = text.slice(0, columns * 8);
  if (bounded.length === text.length && textWidth(text) <= columns) {
    return text;
  }
  const room = columns - textWidth(ellipsis);
  let width = 0;
  let kept = "";
  for (const { segment } of segments(bounded)) {
    const next = width + textWidth(segment);
    if (next > room) {
      break;
    }
    width = next;
    kept += segment;
  }
  return room < 0 ? ellipsis.slice(0, columns) : `${kept}${ellipsis}`;
}

/** Turns a stream of text cut anywhere into whole lines; memory is bounded by one line of `limit`. */
export class LineBuffer {
  readonly #limit: number;
  #pending = "";
  #dropping = false;

  /** @param limit characters of a line that are kept; the rest of that line is dropped. */
  constructor(limit = 4000) {
    this.#limit = limit;
  }

  /** The lines this text completes. */
  push(text: string): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      this.#take(text.slice(from, end));
      lines.push(...this.flush());
      from = end + 1;
    }
    this.#take(text.slice(from));
    return lines;
  }

  /** The line begun, if any. */
  flush(): readonly string[] {
    const line = this.#pending;
    const cut = this.#dropping;
    this.#pending = "";
    this.#dropping = false;
    const shown = safeLine(lastState(line)).trimEnd();
    return shown === "" ? [] : [cut ? `${shown}…` : shown];
  }

  #take(text: string): void {
    const joined = this.#pending + text;
    // Progress bars redraw one line for minutes: only what follows the last CR (but one) matters.
    const restart = joined.lastIndexOf("\r", joined.length - 2);
    const line = restart === -1 ? joined : joined.slice(restart + 1);
    if (restart !== -1 && line.trim() !== "") {
      this.#dropping = false;
    }
    this.#dropping ||= line.length > this.#limit;
    this.#pending = line.slice(0, this.#limit);
  }
}

let segmenter: Intl.Segmenter | undefined;

/** Making a segmenter loads tables: only when a text has to be cut, and once. */
function segments(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** What a terminal would show of a line that returned to its start. */
function lastState(line: string): string {
  const parts = line.split("\r").filter((part) => part.trim() !== "");
  const shown = parts.at(-1) ?? "";
  return shown.includes("\b") ? backspaced(shown) : shown;
}

function backspaced(text: string): string {
  const kept: string[] = [];
  for (const character of text) {
    if (character === "\b") {
      kept.pop();
    } else {
      kept.push(character);
    }
  }
  return kept.join("");
}

function withoutEscapes(text: string): string {
  if (!/[\u001b\u0080-\u009f]/.test(text)) {
    return text;
  }
  return text.replace(STRING_SEQUENCE, "").replace(CSI, "").replace(SHORT_ESCAPE, "");
}

/** U+2400 block: `␛` for ESC, `␇` for BEL. */
function visible(control: string): string {
  return control === "\u007f" ? "␡" : String.fromCodePoint(0x2400 + (control.codePointAt(0) ?? 0));
}
