/** What a run says, before it is known where it is shown. */
import type { StepPlace } from "../engine/events.ts";

/** `-1`: `-q`; 0: status; 1: `-v`; 2: `-vv`. */
export type Verbosity = -1 | 0 | 1 | 2;

export type Tone = "plain" | "good" | "bad" | "warn" | "dim" | "strong";

export interface Line {
  readonly text: string;
  readonly tone: Tone;
  /** Lowest verbosity that shows it. */
  readonly from: Verbosity;
  /** Goes to standard error. */
  readonly problem: boolean;
  /** One line on a terminal, whatever its width; this part of `text` gives way first. */
  readonly gives?: string;
}

/** A line of status: standard output, shown unless `-q`. */
export function say(text: string, tone: Tone = "plain", from: Verbosity = 0): Line {
  return { text, tone, from, problem: false };
}

/** What is cut to fit a terminal; elsewhere it is whole. */
export function fitting(line: Line, gives = ""): Line {
  return { ...line, gives };
}

/** A problem: standard error, shown even under `-q`. */
export function complain(text: string, tone: Tone = "bad"): Line {
  return { text, tone, from: -1, problem: true };
}

/** Spaces before the lines of a step: handlers stand deeper. */
export function indentOf(at: StepPlace): string {
  return "   ".repeat(Math.min(at.depth, 10));
}
