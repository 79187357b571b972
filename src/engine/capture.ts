/** Text to value: `capture:` of an output (spec 3.3). Linear in the text, whatever it holds. */
import { JSONPath } from "jsonpath-plus";
import { MOST_PLACES, placesOf } from "../lib/json-path-cost.ts";
import { compilePattern, isTooCostly } from "../lib/pattern.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { OutputRule } from "../playbook/model.ts";
import { isList, itemText, textOf, type Value } from "../values/value.ts";

type CaptureRule = Extract<OutputRule, { kind: "capture" }>;

/** The error says what was there instead. */
export function captureValue(text: string, rule: CaptureRule): Result<Value, string> {
  if (rule.capture === "count") {
    const all = matchesOf(text, rule.pattern ?? "\n");
    return all.ok ? ok(all.value.length) : all;
  }
  if (rule.capture === "lines") return linesOf(text, rule);
  if (rule.capture === "json") {
    const source = rule.pattern === undefined ? ok(text) : picked(text, rule.pattern);
    return source.ok ? jsonOf(source.value, rule.path) : source;
  }
  const source = scalarText(text, rule);
  if (!source.ok) return source;
  const word = source.value.trim();
  switch (rule.capture) {
    case "text":
      return source;
    case "number": {
      const number = Number(word);
      if (word !== "" && Number.isFinite(number)) return ok(number);
      return err(`${shown(source.value)} is not a number`);
    }
    case "boolean": {
      const lower = word.toLowerCase();
      if (lower === "true" || lower === "false") return ok(lower === "true");
      return err(`${shown(source.value)} is neither true nor false`);
    }
    default:
      return unreachable(rule.capture);
  }
}

/** With `path` the text of what stands there in the JSON; then the first match of `pattern`. */
function scalarText(text: string, rule: CaptureRule): Result<string, string> {
  if (rule.path === undefined) return picked(text, rule.pattern);
  const found = jsonOf(text, rule.path);
  return found.ok ? picked(textOf(found.value), rule.pattern) : found;
}

/** Lines of the text, or the items of the list at `path`; with `pattern` those that match. */
function linesOf(text: string, { path, pattern }: CaptureRule): Result<Value, string> {
  const found = path === undefined ? ok(text) : jsonOf(text, path);
  if (!found.ok) return found;
  const lines = isList(found.value) ? found.value.map(itemText) : splitLines(textOf(found.value));
  if (pattern === undefined) return ok(lines);
  const search = searcherOf(pattern, text.length);
  return search.ok ? ok(lines.filter((line) => search.value(line, 1).length > 0)) : search;
}

function splitLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The text without its last line ends, as `$( )` does; with a pattern its first match (or group 1 of it). */
function picked(text: string, pattern: string | undefined): Result<string, string> {
  if (pattern === undefined) return ok(withoutLineEnds(text));
  const matches = matchesOf(text, pattern, 1);
  if (!matches.ok) return matches;
  const [first] = matches.value;
  return first === undefined
    ? err(`nothing matches ${pattern}; the text is ${shown(text)}`)
    : ok(first);
}

/** By hand: `/[\r\n]+$/` takes quadratic time on a text of line ends. */
function withoutLineEnds(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end -= 1;
  return text.slice(0, end);
}

function matchesOf(
  text: string,
  pattern: string,
  most?: number,
): Result<readonly string[], string> {
  const search = searcherOf(pattern, text.length);
  return search.ok ? ok(search.value(text, most)) : search;
}

type Search = (text: string, most?: number) => readonly string[];

/** For texts of so many characters, all together. */
function searcherOf(pattern: string, characters: number): Result<Search, string> {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) return compiled;
  if (isTooCostly(pattern, compiled.value, characters)) {
    const mib = (characters / 1024 / 1024).toFixed(1);
    return err(`the pattern ${shown(pattern)} would take too long in ${mib} Mi characters`);
  }
  return ok((text, most = Infinity) => {
    const found: string[] = [];
    const matcher = compiled.value.matcher(text);
    while (found.length < most && matcher.find()) {
      found.push((matcher.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? "");
    }
    return found;
  });
}

function jsonOf(text: string, path: string | undefined): Result<Value, string> {
  const found = lastJson(text);
  if (!found.ok) return found;
  if (path === undefined) return found;
  if (placesOf(path, found.value) > MOST_PLACES)
    return err(
      `the path ${path} may look at more than a million places here: write out more of it`,
    );
  // `eval: false`: a path is looked up, filters and scripts are refused.
  let result: unknown;
  try {
    // Scalars are accepted too; the type of the library is narrower.
    result = JSONPath({ path, json: found.value as object, wrap: false, eval: false });
  } catch (error) {
    if (error instanceof RangeError) return err(`the JSON is nested too deep for the path ${path}`);
    const why = error instanceof Error ? error.message : String(error);
    return err(`the path ${path} cannot be used: ${why}`);
  }
  if (result === undefined)
    return err(`nothing at ${path} in ${shown(JSON.stringify(found.value))}`);
  return ok(result as Value); // A part of parsed JSON.
}

/** The last JSON value in a text: the whole, the last fenced block that parses, or the last one in prose. */
function lastJson(text: string): Result<Value, string> {
  const whole = parse(text.trim());
  if (whole !== undefined) return ok(whole);
  const fences = [...text.matchAll(/^[ \t]*```[^\n]*\n([\s\S]*?)^[ \t]*```/gm)];
  for (const fence of fences.reverse()) {
    const value = parse((fence[1] ?? "").trim());
    if (value !== undefined) return ok(value);
  }
  const inProse = lastInProse(text);
  if (inProse !== undefined) return ok(inProse);
  return err(`no JSON in ${shown(text)}`);
}

/** How much of a text is looked at again at most, after brackets that open nothing. */
const PROSE_BUDGET = 4;

function lastInProse(text: string): Value | undefined {
  let budget = text.length * PROSE_BUDGET + 100_000;
  let last: Value | undefined;
  for (let at = nextBracket(text, 0); at !== -1 && budget > 0;) {
    const end = balancedEnd(text, at);
    const value = end === -1 ? undefined : parse(text.slice(at, end));
    budget -= (end === -1 ? text.length : end) - at;
    if (value !== undefined) last = value;
    at = nextBracket(text, value === undefined ? at + 1 : end);
  }
  return last;
}

function nextBracket(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1)
    if (text[at] === "{" || text[at] === "[") return at;
  return -1;
}

function balancedEnd(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") depth += 1;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
  return -1;
}

function parse(text: string): Value | undefined {
  try {
    return JSON.parse(text) as Value; // JSON holds nothing but Values.
  } catch {
    // Not JSON here; the caller looks elsewhere and says so in the end.
    return undefined;
  }
}

function shown(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  if (line === "") return "an empty text";
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 77)}...` : line);
}
