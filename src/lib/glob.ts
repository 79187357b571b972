import picomatch from "picomatch";
import { RE2JS } from "re2js";

/** What a picomatch pattern asks to be ahead so that `.`, `..` and the empty path do not match: git names none. */
const ALWAYS_TRUE = [
  String.raw`(?!(?:^|\/)\.{1,2}(?:\/|$))`,
  String.raw`(?!\.{1,2}(?:\/|$))`,
  "(?=.)",
];

/**
 * Matches a pattern in linear time (spec 11): `*a*a*a*a*b` against a name a model chose takes picomatch
 * minutes. `!(...)`, which no linear engine has, stays with picomatch.
 *
 * @param pattern a glob; dots at the start of a name are no obstacle
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  let source = picomatch.makeRe(pattern, { dot: true }).source;
  for (const part of ALWAYS_TRUE) source = source.replaceAll(part, "");
  if (source.includes("(?!") || source.includes("(?="))
    return picomatch(pattern, { dot: true, flags: "s" });
  try {
    const expression = RE2JS.compile(source, RE2JS.DOTALL);
    return (path) => expression.matches(path);
  } catch {
    // A backreference, or larger than RE2 takes.
    return picomatch(pattern, { dot: true, flags: "s" });
  }
}

/** Most `*` in a part of a path for matchers that may backtrack over each of them. */
const MAX_STARS = 3;

/** Would a backtracking matcher take its time: too many `*` in one part, or too many `**`? */
export function isWildGlob(pattern: string): boolean {
  const parts = pattern.split("/");
  const deep = parts.filter((part) => part.includes("**")).length;
  return deep > MAX_STARS || parts.some((part) => (part.match(/\*+/g)?.length ?? 0) > MAX_STARS);
}
