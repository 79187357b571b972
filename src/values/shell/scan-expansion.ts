import { warningAt } from "./problem.ts";
import { type Context, UNKNOWN } from "./scan-model.ts";
import { charTable, type Scan } from "./scan-state.ts";

const IN_SINGLE = charTable("'$\\");
const IN_DOUBLE = charTable('"\\$`');
const NAME = /[A-Za-z_]\w*/y;
const PARAMETER = /(?:[A-Za-z_]\w*|\d+|[@*#?$!-])/y;
const OPERATOR = /:?[-=?+]|##?|%%?/y;
const SPECIAL = "0123456789@*#?$!-";

/** `'…'`, or bash's `$'…'` when the context is "ansi". The position is at the first character. */
export function singleQuoted(scan: Scan, context: "sq" | "ansi"): void {
  const open = scan.pos;
  scan.takeAs("", context === "sq" ? 1 : 2);
  while (!scan.done) {
    const char = scan.peek();
    if (char === "'") return scan.takeAs("", 1);
    if (char === "$") {
      if (!scan.reference(context)) scan.take(1);
    } else if (char === "\\" && context === "ansi") {
      if (scan.peek(1) === "'")
        scan.stop("ansi", "\\' inside $'…' ends the string in one shell and not in another", open);
      else scan.take(Math.min(2, scan.end - scan.pos));
    } else if (char === "\\") scan.take(1);
    else scan.takeUntil(IN_SINGLE);
  }
  scan.stop("unterminated", "unterminated '", open);
}

/** `"…"`; the position is at the quote. */
export function doubleQuoted(scan: Scan): void {
  const open = scan.pos;
  scan.takeAs("", 1);
  while (!scan.done) {
    if (scan.peek() === '"') return scan.takeAs("", 1);
    quotedUnit(scan, "dq");
  }
  scan.stop("unterminated", 'unterminated "', open);
}

/** One piece of `"…"` or of a heredoc body. */
export function quotedUnit(scan: Scan, context: "dq" | "heredoc"): void {
  const char = scan.peek();
  if (char === "\\") {
    const next = scan.peek(1);
    if (next === "\n") scan.pos += 2;
    else if (next !== "" && (`$\`\\`.includes(next) || (next === '"' && context === "dq")))
      scan.takeAs(next, 2);
    else scan.take(Math.min(2, scan.end - scan.pos));
  } else if (char === "$") expansion(scan, context);
  else if (char === "`") backtick(scan);
  else if (char === '"') scan.take(1);
  else scan.takeUntil(IN_DOUBLE);
}

/** Whatever the `$` at the position begins. */
export function expansion(scan: Scan, context: Context): void {
  if (scan.reference(context)) return;
  const start = scan.pos;
  const next = scan.peek(1);
  if (next === "(") {
    if (scan.peek(2) === "(") arithmetic(scan, 3);
    else {
      scan.pos += 2;
      if (continuesOperator(scan))
        return scan.stop("cont-op", "a line continuation inside $((", start);
      scan.commandList(")");
    }
    scan.mark(UNKNOWN);
  } else if (next === "{") {
    scan.nest(() => parameter(scan, context));
    scan.mark(UNKNOWN);
  } else if (next === "'" && context === "bare") singleQuoted(scan, "ansi");
  else if (next === '"' && context === "bare") {
    scan.takeAs("", 1);
    doubleQuoted(scan);
  } else if (next === "[")
    scan.stop("arith-ambiguous", "$[ is arithmetic in bash only; write $(( … ))", start);
  else if (next === "\\" && scan.peek(2) === "\n")
    scan.stop("cont-op", "a line continuation after $", start);
  else otherDollar(scan, next);
}

/** `` `…` ``; the position is at the first backtick. */
export function backtick(scan: Scan): void {
  const open = scan.pos;
  let close = open + 1;
  let escaped = false;
  while (close < scan.end && scan.text[close] !== "`") {
    if (scan.text[close] === "\\") {
      escaped = true;
      close += 1;
    }
    close += 1;
  }
  if (close >= scan.end) return scan.stop("unterminated", "unterminated `", open);
  const { word } = scan;
  scan.word = null;
  scan.pos += 1;
  if (escaped) {
    const why =
      "stands in `…` with a backslash in it, which takes away one level of backslashes first; write $(…)";
    scan.refuseUntil(close, "backtick", why);
  } else scan.within(close, () => scan.commandList(""));
  scan.word = word;
  if (scan.stopped === null) scan.pos = close + 1;
  scan.mark(UNKNOWN);
}

/** `$(( … ))` and `(( … ))`; `opening` is the length of what opens it. */
export function arithmetic(scan: Scan, opening: number): void {
  const open = scan.pos;
  scan.nest(() => {
    scan.word = null;
    scan.pos += opening;
    if (arithmeticBody(scan)) return;
    const why = "(( without a matching )): arithmetic in one shell, commands in another";
    scan.stop("arith-ambiguous", why, open);
  });
}

/** Reads up to and past the closing `))`; false when there is none. */
function arithmeticBody(scan: Scan): boolean {
  let depth = 0;
  while (!scan.done) {
    const char = scan.peek();
    if (char === "$") expansion(scan, "arith");
    else if (char === "`") backtick(scan);
    else if (char === ")" && depth === 0) {
      if (scan.peek(1) !== ")") return false;
      scan.pos += 2;
      return true;
    } else if (char === "'") return false;
    else {
      if (char === "(") depth += 1;
      if (char === ")") depth -= 1;
      scan.pos += char === "\\" ? 2 : 1;
    }
  }
  return false;
}

/** True when a line continuation follows and then more of an operator: dash and bash glue the two. */
export function continuesOperator(scan: Scan): boolean {
  let ahead = 0;
  while (scan.peek(ahead) === "\\" && scan.peek(ahead + 1) === "\n") ahead += 2;
  return ahead > 0 && scan.peek(ahead) !== "" && "<>&|;()-".includes(scan.peek(ahead));
}

function otherDollar(scan: Scan, next: string): void {
  NAME.lastIndex = scan.pos + 1;
  const name = NAME.exec(scan.text)?.[0] ?? "";
  if (name !== "") return scan.takeAs(UNKNOWN, Math.min(name.length + 1, scan.end - scan.pos));
  if (next === "" || !SPECIAL.includes(next)) return scan.take(1);
  if (next === "$" && scan.peek(2) === "{") {
    const reference = scan.recognise(scan.pos + 1)?.reference ?? null;
    if (reference !== null) {
      const message = `$$ is the number of the shell's process here; for a dollar sign before the value write \\$${reference.text}, for a literal ${reference.text} write \\${reference.text}`;
      scan.problems.push(
        warningAt({ start: scan.pos, end: reference.end }, "dollar-dollar", message),
      );
    }
  }
  scan.takeAs(UNKNOWN, 2);
}

/** `${…}` that is the shell's own. */
function parameter(scan: Scan, context: Context): void {
  const open = scan.pos;
  scan.pos += 2;
  if ((scan.peek() === "#" || scan.peek() === "!") && /[\w@*]/.test(scan.peek(1))) scan.pos += 1;
  PARAMETER.lastIndex = scan.pos;
  const name = PARAMETER.exec(scan.text)?.[0] ?? "";
  scan.pos += name.length;
  if (name === "" || scan.pos > scan.end) return scan.stop("unterminated", "unreadable ${", open);
  if (scan.peek() === "\\") return scan.stop("cont-op", "a backslash inside ${", open);
  OPERATOR.lastIndex = scan.pos;
  const operator = OPERATOR.exec(scan.text)?.[0] ?? "";
  scan.pos += operator.length;
  if (operator.endsWith("=")) scan.assigned.add(name);
  const { word } = scan;
  if (scan.peek() !== "}") parameterWord(scan, { context, operator });
  scan.word = word;
  if (scan.done) return scan.stop("unterminated", "unterminated ${", open);
  scan.pos += 1;
}

function parameterWord(scan: Scan, at: { context: Context; operator: string }): void {
  const pattern = at.operator.startsWith("#") || at.operator.startsWith("%");
  const inner = pattern ? "bare" : at.context;
  const read = (): void => {
    if (inner === "dq" || inner === "heredoc") quotedParameterWord(scan, inner);
    else bareParameterWord(scan);
  };
  if (at.operator === "" && scan.peek() === "[") {
    scan.refusing(
      "subscript",
      "stands in an array subscript, which bash evaluates as arithmetic",
      read,
    );
  } else if (at.operator === "" || at.context === "arith") {
    const why =
      "stands inside ${…} where shells read it differently or evaluate it; put the value in a variable first: v=…";
    scan.refusing("inner-param", why, read);
  } else read();
}

function bareParameterWord(scan: Scan): void {
  while (!scan.done && scan.peek() !== "}") {
    const char = scan.peek();
    if (char === "'") singleQuoted(scan, "sq");
    else if (char === '"') doubleQuoted(scan);
    else if (char === "$") expansion(scan, "bare");
    else if (char === "`") backtick(scan);
    else scan.pos += char === "\\" ? 2 : 1;
  }
}

function quotedParameterWord(scan: Scan, context: "dq" | "heredoc"): void {
  const why =
    'stands in quotes inside "${…}", which shells read differently; leave the inner quotes out';
  while (!scan.done && scan.peek() !== "}") {
    if (scan.peek() === '"') scan.refusing("inner-param", why, () => doubleQuoted(scan));
    else if (scan.peek() === "$") expansion(scan, context);
    else if (scan.peek() === "`") backtick(scan);
    else scan.pos += scan.peek() === "\\" ? 2 : 1;
  }
}
