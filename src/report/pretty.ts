import { inputLines } from "./inputs-live-wording.ts";
import type { Line } from "./line.ts";
import { byStream, createPainter, fitLine, type LinePainter } from "./line-writer.ts";
import { LiveRegion } from "./live-region.ts";
import { statusWords } from "./live-wording.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { RunMemory } from "./run-memory.ts";
import { cutToWidth, safeLine } from "./safe-text.ts";
import { chooseSymbols, type Symbols } from "./symbols.ts";
import type { Surface } from "./text-reporter.ts";

/** Fast enough to look alive, slow enough for a slow ssh. */
const TICK_MS = 100;

/**
 * Finished lines above, one live line for the running step below them, or one for each input at work (spec 10).
 *
 * Nothing but the live lines ever moves, they never wrap, and the cursor stays on the last one, so that a
 * kill at any moment leaves a readable screen. Own code, not ora: ora draws on one stream and knows no second.
 */
export class LiveLineSurface implements Surface {
  readonly #options: ReporterOptions;
  readonly #memory: RunMemory;
  readonly #symbols: Symbols;
  readonly #painter: LinePainter;
  readonly #region: LiveRegion;
  readonly #stop: () => void;
  #frame = 0;
  #closed = false;

  constructor(options: ReporterOptions, memory: RunMemory) {
    this.#options = options;
    this.#memory = memory;
    this.#symbols = chooseSymbols(options.emoji);
    this.#painter = createPainter(options.color);
    this.#region = new LiveRegion(options.out, (text) => this.#painter.dim(text));
    this.#stop = options.clock.every(TICK_MS, () => this.#tick());
  }

  print(lines: readonly Line[]): void {
    const { ellipsis } = this.#symbols;
    let before = this.#region.erase();
    // One column stays free: some terminals wrap when the last one is filled.
    const columns = this.#region.columns - 1;
    for (const run of byStream(lines.map((line) => fitLine(line, columns, ellipsis)))) {
      const text = run.map((line) => this.#painter.paint(line)).join("");
      if (run[0]?.problem === true) {
        this.#write(before);
        this.#options.err.write(text);
        before = "";
      } else if (this.#memory.isAtWork) {
        // With the lines below it in one piece: they do not go away in between.
        before += text;
      } else {
        this.#write(before + text);
        before = "";
      }
    }
    this.#draw(before);
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#stop();
    this.#write(this.#region.erase());
  }

  #tick(): void {
    this.#frame += 1;
    this.#draw();
  }

  /** Puts the live lines in place of those before; writes nothing when there is nothing to change. */
  #draw(before = ""): void {
    this.#write(before + (this.#closed ? "" : this.#region.frame(this.#lines())));
  }

  #write(text: string): void {
    if (text !== "") this.#options.out.write(text);
  }

  #lines(): readonly string[] {
    const { spinner } = this.#symbols;
    const sign = spinner[this.#frame % spinner.length] ?? "";
    // One column stays free because a terminal waits there to wrap, two for the `^C` it echoes.
    const columns = this.#region.columns - 3;
    const view = {
      memory: this.#memory,
      symbols: this.#symbols,
      nowMs: this.#options.clock.monotonicMs(),
    };
    if (view.memory.isAtWork) return inputLines(view, { columns, rows: this.#region.rows, sign });
    const step = view.memory.steps.innermost();
    if (step === null) return [];
    const words = statusWords(step, { ...view, columns: columns - 2 });
    return [cutToWidth(safeLine(`${sign} ${words}`), columns, this.#symbols.ellipsis)];
  }
}
