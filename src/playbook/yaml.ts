import { Composer, Lexer, Parser, type CST, type Document } from "yaml";
import type { Range } from "./diagnostic.ts";
import type { Problems } from "./problems.ts";
import { buildTree } from "./build-tree.ts";
import { reportSyntax } from "./syntax-problems.ts";
import type { Tree } from "./tree.ts";

/** Nested brackets and blocks. Handlers nest to depth 5, which needs less than 40. */
const MAX_DEPTH = 100;
const MAX_STRAYS = 1000;
const MAX_MARKS = 1000;

/** What a file of YAML is for, as its problems call it. */
type What = "playbook" | "parameter file" | "config" | "frontmatter";

/** Text to a tree with places; `null` when there is no usable tree: problems say why. */
export function parseYaml(text: string, problems: Problems, what: What = "playbook"): Tree | null {
  const strange = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (strange !== null) {
    const code = (strange[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const message = `control character U+${code}, which no ${what} may hold`;
    const help = "is this a text file? in a text write it as an escape, in double quotes";
    problems.error("control-character", spot(strange.index, text), message, { help });
    return null;
  }
  const tokens = tokenize(text, problems);
  if (tokens === null) return null;
  const document = withoutStacks(() => firstDocument(tokens, text, { problems, what }));
  if (document === null) return null;
  if (reportSyntax(document, text, problems)) return null;
  if (document.contents === null) {
    const help =
      what === "playbook"
        ? "a playbook is a list of steps, such as `- shell: npm test`"
        : "names with their values, such as `version: 1.2.0`";
    problems.error("empty", { start: 0, end: 0 }, `the ${what} is empty`, { help });
    return null;
  }
  return buildTree(document.contents, text, problems);
}

/** One level at a time, so that a file of brackets ends here and not in a stack overflow. */
function tokenize(text: string, problems: Problems): readonly CST.Token[] | null {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let marks = 0;
  let strays = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") strays += 1;
    }
    if (isMark(lexeme)) marks += 1;
    if (marks > MAX_MARKS) {
      const message = `more than ${MAX_MARKS} anchors and tags`;
      problems.error("too-many-anchors", spot(parser.offset, text), message);
      return null;
    }
    // Each stray token is one problem already: after a thousand the file is noise.
    if (strays > MAX_STRAYS) return tokens;
    if (parser.stack.length > MAX_DEPTH) {
      const message = `nested deeper than ${MAX_DEPTH} levels`;
      problems.error("too-deep", spot(parser.offset, text), message);
      return null;
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

/** An anchor or a tag; asked of each lexeme. */
function isMark(lexeme: string): boolean {
  const first = lexeme[0];
  return (first === "&" || first === "!") && !lexeme.includes("\n");
}

function firstDocument(
  tokens: readonly CST.Token[],
  text: string,
  { problems, what }: { readonly problems: Problems; readonly what: What },
): Document.Parsed | null {
  const options = {
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: "silent",
    merge: false,
  } as const;
  let first: Document.Parsed | null = null;
  for (const document of new Composer(options).compose(tokens, true, text.length)) {
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

function spot(offset: number, text: string): Range {
  const start = Math.min(offset, Math.max(0, text.length - 1));
  return { start, end: Math.min(text.length, start + 1) };
}
