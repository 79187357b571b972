/** Whose line it is, in a run with several inputs at once (spec 8.4). */
import type { Line } from "./line.ts";

/** `[ 3] `, as wide for each of `total` inputs. */
export function inputPrefix(index: number, total: number): string {
  return `[${String(index).padStart(String(total).length)}] `;
}

/** Empty lines set things apart where one follows the other; among those of others they say nothing. */
export function prefixed(lines: readonly Line[], prefix: string): readonly Line[] {
  return lines
    .filter(({ text }) => text !== "")
    .map((line) => ({ ...line, text: `${prefix}${line.text}` }));
}
