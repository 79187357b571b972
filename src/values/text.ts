/** Text that is not shell text: prompts, `env`, `stdin`, `working_dir`, `commit_message` (spec 3.1). */
import { parseReferenceAt, type Reference } from "./reference.ts";

export interface TextTemplate {
  readonly source: string;
  /** Literal stretches and references, in order. */
  readonly parts: readonly (string | Reference)[];
  readonly references: readonly Reference[];
}

export interface TextProblem {
  readonly code: string;
  readonly message: string;
  readonly help: string;
  readonly start: number;
  readonly end: number;
}

/**
 * One pass over the text; what is inserted later is never scanned again.
 *
 * `$${` is a literal `${`. `${` that begins no reference is a problem, since it can only be a mistake
 * outside of shell text. `$NAME` is a reference for the capital-letter variables, else plain text.
 */
export function compileText(text: string): {
  readonly template: TextTemplate;
  readonly problems: readonly TextProblem[];
} {
  const parts: (string | Reference)[] = [];
  const references: Reference[] = [];
  const problems: TextProblem[] = [];
  let literalFrom = 0;
  const add = (literal: string): void => {
    if (literal !== "") parts.push(literal);
  };
  let at = text.indexOf("$");
  while (at !== -1) {
    if (text.startsWith("$${", at)) {
      add(text.slice(literalFrom, at));
      literalFrom = at + 1;
      at = text.indexOf("$", at + 2);
      continue;
    }
    const found = parseReferenceAt(text, at);
    if (found) {
      if (found.fault !== null)
        problems.push({ ...badReference(text, at), message: `${found.text}: ${found.fault}` });
      add(text.slice(literalFrom, found.start));
      parts.push(found);
      references.push(found);
      literalFrom = found.end;
      at = text.indexOf("$", found.end);
      continue;
    }
    if (text.startsWith("${", at)) problems.push(badReference(text, at));
    at = text.indexOf("$", at + 1);
  }
  add(text.slice(literalFrom));
  return { template: { source: text, parts, references }, problems };
}

function badReference(text: string, at: number): TextProblem {
  const double = doubleBraces(text, at);
  if (double !== null) return double;
  const close = text.indexOf("}", at);
  const end = close === -1 || close - at > 80 ? Math.min(text.length, at + 2) : close + 1;
  return {
    code: "reference-syntax",
    message: `${text.slice(at, end)} is not a reference`,
    help: "write ${name}, ${step.field} or ${name:-fallback}; $${ stands for a literal ${",
    start: at,
    end,
  };
}

const DOUBLE = /\$\{\{([^{}\n]{0,200})\}\}/y;

/** Names of GitHub Actions that have nothing like them here. */
const ELSEWHERE = /^(?:github|matrix|inputs|needs|runner|job|strategy|vars)\./;

/** Every `${{ x }}` of a text. */
export function doubleBracesIn(text: string): readonly TextProblem[] {
  const found: TextProblem[] = [];
  for (let at = text.indexOf("${{"); at !== -1; at = text.indexOf("${{", at + 3)) {
    const problem = text[at - 1] === "$" ? null : doubleBraces(text, at);
    if (problem !== null) found.push(problem);
  }
  return found;
}

/** `${{ x }}` of GitHub Actions and others, with what to write here; `null`: it is none. */
function doubleBraces(text: string, at: number): TextProblem | null {
  DOUBLE.lastIndex = at;
  const [whole, inside = ""] = DOUBLE.exec(text) ?? [];
  if (whole === undefined) return null;
  const name = inside
    .trim()
    .replace(/^steps\.([\w-]+)\.outputs\.(\w+)$/, "$1.$2")
    .replace(/^secrets\.(\w+)$/, "env.$1");
  const written = `\${${name}}`;
  const isName = !ELSEWHERE.test(name) && parseReferenceAt(written, 0)?.end === written.length;
  return {
    code: "reference-syntax",
    message: `${whole} is not a reference`,
    help: isName ? `write ${written}` : "write ${name} or ${step.field}, with one brace",
    start: at,
    end: at + whole.length,
  };
}
