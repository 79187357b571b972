import { Chalk, type ChalkInstance } from "chalk";

import type { ColorLevel } from "./choose.ts";
import type { Line, Tone } from "./line.ts";
import { safeLine } from "./safe-text.ts";

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
