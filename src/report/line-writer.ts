import { Chalk, type ChalkInstance } from "chalk";
import { textWidth } from "./text-width.ts";

import type { ColorLevel } from "./choose.ts";
import type { Line, Tone } from "./line.ts";
import { cutToWidth, safeLine } from "./safe-text.ts";

export interface LinePainter {
  /** One line with its end, coloured. */
  paint(line: Line): string;
  dim(text: string): string;
}

/** The one way from a line to bytes: whatever wording let through is made printable here once more. */
export function createPainter(level: ColorLevel): LinePainter {
  const chalk = new Chalk({ level });
  return {
    paint: (line) => `${tinted(chalk, line.tone, safeLine(line.text))}\n`,
    dim: (text) => chalk.dim(safeLine(text)),
  };
}

/** Less of a label names nothing. */
const GIVES_LEAST = 8;

/** A line that is to stay one line, at most `columns` wide: its label gives way, then its end. */
export function fitLine(line: Line, columns: number, ellipsis: string): Line {
  const { text, gives } = line;
  if (gives === undefined) return line;
  const over = textWidth(text) - columns;
  if (over <= 0) return line;
  const at = gives === "" ? -1 : text.indexOf(gives);
  if (at === -1) return { ...line, text: cutToWidth(text, columns, ellipsis) };
  const kept = cutToWidth(gives, Math.max(GIVES_LEAST, textWidth(gives) - over), ellipsis);
  const shorter = text.slice(0, at) + kept + text.slice(at + gives.length);
  return { ...line, text: cutToWidth(shorter, columns, ellipsis) };
}

/** Runs of lines for the same stream, in order. */
export function byStream(lines: readonly Line[]): readonly (readonly Line[])[] {
  const runs: Line[][] = [];
  for (const line of lines) {
    const last = runs.at(-1);
    if (last?.[0]?.problem === line.problem) {
      last.push(line);
    } else {
      runs.push([line]);
    }
  }
  return runs;
}

function tinted(chalk: ChalkInstance, tone: Tone, text: string): string {
  if (text === "" || tone === "plain") {
    return text;
  }
  const tints: Readonly<Record<Exclude<Tone, "plain">, (text: string) => string>> = {
    good: chalk.green,
    bad: chalk.red,
    warn: chalk.yellow,
    dim: chalk.dim,
    strong: chalk.bold,
  };
  return tints[tone](text);
}
