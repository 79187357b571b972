/** One problem for all references to an input that nobody gives (spec 1). */
import { shellWord } from "../lib/shell-word.ts";
import type { Diagnostic } from "./diagnostic.ts";

export interface MissingInput {
  /** `ARG`, `FILE`, `INDEX` or `TOTAL`. */
  readonly name: string;
  readonly problem: Diagnostic;
}

/** At the first place; the help is the line to type, with `--map` when a file is wanted anywhere. */
export function needsInput(missing: readonly MissingInput[], file: string): Diagnostic | null {
  const [first, ...others] = missing
    .map(({ problem }) => problem)
    .toSorted((a, b) => a.range.start - b.range.start);
  if (first === undefined) return null;
  const [one, more] = ["1 more reference", `${others.length} more references`];
  const message =
    others.length === 0
      ? first.message
      : `${first.message}, and ${others.length === 1 ? one : more}`;
  const option = missing.some(({ name }) => name === "FILE") ? "--map 'PATTERN'" : "--args VALUE";
  return { help: `mmm cook ${shellWord(file)} ${option}`, ...first, message };
}
