import { type CST, Lexer, Parser } from "yaml";
import { buildTree } from "./build-tree.ts";
import type { Range } from "./diagnostic.ts";
import { Problems } from "./problems.ts";
import { reportSyntax } from "./syntax-problems.ts";
import type { Tree } from "./tree.ts";
import { firstDocument, type What } from "./yaml-document.ts";
import { Pieces } from "./yaml-pieces.ts";

/** Nested brackets and blocks. Handlers nest to depth 5, which needs less than 40. */
const MAX_DEPTH = 100;
const MAX_STRAYS = 1000;
const MAX_MARKS = 1000;
/** In UTF-16 units. Of what is shorter the pieces would save nothing. */
const MIN_LONG = 65_536;
/** Items of a list that are composed at once. */
const PIECE = 50;

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
  const inPieces = text.length < MIN_LONG ? null : parseInPieces(text, PIECE);
  return inPieces ?? parseWhole(text, problems, what);
}

/** As {@link parseYaml}, of a text without control characters. */
export function parseWhole(text: string, problems: Problems, what: What): Tree | null {
  return parse(text, { problems, what, pieces: null });
}

/**
 * The same tree in half of the memory, see {@link Pieces}. `null`: it cannot be read so, or something is wrong with it;
 * read it whole, where all problems are found and told.
 */
export function parseInPieces(text: string, size: number): Tree | null {
  const problems = new Problems(text.length);
  const pieces = new Pieces(text, size, problems);
  const tree = parse(text, { problems, what: "playbook", pieces });
  return pieces.areSound && problems.areNone ? tree : null;
}

interface Parsing {
  readonly problems: Problems;
  readonly what: What;
  readonly pieces: Pieces | null;
}

function parse(text: string, parsing: Parsing): Tree | null {
  const { problems, what, pieces } = parsing;
  const tokens = tokenize(text, parsing);
  if (tokens === null) return null;
  const document = firstDocument(tokens, text, { problems, what });
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
  return buildTree(document.contents, text, { problems, taken: pieces?.taken ?? new Map() });
}

/** One level at a time, so that a file of brackets ends here and not in a stack overflow. */
function tokenize(text: string, { problems, pieces }: Parsing): readonly CST.Token[] | null {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let marks = 0;
  let strays = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") strays += 1;
    }
    pieces?.take(lexeme, parser);
    if (pieces?.areSound === false) return null;
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

function spot(offset: number, text: string): Range {
  const start = Math.min(offset, Math.max(0, text.length - 1));
  return { start, end: Math.min(text.length, start + 1) };
}
