/** A condition's text to a tree of the official library, or what is wrong with it and where (spec 2.5). */
import {
  Binary,
  ContextAccess,
  type Expr,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Star,
  Unary,
} from "@actions/expressions/ast";
import { Null } from "@actions/expressions/data/index";
import { wellKnownFunctions } from "@actions/expressions/funcs";
import { Lexer, type Token, TokenType } from "@actions/expressions/lexer";
import { Parser } from "@actions/expressions/parser";
import { nearest } from "../../lib/nearest.ts";
import type { Reference } from "../reference.ts";
import { FUNCTION_NAMES, STATUS_FUNCTIONS } from "./function-names.ts";
import { libraryProblem } from "./library-problem.ts";
import { type ConditionProblem, prepareCondition } from "./prepare.ts";

/** A reference of a condition: what the scope looks up, and where to go from there. */
export interface ConditionReference {
  /** Its path has one part, or two: `name`, `step.field`. */
  readonly reference: Reference;
  /** Into the value: fields and indexes. */
  readonly rest: readonly (string | number)[];
}

export interface Condition {
  readonly source: string;
  readonly tree: Expr;
  /** By the node of the tree that stands for it. */
  readonly references: ReadonlyMap<Expr, ConditionReference>;
  /** Asks `success()`, `failure()` or `always()`. */
  readonly asksStatus: boolean;
}

/** The library's own limit. */
const MAX_LENGTH = 21_000;
/** `a == b == c ...` nests without brackets; each level is a few frames of the evaluator's stack. */
const MAX_NESTING = 200;

const FIELD = /^[A-Za-z_][\w-]*$/;

/** `condition` is `null` exactly when there are problems. Never throws. */
export function compileCondition(source: string): {
  readonly condition: Condition | null;
  readonly problems: readonly ConditionProblem[];
} {
  const failed = (problems: readonly ConditionProblem[]) => ({ condition: null, problems });
  if (source.length > MAX_LENGTH) return failed([tooLong(source)]);
  if (source.trim() === "") {
    const message = "the condition is empty";
    return failed([{ code: "condition-syntax", message, start: 0, end: source.length }]);
  }
  const prepared = prepareCondition(source);
  if (prepared.problems.length > 0) return failed(prepared.problems);
  let tree: Expr;
  try {
    const { tokens } = new Lexer(prepared.text).lex();
    const problems = checkTokens(tokens, source, prepared.references);
    if (problems.length > 0) return failed(problems);
    const names = tokens.flatMap(({ type, lexeme }) =>
      type === TokenType.IDENTIFIER ? [lexeme] : [],
    );
    tree = new Parser(tokens, names, STATUS_FUNCTIONS).parse();
  } catch (error) {
    return failed([libraryProblem(error, source)]);
  }
  const found = lookThrough(tree, prepared.references);
  if (found === null) {
    const message = `the condition is nested deeper than ${MAX_NESTING} levels`;
    return failed([{ code: "condition-too-long", message, start: 0, end: source.length }]);
  }
  const { badFormats, references, asksStatus } = found;
  if (badFormats.length > 0) return failed(badFormats);
  return { condition: { source, tree, references, asksStatus }, problems: [] };
}

/** Where a token begins: no line end is left outside of quotes, so the column counts from the text's start. */
function offsetOf(token: Token): number {
  return token.range.start.column;
}

function tooLong(source: string): ConditionProblem {
  return {
    code: "condition-too-long",
    message: `the condition has ${source.length} characters, more than ${MAX_LENGTH}`,
    help: "let a shell step decide, and capture its answer as an output",
    start: 0,
    end: source.length,
  };
}

/** What the parser would read as something else, or not name; and the texts as they are meant. */
function checkTokens(
  tokens: readonly Token[],
  source: string,
  references: ReadonlyMap<number, Reference>,
): readonly ConditionProblem[] {
  const problems: ConditionProblem[] = [];
  for (const [index, token] of tokens.entries()) {
    const start = offsetOf(token);
    const end = start + token.lexeme.length;
    // The library replaces the first `''` only (seen in 0.3.61); GitHub itself replaces all.
    if (token.type === TokenType.STRING)
      token.value = source
        .slice(start + 1, end - 1)
        .replaceAll("''", "'")
        .replaceAll("$${", "${");
    if (token.type !== TokenType.IDENTIFIER) continue;
    const called = tokens[index + 1]?.type === TokenType.LEFT_PAREN;
    const isField = tokens[index - 1]?.type === TokenType.DOT;
    const reference = references.get(start);
    if (reference !== undefined && (called || isField)) {
      const message = `${reference.text} cannot be the name of a ${called ? "function" : "field"}`;
      problems.push({ code: "condition-syntax", message, start, end });
    } else if (called && !isField && !FUNCTION_NAMES.has(token.lexeme.toLowerCase())) {
      problems.push(unknownFunction(token.lexeme, start, end));
    }
  }
  return problems;
}

/** What people call, and what to write here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["hashfiles", "let a shell step look, and capture its answer as an output"],
  ["cancelled", "nothing runs after a Ctrl-C"],
  ["not", "write ! before what is to be false"],
]);

function unknownFunction(name: string, start: number, end: number): ConditionProblem {
  const near = nearest(name, FUNCTION_NAMES.values());
  const known = [...FUNCTION_NAMES.values()].join(", ");
  const help =
    ELSEWHERE.get(name.toLowerCase()) ??
    (near === null ? `the functions are ${known}` : `did you mean \`${near}\`?`);
  return { code: "unknown-function", message: `there is no function ${name}`, help, start, end };
}

/** `null`: nested too deep. Iterative, since the tree is not bounded yet. */
function lookThrough(
  tree: Expr,
  written: ReadonlyMap<number, Reference>,
):
  | (Pick<Condition, "references" | "asksStatus"> & {
      readonly badFormats: readonly ConditionProblem[];
    })
  | null {
  const references = new Map<Expr, ConditionReference>();
  const badFormats: ConditionProblem[] = [];
  let asksStatus = false;
  const todo = [{ node: tree, depth: 1 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { node, depth } = next;
    if (depth > MAX_NESTING) return null;
    const reference = referenceOf(node, written);
    if (reference !== null) {
      references.set(node, reference);
      continue;
    }
    if (node instanceof FunctionCall) {
      const name = node.functionName.lexeme.toLowerCase();
      asksStatus ||= STATUS_FUNCTIONS.some((each) => name === each.name);
      const problem = name === "format" ? badFormat(node) : null;
      if (problem !== null) badFormats.push(problem);
    }
    // In reverse: the references come out in the order they stand.
    for (const child of childrenOf(node).toReversed()) todo.push({ node: child, depth: depth + 1 });
  }
  return { references, asksStatus, badFormats };
}

/** Known now when the text with the braces is written in the condition. */
function badFormat({ functionName, args }: FunctionCall): ConditionProblem | null {
  const [text] = args;
  if (!(text instanceof Literal)) return null;
  try {
    wellKnownFunctions["format"]?.call(text.literal, ...args.slice(1).map(() => new Null()));
    return null;
  } catch {
    const start = offsetOf(text.token);
    return {
      code: "format-text",
      message: `${functionName.lexeme} cannot fill this text`,
      help: "{0} stands for the first value behind it, {{ and }} for braces",
      start,
      end: start + text.token.lexeme.length,
    };
  }
}

function childrenOf(node: Expr): readonly Expr[] {
  if (node instanceof Binary) return [node.left, node.right];
  if (node instanceof Logical || node instanceof FunctionCall) return node.args;
  if (node instanceof Unary) return [node.expr];
  if (node instanceof Grouping) return [node.group];
  if (node instanceof IndexAccess)
    return node.index instanceof Star ? [node.expr] : [node.expr, node.index];
  return [];
}

function referenceOf(
  node: Expr,
  written: ReadonlyMap<number, Reference>,
): ConditionReference | null {
  if (node instanceof ContextAccess) {
    const reference = written.get(offsetOf(node.name));
    if (reference === undefined) return bare([node.name.lexeme], node.name, node.name);
    const parts = typeof reference.path[1] === "string" ? 2 : 1;
    const { path } = reference;
    return { reference: { ...reference, path: path.slice(0, parts) }, rest: path.slice(parts) };
  }
  if (!(node instanceof IndexAccess) || !(node.expr instanceof ContextAccess)) return null;
  const { name } = node.expr;
  if (written.has(offsetOf(name)) || !(node.index instanceof Literal)) return null;
  const { token, literal } = node.index;
  if (token.type !== TokenType.IDENTIFIER && token.type !== TokenType.STRING) return null;
  // `list['0']` is an index: no field is called so.
  const field = literal.coerceString();
  return FIELD.test(field) ? bare([name.lexeme, field], name, token) : null;
}

/** A name without braces, from one token to another. */
function bare(path: readonly string[], first: Token, last: Token): ConditionReference {
  const [start, end] = [offsetOf(first), offsetOf(last) + last.lexeme.length];
  const name = path.join(".");
  const text = name;
  const none = null;
  return {
    reference: { name, path, filter: none, fallback: none, start, end, text, fault: none },
    rest: [],
  };
}
