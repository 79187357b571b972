import { array, assert, constantFrom, property } from "fast-check";
import picomatch from "picomatch";
import { expect, test } from "vitest";
import { globMatcher, isWildGlob } from "../../src/lib/glob.ts";

test("a pattern of many stars is linear, whatever the name is (spec 11)", () => {
  const matches = globMatcher(`${"*a".repeat(30)}*b`);
  const deep = globMatcher(`${"**/a/".repeat(20)}b`);

  expect(matches("a".repeat(250))).toBe(false);
  expect(matches(`${"a".repeat(250)}b`)).toBe(true);
  expect(deep("a/".repeat(2000))).toBe(false);
});

test("it matches what picomatch matches", () => {
  const piece = constantFrom(
    "a",
    "b",
    ".",
    "*",
    "**",
    "/",
    "?",
    "[ab]",
    "{a,b}",
    "+(a)",
    "@(a|b)",
    "!(a)",
    "\\*",
  );
  const name = constantFrom("a", "b", ".", "/a", "/.b", "ab", "*");
  assert(
    property(
      array(piece, { minLength: 1, maxLength: 5 }),
      array(name, { minLength: 1, maxLength: 4 }),
      (pieces, names) => {
        const path = names.join("").replace(/^\/+/, "");
        // git names no such path
        if (path === "" || /(^|\/)\.{1,2}(\/|$)/.test(path)) return;
        const pattern = pieces.join("");
        expect(globMatcher(pattern)(path)).toBe(picomatch(pattern, { dot: true })(path));
      },
    ),
    { numRuns: 2000, seed: 11 },
  );
});

test("a file name with a line end is a name as any other", () => {
  expect(globMatcher("**/*.md")("a\nb/c\nd.md")).toBe(true);
  for (const pattern of ["d/**", "d/*", "**", "!(x)/**"])
    expect(globMatcher(pattern)("d/a\nb\n"), pattern).toBe(true);
});

test.each([
  ["specs/*.md", false],
  ["**/*-*-*.md", false],
  ["*a*a*a*a*b", true],
  ["**/a/**/a/**/a/**/b", true],
])("%s is wild: %s", (pattern, wild) => {
  expect(isWildGlob(pattern)).toBe(wild);
});
