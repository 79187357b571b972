import { RE2JS } from "re2js";
import { err, ok, type Result } from "./result.ts";

/** RE2 flags by the letter that a playbook writes after the closing slash; asked late, since the library is large. */
const FLAGS: Readonly<Record<string, () => number>> = {
  i: () => RE2JS.CASE_INSENSITIVE,
  m: () => RE2JS.MULTILINE,
  s: () => RE2JS.DOTALL,
};
const MAX_LENGTH = 1000;
/** Instructions of a compiled regex; `{1000}` of something short still fits. */
const MAX_PROGRAM = 1100;
/** Instructions times characters of one search: half a minute at the very worst. */
const MAX_WORK = 500_000_000;

/**
 * A pattern as a playbook writes it: a literal, or `/regex/flags` with the flags `i m s` (spec 3.3).
 *
 * Matches in time linear in the text; what RE2 cannot do (look-around, back references) is an error.
 */
export function compilePattern(text: string): Result<RE2JS, string> {
  if (text === "") return err("it is empty");
  if (text.length > MAX_LENGTH) return err(`it is longer than ${MAX_LENGTH} characters`);
  const parts = /^\/(.+)\/([a-z]*)$/s.exec(text);
  if (parts === null) return ok(RE2JS.compile(RE2JS.quote(text)));
  let flags = 0;
  for (const letter of parts[2] ?? "") {
    const flag = FLAGS[letter];
    if (flag === undefined) return err(`the flag \`${letter}\` is not one of i m s`);
    flags |= flag();
  }
  try {
    const compiled = RE2JS.compile(parts[1] ?? "", flags);
    if (compiled.programSize() <= MAX_PROGRAM) return ok(compiled);
    return err("it is too large once its repeats such as `{500}` are written out");
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** Would a search of so many characters take too long? Time is linear in them, and in the size of the regex. */
export function isTooCostly(pattern: string, compiled: RE2JS, characters: number): boolean {
  const isLiteral = !/^\/.+\/[a-z]*$/s.test(pattern);
  return !isLiteral && compiled.programSize() * characters > MAX_WORK;
}
