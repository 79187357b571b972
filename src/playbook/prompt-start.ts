/** The first character and the command's name come from the playbook, never from a value (spec 3.2). */
import { parseReferenceAt } from "../values/reference.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** The problem of a prompt that begins with a reference, with offsets into the prompt. */
export function leadingValue(
  prompt: string,
): (Omit<Diagnostic, "range"> & { readonly start: number; readonly end: number }) | null {
  // `/` and what follows up to the first space is the command's name.
  const lead = /^\s*(?:\/[^\s$]*)?\$/.exec(prompt);
  if (lead === null) return null;
  const start = lead[0].length - 1;
  if (prompt.startsWith("$${", start)) return null;
  // A `${` that begins no reference is told as such.
  const reference = parseReferenceAt(prompt, start);
  if (reference === null) return null;
  return {
    code: "value-leads-prompt",
    severity: "error",
    message: "a value cannot supply the prompt's first character or the command's name",
    help: "begin with words of your own, such as `Look at: ${...}`",
    start,
    end: reference.end,
  };
}
