import stringWidth from "string-width";

interface Row {
  cells: string[];
  /** It goes on in the next row because the terminal is narrow. */
  wraps: boolean;
}

/**
 * A terminal small enough to be believed: text, LF, CR, `CSI K`, `CSI 2K`, `CSI nA`, colours ignored,
 * wrapping at the right edge. Anything else is an error, so that a reporter cannot move the cursor unseen.
 */
export class Screen {
  #columns: number;
  /** Rows that are seen; those above can only be scrolled to, and no order reaches them. */
  #height: number;
  #rows: Row[] = [{ cells: [], wraps: false }];
  #row = 0;
  #column = 0;

  constructor(columns: number, height = Infinity) {
    this.#columns = columns;
    this.#height = height;
  }

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex
    const tokens = /\u001b\[([0-9;]*)([A-Za-z])|\u001b|([\u0000-\u001f])|([^\u0000-\u001f]+)/g;
    for (const [token, count = "", final, control, printable] of text.matchAll(tokens)) {
      if (printable !== undefined) {
        this.#print(printable);
      } else if (control !== undefined) {
        this.#control(control);
      } else if (final === "K" && count === "2") {
        this.#rows[this.#row] = { cells: [], wraps: false };
      } else if (final === "K" && count === "") {
        const row = this.#rows[this.#row];
        row?.cells.splice(this.#column);
      } else if (final === "A") {
        this.#row = Math.max(this.#top, this.#row - Number(count));
      } else if (final !== "m") {
        throw new Error(`the screen does not know ${JSON.stringify(token)}`);
      }
    }
  }

  /** As terminals do: lines are laid out again at the new width, and the cursor goes along. */
  resize(columns: number, height = this.#height): void {
    const lines: { cells: string[]; cursor: number | null }[] = [];
    let open: { cells: string[]; cursor: number | null } | null = null;
    for (const [at, { cells, wraps }] of this.#rows.entries()) {
      open ??= { cells: [], cursor: null };
      if (at === this.#row) open.cursor = open.cells.length + this.#column;
      open.cells.push(...cells);
      if (wraps) continue;
      lines.push(open);
      open = null;
    }
    this.#columns = columns;
    this.#height = height;
    this.#rows = [];
    for (const { cells, cursor } of lines) {
      if (cursor !== null) {
        // Behind a row that is full it waits there.
        const full = cursor > 0 && cursor === cells.length && cursor % columns === 0;
        this.#row = this.#rows.length + Math.floor(cursor / columns) - (full ? 1 : 0);
        this.#column = full ? columns : cursor % columns;
      }
      for (let from = 0; from === 0 || from < cells.length; from += columns) {
        const wraps = from + columns < cells.length;
        this.#rows.push({ cells: cells.slice(from, from + columns), wraps });
      }
    }
  }

  /** What a person sees who scrolls up, without empty rows at the end. */
  text(): string {
    const rows = this.#rows.map(({ cells }) => cells.join("").trimEnd());
    return rows.join("\n").trimEnd();
  }

  /** Where the cursor stands, from 0. */
  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.#row, column: this.#column };
  }

  get #top(): number {
    return Math.max(0, this.#rows.length - this.#height);
  }

  #control(control: string): void {
    if (control === "\n") {
      this.#row += 1;
      this.#rows[this.#row] ??= { cells: [], wraps: false };
      this.#column = 0;
    } else if (control === "\r") {
      this.#column = 0;
    } else {
      throw new Error(`the screen does not know ${JSON.stringify(control)}`);
    }
  }

  #print(text: string): void {
    for (const { segment } of new Intl.Segmenter("en").segment(text)) {
      const width = stringWidth(segment);
      if (this.#column + width > this.#columns) {
        const row = this.#rows[this.#row];
        if (row !== undefined) row.wraps = true;
        this.#control("\n");
      }
      const row = (this.#rows[this.#row] ??= { cells: [], wraps: false });
      row.cells[this.#column] = segment;
      for (let rest = 1; rest < width; rest += 1) {
        row.cells[this.#column + rest] = "";
      }
      this.#column += width;
    }
  }
}
