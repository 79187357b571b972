import { Composer, type CST, type Document } from "yaml";
import type { Problems } from "./problems.ts";

/** What a file of YAML is for, as its problems call it. */
export type What = "playbook" | "parameter file" | "config" | "frontmatter";

const OPTIONS = {
  prettyErrors: false,
  uniqueKeys: false,
  logLevel: "silent",
  merge: false,
} as const;

interface Told {
  readonly problems: Problems;
  readonly what: What;
}

/** `null`: it is not the only one, which is reported. */
export function firstDocument(
  tokens: readonly CST.Token[],
  text: string,
  told: Told,
): Document.Parsed | null {
  return withoutStacks(() => composeFirst(tokens, text, told));
}

function composeFirst(
  tokens: readonly CST.Token[],
  text: string,
  { problems, what }: Told,
): Document.Parsed | null {
  let first: Document.Parsed | null = null;
  for (const document of new Composer(OPTIONS).compose(tokens, true, text.length)) {
    if (first !== null) {
      const marker = text.indexOf("---", first.range[1]);
      const isMarked = marker !== -1 && marker < Math.max(document.range[1], document.range[0] + 1);
      const start = Math.min(isMarked ? marker : document.range[0], text.length);
      const end = Math.min(start + (isMarked ? 3 : 1), text.length);
      const several = `a ${what} is one YAML document, this file has several`;
      problems.error("several-documents", { start, end }, several, {
        help: `put each ${what} into a file of its own`,
      });
      return null;
    }
    first = document;
  }
  return first;
}

/** Nobody sees the stack of a syntax error, and recording it takes most of the time of a file of noise. */
function withoutStacks<T>(compose: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return compose();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
