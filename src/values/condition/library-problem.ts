/** Errors of the library's lexer and parser as problems with a place and what to write instead. */
import { ErrorType, ExpressionError } from "@actions/expressions/errors";
import { wellKnownFunctions } from "@actions/expressions/funcs";
import { FUNCTION_NAMES } from "./function-names.ts";
import type { ConditionProblem } from "./prepare.ts";

/** Where the lexer, which throws plain errors, was. */
const LEXER_PLACE = /Located at position (\d+) within expression: /;

/** Whatever was thrown: the place in the source, and our own words. */
export function libraryProblem(error: unknown, source: string): ConditionProblem {
  if (error instanceof ExpressionError) {
    const typ: unknown = Reflect.get(error, "typ");
    return parserProblem(typ, error.pos.column, source);
  }
  const message = error instanceof Error ? error.message : String(error);
  const position = LEXER_PLACE.exec(message)?.[1];
  if (position !== undefined) return symbolProblem(Number(position) - 1, source);
  return syntax(`the condition cannot be read: ${message.slice(0, 200)}`, 0, source.length);
}

function parserProblem(typ: unknown, start: number, source: string): ConditionProblem {
  const word = wordAt(source, start);
  const end = start + word.length;
  switch (typ) {
    case ErrorType.ErrorUnexpectedEndOfExpression:
      return syntax("the condition ends where something should follow", start, end);
    case ErrorType.ErrorExceededMaxDepth:
      return {
        code: "condition-too-long",
        message: "the condition is nested deeper than 50 levels",
        help: "let a shell step decide, and capture its answer as an output",
        start,
        end,
      };
    case ErrorType.ErrorTooFewParameters:
    case ErrorType.ErrorTooManyParameters:
    case ErrorType.ErrorEvenParameters:
      return wrongArguments(word, start, end);
    default:
      return symbolProblem(start, source);
  }
}

function wrongArguments(word: string, start: number, end: number): ConditionProblem {
  const key = word.toLowerCase();
  const name = FUNCTION_NAMES.get(key) ?? word;
  const { minArgs, maxArgs } = wellKnownFunctions[key] ?? { minArgs: 0, maxArgs: 0 };
  const takes =
    key === "case"
      ? "tests each with its value, and a value for when none is true"
      : maxArgs === 0
        ? "no values"
        : minArgs === maxArgs
          ? `${minArgs} value${minArgs === 1 ? "" : "s"}`
          : `${minArgs} to ${maxArgs} values`;
  return { code: "function-arguments", message: `${name} takes ${takes}`, start, end };
}

/** What people know from other languages, and what is written here. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["=", "write == to compare"],
  ["===", "write =="],
  ["&", "write && for and"],
  ["|", "write || for or"],
  ["and", "write && for and"],
  ["or", "write || for or"],
  ["not", "write ! for not"],
  ["in", "write contains(list, value)"],
  ["is", "write =="],
]);

function symbolProblem(start: number, source: string): ConditionProblem {
  if (start >= source.length)
    return syntax(
      "the condition ends where something should follow",
      source.length - 1,
      source.length,
    );
  const word = wordAt(source, start);
  const end = start + word.length;
  if (word.startsWith("'") && !source.slice(start + 1).includes("'"))
    return syntax("this text is not closed", start, end, "it ends with a single quote, as in 'x'");
  const help = word.includes('"')
    ? "texts stand in single quotes, as in 'x'"
    : WORDS.get(word.toLowerCase());
  const shown = word.length > 40 ? `${word.slice(0, 39)}…` : word;
  return syntax(`${shown} cannot stand here`, start, end, help);
}

/** From an offset to the next white space or bracket: what the eye takes for one word. */
function wordAt(source: string, start: number): string {
  const rest = source.slice(start, start + 200);
  const match = /^(?:\$\{[^}]*\}|'[^']*'?|"[^"]*"?|[\w$-]+|[=!<>&|]+|[^\s()[\],\w]+|[\s\S])/.exec(
    rest,
  );
  return match?.[0] ?? source.slice(start, start + 1);
}

function syntax(message: string, start: number, end: number, help?: string): ConditionProblem {
  const problem = { code: "condition-syntax", message, start, end };
  return help === undefined ? problem : { ...problem, help };
}
