import { describe, expect, it } from "vitest";
import { folderMatcher } from "../../src/context/folder-pattern.ts";

describe("workspace patterns", () => {
  it.each([
    [["packages/*"], "packages/a", true],
    [["packages/*"], "packages/a/b", false],
    [["packages/*"], "packages", false],
    [["packages/**"], "packages/a/b", true],
    [["packages/**"], "packages", true],
    [["**/lib"], "a/b/lib", true],
    [["**/lib"], "a/lib/b", false],
    [["./crates/x/"], "crates/x", true],
    [["lib-?*x"], "lib-abx", true],
    [["lib-?*x"], "lib-x", false],
    [["*a*b"], "xaab", true],
    [["*a*b"], "xaba", false],
    [["packages/*", "!packages/old"], "packages/old", false],
    [["!packages/old"], "packages/new", false],
    [["a.c"], "abc", false],
    [["[ab]"], "a", false],
    [["", ".", "!"], ".", false],
  ])("%j takes %s: %s", (patterns, folder, taken) => {
    expect(folderMatcher(patterns)(folder)).toBe(taken);
  });

  it("cannot be made to take for ever (spec 11)", () => {
    const patterns = Array.from({ length: 300 }, () => `${"*a".repeat(140)}b`);
    const deep = Array.from({ length: 300 }, () => "**/".repeat(90));

    expect(folderMatcher(patterns)("a".repeat(255))).toBe(false);
    expect(folderMatcher(deep)(Array.from({ length: 500 }, () => "a").join("/"))).toBe(true);
    expect(folderMatcher(["*".repeat(301)])("a")).toBe(false);
  });
});
