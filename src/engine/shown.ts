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
 * @param how `paths` of the files that were written for values, by their content; `mask` hides secrets.
 */
export function shownShell(
  text: ShellText,
  resolved: ReadonlyMap<string, Resolved>,
  how: Shown,
): string {
  let shown = "";
  let at = 0;
  for (const reference of text.references) {
    const value = shownValue(reference, resolved.get(reference.text), how);
    shown += text.source.slice(at, reference.start) + value;
    at = reference.end;
  }
  return shown + text.source.slice(at);
}

interface Shown {
  readonly paths: ReadonlyMap<string, string>;
  readonly mask: (text: string) => string;
}

function shownValue(
  reference: Reference,
  resolved: Resolved | undefined,
  { paths, mask }: Shown,
): string {
  if (resolved?.file !== undefined) return resolved.file;
  const own = textOf(resolved?.value ?? null);
  const text = own === "" && reference.fallback !== null ? reference.fallback : own;
  const mayBeFile = reference.filter === "file" || text.length > VALUE_LETTERS;
  const path = mayBeFile ? paths.get(text) : undefined;
  return path ?? cut(mask(text), VALUE_LETTERS);
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
