import stringWidth from "string-width";

import type { Line } from "./line.ts";
import { byStream, createPainter, fitLine, type LinePainter } from "./line-writer.ts";
import { statusWords } from "./live-wording.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { RunMemory } from "./run-memory.ts";
import { cutToWidth, safeLine } from "./safe-text.ts";
import { chooseSymbols, type Symbols } from "./symbols.ts";
import type { Surface } from "./text-reporter.ts";

/** Fast enough to look alive, slow enough for a slow ssh. */
const TICK_MS = 100;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = "\r\u001b[2K";
const LINE_UP = "\u001b[1A";

/**
 * Finished lines above, one live line for the running step below them (spec 10).
 *
 * Nothing but the live line ever moves, it never wraps, and the cursor stays on it, so that a kill at
 * any moment leaves a readable screen. Own code, not ora: ora draws on one stream and knows no second.
 */
export class LiveLineSurface implements Surface {
  readonly #options: ReporterOptions;
  readonly #memory: RunMemory;
  readonly #symbols: Symbols;
  readonly #painter: LinePainter;
  readonly #stop: () => void;
  #frame = 0;
  /** Width of the live line on the screen; 0: there is none. */
  #drawn = 0;
  #shown = "";
  #closed = false;

  constructor(options: ReporterOptions, memory: RunMemory) {
    this.#options = options;
    this.#memory = memory;
    this.#symbols = chooseSymbols(options.emoji);
    this.#painter = createPainter(options.color);
    this.#stop = options.clock.every(TICK_MS, () => this.#tick());
  }

  print(lines: readonly Line[]): void {
    const { out, err } = this.#options;
    const { ellipsis } = this.#symbols;
    let before = this.#erase();
    // One column stays free: some terminals wrap when the last one is filled.
    const columns = this.#columns() - 1;
    for (const run of byStream(lines.map((line) => fitLine(line, columns, ellipsis)))) {
      const text = run.map((line) => this.#painter.paint(line)).join("");
      if (run[0]?.problem !== true) {
        out.write(before + text);
        before = "";
        continue;
      }
      if (before !== "") {
        out.write(before);
        before = "";
      }
      err.write(text);
    }
    this.#draw();
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#stop();
    const erase = this.#erase();
    if (erase !== "") {
      this.#options.out.write(erase);
    }
  }

  #tick(): void {
    this.#frame += 1;
    this.#draw();
  }

  /** Puts the live line in place of the one before; writes nothing when there is nothing to change. */
  #draw(): void {
    if (this.#closed) {
      return;
    }
    const text = this.#status();
    if (text === this.#shown && this.#drawn > 0) {
      return;
    }
    const erase = this.#erase();
    if (erase !== "" || text !== "") {
      this.#options.out.write(erase + (text === "" ? "" : this.#painter.dim(text)));
    }
    this.#drawn = stringWidth(text);
    this.#shown = text;
  }

  #status(): string {
    const step = this.#memory.innermost();
    if (step === null) {
      return "";
    }
    const { spinner, ellipsis } = this.#symbols;
    const sign = spinner[this.#frame % spinner.length] ?? "";
    const nowMs = this.#options.clock.monotonicMs();
    // One column stays free because a terminal waits there to wrap, two for the `^C` it echoes.
    const columns = this.#columns() - 3;
    const words = statusWords(step, {
      memory: this.#memory,
      symbols: this.#symbols,
      nowMs,
      columns: columns - 2,
    });
    return cutToWidth(safeLine(`${sign} ${words}`), columns, ellipsis);
  }

  /** Since it was drawn the terminal may have become narrower: then it covers more than one row. */
  #erase(): string {
    if (this.#drawn === 0) {
      return "";
    }
    const rows = Math.max(1, Math.ceil(this.#drawn / this.#columns()));
    this.#drawn = 0;
    this.#shown = "";
    return CLEAR_LINE + `${LINE_UP}${CLEAR_LINE}`.repeat(rows - 1);
  }

  #columns(): number {
    return Math.max(1, this.#options.out.columns ?? DEFAULT_COLUMNS);
  }
}
