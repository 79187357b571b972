/** Lines and JSON to standard output. */
import { chooseColor } from "../../report/choose.ts";
import type { Line } from "../../report/line.ts";
import { createPainter } from "../../report/line-writer.ts";
import type { Invocation } from "../cook-request.ts";

export interface Printer {
  lines(lines: readonly Line[]): void;
  /** Width of the terminal; `null`: none, or nobody says. */
  readonly columns: number | null;
}

export function openPrinter({ stdout, env }: Invocation): Printer {
  const painter = createPainter(chooseColor({ isTTY: stdout.isTTY, env }));
  return {
    columns: stdout.isTTY && stdout.columns > 0 ? stdout.columns : null,
    lines: (lines) => {
      if (lines.length > 0) stdout.write(lines.map((line) => painter.paint(line)).join(""));
    },
  };
}

/** Keys as in `session.json`: `startedAt` is `started_at`. For plain data alone. */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeKeys(each),
    ]),
  );
}
