import type { Event, LiveEvent } from "../engine/events.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";

/** Raised only when a field changes its meaning or goes away; new fields do not raise it. */
const VERSION = 1;

/** One event a line on standard output, nothing else; live events under `-v` (docs/events.md). */
export function createJsonReporter({ out, verbosity }: ReporterOptions): Reporter {
  const write = (event: Event | LiveEvent): void => {
    out.write(`${encode({ v: VERSION, ...event })}\n`);
  };
  return {
    event: write,
    live: (event) => {
      if (verbosity >= 1) {
        write(event);
      }
    },
    close: () => {},
  };
}

/** `JSON.stringify` leaves DEL, the C1 controls and what reorders a line; on a terminal they are commands. */
function encode(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
