import type { ReporterClock } from "../../src/report/reporter.ts";

/** A clock that goes on only when told, and calls what is due on the way. */
export class ManualClock implements ReporterClock {
  #nowMs = 0;
  readonly #timers = new Map<
    object,
    { readonly ms: number; readonly fn: () => void; due: number }
  >();

  /** Timers not yet stopped. */
  get timers(): number {
    return this.#timers.size;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  every(ms: number, fn: () => void): () => void {
    const key = {};
    this.#timers.set(key, { ms, fn, due: this.#nowMs + ms });
    return () => {
      this.#timers.delete(key);
    };
  }

  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#timers.values()].toSorted((a, b) => a.due - b.due)[0];
      if (next === undefined || next.due > end) {
        this.#nowMs = end;
        return;
      }
      this.#nowMs = next.due;
      next.due += next.ms;
      next.fn();
    }
  }
}
