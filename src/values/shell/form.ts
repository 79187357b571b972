import { unreachable } from "../../lib/unreachable.ts";
import { isWholeWord, takesWords } from "./lint.ts";
import type { Site } from "./scan-model.ts";

/** What the shell reads in the place of a reference: an expansion that fits the quoting there. */
export function expansionOf(site: Site, variable: string): string {
  switch (site.context) {
    case "bare":
      return site.reference.filter === "opt"
        ? `\${${variable}:+"\${${variable}}"}`
        : `"\${${variable}}"`;
    case "dq":
    case "heredoc":
      return `\${${variable}}`;
    case "sq":
      return `'"\${${variable}}"'`;
    case "ansi":
      return `'"\${${variable}}"$'`;
    case "arith":
      return `(\${${variable}})`;
    default:
      return unreachable(site.context);
  }
}

/** How a list lands: as several words, as its text, or not at all. */
export function listPlace(site: Site): "words" | "text" | "refused" {
  const { context, word, reference } = site;
  if (
    reference.filter === "quote" ||
    reference.filter === "file" ||
    context !== "bare" ||
    word === null
  )
    return "text";
  if (isWholeWord(site) && takesWords(word.role)) return "words";
  const single =
    word.role === "assignment" || word.role === "case-subject" || word.role === "here-string";
  return single ? "text" : "refused";
}

/** POSIX single quotes around a value: one word for one more shell. */
export function singleQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
