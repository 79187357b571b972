/** Text to value: `capture:` of an output (spec 3.3). Linear in the text, whatever it holds. */
import { JSONPath } from "jsonpath-plus";
import { RE2JS } from "re2js";
import { err, ok, type Result } from "../lib/result.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { OutputRule } from "../playbook/model.ts";
import type { Value } from "../values/value.ts";

type CaptureRule = Extract<OutputRule, { kind: "capture" }>;

/** The error says what was there instead. */
export function captureValue(text: string, rule: CaptureRule): Result<Value, string> {
  switch (rule.capture) {
    case "count":
      return ok(matchesOf(text, rule.pattern ?? "\n").length);
    case "lines": {
      const lines = text.split(/\r?\n/);
      if (lines.at(-1) === "") lines.pop();
      const { pattern } = rule;
      return ok(
        pattern === undefined ? lines : lines.filter((line) => matchesOf(line, pattern).length > 0),
      );
    }
    case "json":
      return jsonOf(text, rule);
    case "text":
      return picked(text, rule.pattern);
    case "number": {
      const found = picked(text, rule.pattern);
      if (!found.ok) return found;
      const number = Number(found.value.trim());
      if (found.value.trim() !== "" && Number.isFinite(number)) return ok(number);
      return err(`${shown(found.value)} is not a number`);
    }
    case "boolean": {
      const found = picked(text, rule.pattern);
      if (!found.ok) return found;
      const word = found.value.trim().toLowerCase();
      if (word === "true" || word === "false") return ok(word === "true");
      return err(`${shown(found.value)} is neither true nor false`);
    }
    default:
      return unreachable(rule.capture);
  }
}

/** The text without its last line ends, as `$( )` does; with a pattern its first match (or group 1 of it). */
function picked(text: string, pattern: string | undefined): Result<string, string> {
  if (pattern === undefined) return ok(text.replace(/[\r\n]+$/, ""));
  const [first] = matchesOf(text, pattern, 1);
  return first === undefined
    ? err(`nothing matches ${pattern}; the text is ${shown(text)}`)
    : ok(first);
}

/** A literal, or `/regex/flags` in linear time (RE2 syntax: no back references, no look-around). */
function matchesOf(text: string, pattern: string, most = Infinity): readonly string[] {
  const regex = /^\/(.+)\/([gimsu]*)$/s.exec(pattern);
  const found: string[] = [];
  if (regex === null) {
    for (let at = text.indexOf(pattern); at !== -1 && found.length < most;) {
      found.push(pattern);
      at = text.indexOf(pattern, at + Math.max(1, pattern.length));
    }
    return found;
  }
  const matcher = compileRegex(regex[1] ?? "", regex[2] ?? "").matcher(text);
  while (found.length < most && matcher.find()) {
    found.push((matcher.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? "");
  }
  return found;
}

function compileRegex(source: string, flags: string): RE2JS {
  let bits = 0;
  if (flags.includes("i")) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes("m")) bits |= RE2JS.MULTILINE;
  if (flags.includes("s")) bits |= RE2JS.DOTALL;
  return RE2JS.compile(source, bits);
}

function jsonOf(text: string, rule: CaptureRule): Result<Value, string> {
  const found = lastJson(text);
  if (!found.ok) return found;
  if (rule.path === undefined) return found;
  // `eval: false`: a path is looked up, filters and scripts are refused.
  let result: unknown;
  try {
    // Scalars are accepted too; the type of the library is narrower.
    result = JSONPath({ path: rule.path, json: found.value as object, wrap: false, eval: false });
  } catch (error) {
    return err(
      `the path ${rule.path} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (result === undefined)
    return err(`nothing at ${rule.path} in ${shown(JSON.stringify(found.value))}`);
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
