/** What people see of a command or prompt; nothing here is ever run. */
import type { Reference } from "../values/reference.ts";
import type { ShellText } from "../values/shell/compile.ts";
import type { Resolved } from "../values/shell/render.ts";
import { textOf } from "../values/value.ts";

/** More of one value would hide the command around it. */
const VALUE_LETTERS = 200;
/** As long as git and its viewers expect a subject to be. */
const SUBJECT_LETTERS = 72;

/**
 * The author's text with each reference replaced by its value; one that goes by file by its path.
 *
 * @param paths of the files that were written for values, by their content.
 */
export function shownShell(
  text: ShellText,
  resolved: ReadonlyMap<string, Resolved>,
  paths: ReadonlyMap<string, string>,
): string {
  let shown = "";
  let at = 0;
  for (const reference of text.references) {
    const value = shownValue(reference, resolved.get(reference.text), paths);
    shown += text.source.slice(at, reference.start) + value;
    at = reference.end;
  }
  return shown + text.source.slice(at);
}

function shownValue(
  reference: Reference,
  resolved: Resolved | undefined,
  paths: ReadonlyMap<string, string>,
): string {
  if (resolved?.file !== undefined) return resolved.file;
  const own = textOf(resolved?.value ?? null);
  const text = own === "" && reference.fallback !== null ? reference.fallback : own;
  const mayBeFile = reference.filter === "file" || text.length > VALUE_LETTERS;
  const path = mayBeFile ? paths.get(text) : undefined;
  return path ?? cut(text, VALUE_LETTERS);
}

/** The first line of a rendered command or prompt, for the subject of a commit. */
export function shownSubject(rendered: string): string {
  return cut(rendered.trim().split("\n", 1)[0]?.trim() ?? "", SUBJECT_LETTERS);
}

function cut(text: string, most: number): string {
  // A letter has at most two units: what is not shown is not looked at.
  const letters = Array.from(text.slice(0, 2 * most + 2));
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}
