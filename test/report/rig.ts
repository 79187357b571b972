import { createReporter, type Reporter, type ReporterOptions } from "../../src/report/reporter.ts";
import { ManualClock } from "../support/manual-clock.ts";

export interface Rig {
  readonly reporter: Reporter;
  readonly clock: ManualClock;
  readonly out: { text: string; writes: string[] };
  readonly err: { text: string; writes: string[] };
  /** Both streams, as a terminal or `2>&1` shows them. */
  readonly both: { text: string };
}

/** A reporter whose streams are kept, not on a terminal unless told. */
export function rig(
  over: Partial<ReporterOptions> & { readonly columns?: number; readonly rows?: number } = {},
): Rig {
  const both = { text: "" };
  const stream = (): { text: string; writes: string[]; write(text: string): void } => ({
    text: "",
    writes: [],
    write(text) {
      this.text += text;
      this.writes.push(text);
      both.text += text;
    },
  });
  const out = stream();
  const err = stream();
  const clock = new ManualClock();
  const columns = over.columns ?? null;
  const terminal = { columns, rows: over.rows ?? null, isTTY: columns !== null };
  const reporter = createReporter({
    kind: "plain",
    verbosity: 0,
    emoji: true,
    color: 0,
    out: { ...terminal, write: (text) => out.write(text) },
    err: { ...terminal, write: (text) => err.write(text) },
    clock,
    ...over,
  });
  return { reporter, clock, out, err, both };
}
