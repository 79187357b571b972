/** Events in, words out: for people (`pretty`, `plain`) or machines (`json`), spec 10. */
import type { Event, LiveEvent } from "../engine/events.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { ColorLevel } from "./choose.ts";
import { createJsonReporter } from "./json.ts";
import type { Verbosity } from "./line.ts";
import { PlainSurface } from "./plain.ts";
import { LiveLineSurface } from "./pretty.ts";
import { TextReporter } from "./text-reporter.ts";

export interface Reporter {
  event(event: Event): void;
  live(event: LiveEvent): void;
  /** Ends its timer and its live line; safe to repeat. */
  close(): void;
}

/** Where text goes: standard output and standard error, or a test's. */
export interface Output {
  write(text: string): void;
  /** `null`: unknown. Read again at each redraw, so a resize is seen. */
  readonly columns: number | null;
  /** The same of its height. */
  readonly rows: number | null;
  readonly isTTY: boolean;
}

export type ReporterKind = "pretty" | "plain" | "json";

export interface ReporterClock {
  monotonicMs(): number;
  /** Calls `fn` each `ms` until the returned function is called; must not keep the process alive. */
  every(ms: number, fn: () => void): () => void;
}

export interface ReporterOptions {
  readonly kind: ReporterKind;
  readonly verbosity: Verbosity;
  readonly emoji: boolean;
  /** From `chooseColor`. */
  readonly color: ColorLevel;
  /** Results. */
  readonly out: Output;
  /** Problems; unused by `json`. */
  readonly err: Output;
  readonly clock: ReporterClock;
}

/** `pretty` without a terminal on `out` does not move: it is `plain` then. */
export function createReporter(options: ReporterOptions): Reporter {
  switch (options.kind) {
    case "json":
      return createJsonReporter(options);
    case "plain":
      return new TextReporter(options, (memory) => new PlainSurface(options, memory));
    case "pretty":
      return new TextReporter(options, (memory) =>
        options.out.isTTY && options.verbosity !== -1
          ? new LiveLineSurface(options, memory)
          : new PlainSurface(options, memory),
      );
    default:
      return unreachable(options.kind);
  }
}
