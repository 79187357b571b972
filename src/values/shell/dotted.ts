import { isDotted, parseReferenceAt, type Reference } from "../reference.ts";
import type { ShellProblem } from "./problem.ts";

/**
 * The references that a shell text which was refused holds for certain, outside of what was refused: with a dot in
 * the name, in no comment line, and not escaped. One mistake in a text is not to hide the others.
 */
export function dottedReferences(
  text: string,
  refused: readonly ShellProblem[],
): readonly Reference[] {
  const found: Reference[] = [];
  for (let at = text.indexOf("${"); at !== -1; at = text.indexOf("${", at + 2)) {
    const before = text[at - 1];
    if (before === "\\" || before === "$" || isComment(text, at)) continue;
    const reference = parseReferenceAt(text, at);
    if (reference === null || reference.fault !== null || !isDotted(reference.name)) continue;
    // `${a-b.c}` is the shell's own default.
    if (String(reference.path[0]).includes("-")) continue;
    if (!refused.some(({ start, end }) => start < reference.end && end > at)) found.push(reference);
  }
  return found;
}

function isComment(text: string, at: number): boolean {
  return /^\s*#/.test(text.slice(text.lastIndexOf("\n", at) + 1, at));
}
