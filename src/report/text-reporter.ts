import type { Event, LiveEvent } from "../engine/events.ts";
import type { Line } from "./line.ts";
import { LiveFeed } from "./live-wording.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";
import { RunMemory } from "./run-memory.ts";
import { chooseSymbols, type Symbols } from "./symbols.ts";
import { wordsOf } from "./wording.ts";

/** Where lines for people are put; each kind moves in its own way. */
export interface Surface {
  /** Lines that stay. */
  print(lines: readonly Line[]): void;
  close(): void;
}

/** The same words on every surface. */
export class TextReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #memory: RunMemory;
  readonly #symbols: Symbols;
  readonly #feed: LiveFeed;
  readonly #surface: Surface;

  constructor(options: ReporterOptions, surface: (memory: RunMemory) => Surface) {
    this.#options = options;
    this.#memory = new RunMemory(() => options.clock.monotonicMs());
    this.#symbols = chooseSymbols(options.emoji);
    this.#feed = new LiveFeed(this.#symbols);
    this.#surface = surface(this.#memory);
  }

  event(event: Event): void {
    const begun = this.#feed.flush();
    const lines = wordsOf(event, {
      memory: this.#memory,
      symbols: this.#symbols,
      verbosity: this.#options.verbosity,
    });
    this.#memory.observe(event);
    this.#print([...begun, ...lines]);
  }

  live(event: LiveEvent): void {
    this.#memory.observeLive(event);
    // Below -v a child's output is not even split into lines: it may be a gigabyte.
    if (event.type === "output" && this.#options.verbosity < 1) {
      return;
    }
    this.#print(this.#feed.lines(event));
  }

  close(): void {
    this.#print(this.#feed.flush());
    this.#surface.close();
  }

  #print(lines: readonly Line[]): void {
    const shown = lines.filter((line) => line.from <= this.#options.verbosity);
    if (shown.length > 0) {
      this.#surface.print(shown);
    }
  }
}
