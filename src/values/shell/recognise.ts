import { isCapitalName } from "../names.ts";
import { isDotted, parseReferenceAt, type Reference } from "../reference.ts";
import { errorAt, warningAt } from "./problem.ts";
import type { Recognised, Recogniser } from "./scan-model.ts";

/** `${#name`, `${name` and what follows the name: the shell's own operators. */
const OPERATOR = /\$\{([#!]?)([A-Za-z_]\w{0,199}(?:\.\w{1,99}){0,20})(?:([^}\w'"])|$)/y;
/** In a fallback these would mean something to a shell, and here they would not. */
const SHELL_TEXT = /["'`\\${]/;

/** Says which `$` of a text are mmm's: dotted names always, plain ones when known and not set by the text itself. */
export function recogniser(
  text: string,
  isKnown: (name: string) => boolean,
  assigned: ReadonlySet<string>,
): Recogniser {
  const isOurs = (name: string): boolean => !assigned.has(name) && isKnown(name);
  return (offset) => {
    const reference = parseReferenceAt(text, offset);
    if (reference === null) return operatorOnKnown(text, offset, isOurs);
    if (!isMine(reference, isOurs)) return null;
    const { end } = reference;
    const message = faultOf(reference);
    if (message === null) return { reference, end, problem: null };
    const code = reference.fallback === null ? "filter" : "fallback";
    return { reference: null, end, problem: errorAt(reference, code, message) };
  };
}

/** True when something in the text looks like a reference, wherever it stands. */
export function holdsReference(text: string, recognise: Recogniser): boolean {
  for (let at = text.indexOf("$"); at !== -1; at = text.indexOf("$", at + 1)) {
    const found = recognise(at);
    if (found !== null && (found.reference !== null || found.problem?.severity === "error"))
      return true;
  }
  return false;
}

function isMine(reference: Reference, isOurs: (name: string) => boolean): boolean {
  const first = reference.path[0];
  // `${a-b.c}` is valid shell: only a name that is known to exist makes it ours.
  if (String(first).includes("-")) return isOurs(reference.name);
  return isDotted(reference.name) || isOurs(String(first));
}

function faultOf(reference: Reference): string | null {
  if (reference.fault !== null) return `${reference.text}: ${reference.fault}`;
  if (reference.fallback !== null && SHELL_TEXT.test(reference.fallback)) {
    return `the fallback in ${reference.text} is inserted as literal text, so it cannot hold quotes, $, \`, \\ or {; write it plainly`;
  }
  return null;
}

function operatorOnKnown(
  text: string,
  offset: number,
  isOurs: (name: string) => boolean,
): Recognised | null {
  OPERATOR.lastIndex = offset;
  const match = OPERATOR.exec(text);
  const name = match?.[2] ?? "";
  if (match === null) return null;
  const span = { start: offset, end: offset + match[0].length };
  if (isDotted(name)) {
    const message = `${match[0]} is no reference: after a name with a dot only }, |filter} and :-fallback} may follow`;
    return { reference: null, end: span.end, problem: errorAt(span, "reference", message) };
  }
  if (isCapitalName(name) || !isOurs(name)) return null;
  const message = `${name} is a value of the playbook, not a shell variable, so ${match[0]}…} finds it unset; put it in a variable first: v=\${${name}}`;
  return { reference: null, end: offset, problem: warningAt(span, "shell-operator", message) };
}
