import { expect, test } from "vitest";
import { compilePattern, isTooCostly } from "../../src/lib/pattern.ts";

function matches(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value.matcher(text).find();
}

test("a text without slashes is a literal (spec 3.3)", () => {
  expect(matches("a.b(", "x a.b( y")).toBe(true);
  expect(matches("a.b", "axb")).toBe(false);
  expect(matches("/a.b", "axb")).toBe(false);
  expect(matches("/", "a/b")).toBe(true);
});

test("/regex/ with the flags i, m and s", () => {
  expect(matches("/^b\\d+$/m", "a\nb12\nc")).toBe(true);
  expect(matches("/^b\\d+$/", "a\nb12\nc")).toBe(false);
  expect(matches("/AB/i", "xaby")).toBe(true);
  expect(matches("/a.b/s", "a\nb")).toBe(true);
  expect(matches("/a\\/b/", "a/b")).toBe(true);
});

test("a pattern that would take for ever elsewhere is matched in linear time", () => {
  expect(matches("/^(a+)+$/", `${"a".repeat(50_000)}b`)).toBe(false);
});

test.each([
  "",
  "/(/",
  "/(?=a)/",
  "/(a)\\1/",
  "/a/g",
  "/a/xi",
  "x".repeat(1001),
  "x".repeat(100_000),
  `/${"(a*)*".repeat(20_000)}/`,
  "/(?:a?){500}a{500}/",
])("%j is no pattern", (pattern) => {
  expect(compilePattern(pattern).ok).toBe(false);
});

test("what a search costs is bounded before it begins: the size of a regex times that of its text", () => {
  const costs = (pattern: string, characters: number): boolean => {
    const compiled = compilePattern(pattern);
    if (!compiled.ok) throw new Error(compiled.error);
    return isTooCostly(pattern, compiled.value, characters);
  };

  expect(costs("/coverage: ([0-9.]+)%/", 10_485_760)).toBe(false);
  expect(costs("x".repeat(1000), 10_485_760)).toBe(false);
  expect(costs("/(?:a?){300}a{300}/", 100_000)).toBe(false);
  expect(costs("/(?:a?){300}a{300}/", 10_485_760)).toBe(true);
});
