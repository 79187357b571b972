/** Values of options, read and bounded. */
import { InvalidArgumentError } from "commander";

/** Most iterations that can be asked for (spec 1). */
const MAX_ITERATIONS = 1000;
/** Each is a worktree, and mostly a Claude. */
const MAX_AT_ONCE = 64;

export function iterations(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= MAX_ITERATIONS) return number;
  throw new InvalidArgumentError(`it must be a whole number from 1 to ${MAX_ITERATIONS}`);
}

export function atOnce(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= MAX_AT_ONCE) return number;
  throw new InvalidArgumentError(`it must be a whole number from 1 to ${MAX_AT_ONCE}`);
}

export function append(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

export function commaList(value: string): string[] {
  return value
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
