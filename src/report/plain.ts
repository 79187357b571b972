import type { Line } from "./line.ts";
import { byStream, createPainter, type LinePainter } from "./line-writer.ts";
import { allPaused, inputsBeat } from "./inputs-live-wording.ts";
import { heartbeatLine } from "./live-wording.ts";
import type { ReporterOptions } from "./reporter.ts";
import type { RunMemory } from "./run-memory.ts";
import { chooseSymbols } from "./symbols.ts";
import type { Surface } from "./text-reporter.ts";

/** CI systems end jobs that are silent for long; people wonder after half a minute. */
const SILENCE_MS = 30_000;
/** Of a wait for a usage limit, which takes hours. */
const WAITING_SILENCE_MS = 300_000;
const TICK_MS = 1000;

/** Lines without movement, and a sign of life after each 30 s of silence (spec 10). */
export class PlainSurface implements Surface {
  readonly #options: ReporterOptions;
  readonly #memory: RunMemory;
  readonly #painter: LinePainter;
  readonly #stop: () => void;
  #lastWordMs: number;

  constructor(options: ReporterOptions, memory: RunMemory) {
    this.#options = options;
    this.#memory = memory;
    this.#painter = createPainter(options.color);
    this.#lastWordMs = options.clock.monotonicMs();
    this.#stop =
      options.verbosity === -1 ? () => {} : options.clock.every(TICK_MS, () => this.#beat());
  }

  print(lines: readonly Line[]): void {
    this.#lastWordMs = this.#options.clock.monotonicMs();
    for (const run of byStream(lines)) {
      const to = run[0]?.problem === true ? this.#options.err : this.#options.out;
      to.write(run.map((line) => this.#painter.paint(line)).join(""));
    }
  }

  close(): void {
    this.#stop();
  }

  #beat(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const memory = this.#memory;
    const step = memory.steps.innermost();
    const waits = memory.isAtWork ? allPaused(memory) : step !== null && step.waitsUntil !== null;
    if (nowMs - this.#lastWordMs < (waits ? WAITING_SILENCE_MS : SILENCE_MS)) return;
    const symbols = chooseSymbols(this.#options.emoji);
    if (memory.isAtWork) {
      const line = inputsBeat({ memory, symbols, nowMs });
      if (line !== null) this.print([line]);
    } else if (step !== null) {
      this.print([heartbeatLine(step, symbols, nowMs)]);
    }
  }
}
