/** References of a condition found and blanked out, so that the official lexer reads the rest (spec 2.5). */
import { parseReferenceAt, type Reference } from "../reference.ts";

/** What is wrong with a condition; offsets into its text. */
export interface ConditionProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly start: number;
  readonly end: number;
}

export interface Prepared {
  /** As long as the source: each offset is the same in both. */
  readonly text: string;
  /** `${...}` and `$NAME` by their offset; identifiers stand in their place. */
  readonly references: ReadonlyMap<number, Reference>;
  readonly problems: readonly ConditionProblem[];
}

// `${a-b}` is the shell's default in other texts; in a condition no shell reads it.
const HYPHENATED =
  /\$\{([A-Za-z_]\w{0,199}(?:-\w{1,99}){1,20})((?:\[\d{1,9}\]){0,20})(?::-([^}\n]{0,1000}))?\}/y;

const GLUE_BEFORE = /[\w-]/;
const GLUE_AFTER = /[\w$'"{-]/;

/** One pass. Values never come near this text: an inserted value cannot become an expression. */
export function prepareCondition(source: string): Prepared {
  const pieces: string[] = [];
  const references = new Map<number, Reference>();
  const problems: ConditionProblem[] = [];
  const open: number[] = [];
  let at = 0;
  while (at < source.length) {
    const next = stretch(source, at);
    if (next > at) {
      pieces.push(source.slice(at, next).replace(/[\r\n]/g, " "));
      at = next;
    } else if (source[at] === "'") {
      const end = endOfText(source, at);
      const quoted = quotedReference(source, at, end);
      if (quoted !== null) problems.push(quoted);
      pieces.push(source.slice(at, end));
      at = end;
    } else if (source.startsWith("${{", at)) {
      open.push(at);
      pieces.push("(  ");
      at += 3;
    } else if (source[at] === "}") {
      const closes = open.length > 0 && source[at + 1] === "}";
      if (closes) open.pop();
      pieces.push(closes ? " )" : "}");
      at += closes ? 2 : 1;
    } else {
      const reference = referenceAt(source, at);
      if (reference === null) {
        problems.push(badReference(source, at));
        pieces.push("_");
        at += 1;
        continue;
      }
      problems.push(...problemsOf(reference, source));
      references.set(at, reference);
      pieces.push("_".repeat(reference.end - at));
      at = reference.end;
    }
  }
  for (const start of open)
    problems.push({
      code: "condition-syntax",
      message: "this ${{ is not closed",
      help: "write ${{ name }}, or the expression without braces",
      start,
      end: start + 3,
    });
  return { text: pieces.join(""), references, problems };
}

/** Up to the next character that means something here. */
function stretch(source: string, from: number): number {
  SPECIAL.lastIndex = from;
  return SPECIAL.exec(source)?.index ?? source.length;
}

const SPECIAL = /['$}]/g;

/** Behind the closing quote; `''` is a quote inside the text. The lexer tells of one that is not closed. */
function endOfText(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] !== "'") continue;
    if (source[at + 1] !== "'") return at + 1;
    at += 1;
  }
  return source.length;
}

function referenceAt(source: string, at: number): Reference | null {
  const found = parseReferenceAt(source, at);
  if (found !== null) return found;
  HYPHENATED.lastIndex = at;
  const [text, name, indexes = "", fallback] = HYPHENATED.exec(source) ?? [];
  if (text === undefined || name === undefined) return null;
  const path = [name, ...[...indexes.matchAll(/\d+/g)].map(([digits]) => Number(digits))];
  const end = at + text.length;
  return {
    name: name + indexes,
    path,
    filter: null,
    fallback: fallback ?? null,
    start: at,
    end,
    text,
    fault: null,
  };
}

function problemsOf(reference: Reference, source: string): ConditionProblem[] {
  const { start, end, text, fault, filter } = reference;
  const problems: ConditionProblem[] = [];
  if (fault !== null)
    problems.push({ code: "reference-syntax", message: `${text}: ${fault}`, start, end });
  if (filter !== null)
    problems.push({
      code: "filter-in-text",
      message: `${text}: the filter ${filter} belongs to shell text`,
      help: "leave it out",
      start,
      end,
    });
  if (GLUE_BEFORE.test(source[start - 1] ?? "") || GLUE_AFTER.test(source[end] ?? ""))
    problems.push({
      code: "condition-syntax",
      message: `an operator is missing beside ${text}`,
      help: "texts are put together with format('{0}{1}', a, b)",
      start,
      end,
    });
  return problems;
}

/** `'${x}'` is not the value of x, in no language of conditions; nobody means the text. */
function quotedReference(source: string, start: number, end: number): ConditionProblem | null {
  for (let at = source.indexOf("$", start); at !== -1 && at < end; at = source.indexOf("$", at)) {
    if (source.startsWith("$${", at)) {
      at += 3;
      continue;
    }
    const found = referenceAt(source, at);
    if (found !== null && found.end <= end) {
      return {
        code: "quoted-reference",
        message: `${found.text} stands in quotes, where it is plain text`,
        help: `write ${found.text} without quotes; $\${ stands for a literal \${`,
        start: found.start,
        end: found.end,
      };
    }
    at += 1;
  }
  return null;
}

function badReference(source: string, at: number): ConditionProblem {
  const close = source.indexOf("}", at);
  const end =
    source[at + 1] !== "{" ? at + 1 : close === -1 || close - at > 80 ? at + 2 : close + 1;
  return {
    code: "reference-syntax",
    message: `${source.slice(at, end)} is not a reference`,
    help: "write ${name}, ${step.field}, ${name:-fallback} or a name without braces",
    start: at,
    end: Math.min(end, source.length),
  };
}
