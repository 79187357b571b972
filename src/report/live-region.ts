import { textWidth } from "./text-width.ts";

import type { Output } from "./reporter.ts";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_LINE = "\r\u001b[2K";
const CLEAR_REST = "\u001b[K";
const LINE_UP = "\u001b[1A";

/**
 * The lines at the bottom of a terminal that change in place. The cursor stays at the end of the last
 * one, and each frame is one text: whenever mmm dies, the screen can be read and the prompt stands below.
 */
export class LiveRegion {
  readonly #out: Output;
  readonly #paint: (text: string) => string;
  #drawn: readonly string[] = [];
  /** Of the terminal, when it was drawn. */
  #drawnColumns = 0;
  #drawnRows = 0;

  constructor(out: Output, paint: (text: string) => string) {
    this.#out = out;
    this.#paint = paint;
  }

  get columns(): number {
    return Math.max(1, this.#out.columns ?? DEFAULT_COLUMNS);
  }

  get rows(): number {
    return Math.max(1, this.#out.rows ?? DEFAULT_ROWS);
  }

  /**
   * What puts these lines in place of those on the screen; empty: nothing has changed.
   *
   * @param lines each narrower than the terminal
   */
  frame(lines: readonly string[]): string {
    const isSame = lines.length === this.#drawn.length;
    if (isSame && lines.every((line, at) => line === this.#drawn[at])) return "";
    const resized = this.#drawnColumns !== this.columns || this.#drawnRows !== this.rows;
    const text =
      isSame && lines.length > 1 && !resized
        ? this.#changes(lines)
        : this.erase() + lines.map(this.#paint).join("\n");
    this.#drawn = lines;
    this.#drawnColumns = this.columns;
    this.#drawnRows = this.rows;
    return text;
  }

  /** Since it was drawn the terminal may have become narrower: then a line covers more than one row. */
  erase(): string {
    if (this.#drawn.length === 0) return "";
    const { columns } = this;
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)),
      0,
    );
    this.#drawn = [];
    return CLEAR_LINE + `${LINE_UP}${CLEAR_LINE}`.repeat(rows - 1);
  }

  /** Writes over what stands there, so that no line is empty in between. */
  #changes(lines: readonly string[]): string {
    const last = lines.length - 1;
    // The last one always: the cursor is to stand at its end.
    const rows = lines.map((line, at) =>
      line === this.#drawn[at] && at < last ? "" : `${this.#paint(line)}${CLEAR_REST}`,
    );
    return `\r${LINE_UP.repeat(last)}${rows.join("\n\r")}`;
  }
}
