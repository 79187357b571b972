import { RE2JS } from "re2js";
import { err, ok, type Result } from "./result.ts";

/** RE2 flags by the letter that a playbook writes after the closing slash; asked late, since the library is large. */
const FLAGS: Readonly<Record<string, () => number>> = {
  i: () => RE2JS.CASE_INSENSITIVE,
  m: () => RE2JS.MULTILINE,
  s: () => RE2JS.DOTALL,
};
const MAX_LENGTH = 1000;

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
    return ok(RE2JS.compile(parts[1] ?? "", flags));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
