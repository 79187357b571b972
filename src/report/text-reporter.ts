import type { Event, LiveEvent } from "../engine/events.ts";
import { ownerOf } from "../engine/owner.ts";
import { inputPrefix, prefixed } from "./input-prefix.ts";
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
    const begun = this.#begun(event);
    const lines = wordsOf(event, {
      memory: this.#memory,
      symbols: this.#symbols,
      verbosity: this.#options.verbosity,
      columns: this.#options.out.columns,
    });
    this.#memory.observe(event);
    const whose = this.#whose(event);
    this.#print([...begun, ...(whose === "" ? lines : prefixed(lines, whose))]);
  }

  live(event: LiveEvent): void {
    this.#memory.steps.observeLive(event);
    // Below -v a child's output is not even split into lines: it may be a gigabyte.
    if (event.type === "output" && this.#options.verbosity < 1) {
      return;
    }
    this.#print(this.#feed.lines(event, this.#whose(event)));
  }

  close(): void {
    this.#print(this.#feed.flush());
    this.#surface.close();
  }

  /** With several inputs at once a word on one of them ends the lines of that one, not of the others. */
  #begun(event: Event): readonly Line[] {
    if (
      !this.#memory.isParallel ||
      event.type === "session-finished" ||
      event.type === "session-broken"
    )
      return this.#feed.flush();
    const owner = ownerOf(event);
    return owner === null ? [] : this.#feed.flush(owner);
  }

  /** What the lines of an input begin with; empty: there is one after the other. */
  #whose(event: Event | LiveEvent): string {
    const { isParallel, inputs } = this.#memory;
    const owner = isParallel ? ownerOf(event) : null;
    return owner === null ? "" : inputPrefix(owner, inputs);
  }

  #print(lines: readonly Line[]): void {
    const shown = lines.filter((line) => line.from <= this.#options.verbosity);
    if (shown.length > 0) {
      this.#surface.print(shown);
    }
  }
}
