import stringWidth from "string-width";

/**
 * A terminal small enough to be believed: text, LF, CR, `CSI 2K`, `CSI nA`, colours ignored, wrapping at
 * the right edge. Anything else is an error, so that a reporter cannot move the cursor unseen.
 */
export class Screen {
  readonly columns: number;
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    this.columns = columns;
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
        this.#rows[this.#row] = [];
      } else if (final === "A") {
        this.#row = Math.max(0, this.#row - Number(count));
      } else if (final !== "m") {
        throw new Error(`the screen does not know ${JSON.stringify(token)}`);
      }
    }
  }

  /** What a person sees, without empty rows at the end. */
  text(): string {
    const rows = this.#rows.map((row) => row.join("").trimEnd());
    return rows.join("\n").trimEnd();
  }

  #control(control: string): void {
    if (control === "\n") {
      this.#row += 1;
      this.#rows[this.#row] ??= [];
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
      if (this.#column + width > this.columns) {
        this.#control("\n");
      }
      const row = (this.#rows[this.#row] ??= []);
      row[this.#column] = segment;
      for (let rest = 1; rest < width; rest += 1) {
        row[this.#column + rest] = "";
      }
      this.#column += width;
    }
  }
}
