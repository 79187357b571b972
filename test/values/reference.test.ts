import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseReferenceAt } from "../../src/values/reference.ts";

describe("a reference (3.1)", () => {
  test.each([
    ["${ARG}", "ARG", ["ARG"], null, null],
    ["${id.name.field[0]}", "id.name.field[0]", ["id", "name", "field", 0], null, null],
    ["${item[12].path}", "item[12].path", ["item", 12, "path"], null, null],
    ["${params.my-flag}", "params.my-flag", ["params", "my-flag"], null, null],
    ["${fix-lint.output}", "fix-lint.output", ["fix-lint", "output"], null, null],
    ["${x|raw}", "x", ["x"], "raw", null],
    ["${x:-}", "x", ["x"], null, ""],
    ["${a.b:-two words}", "a.b", ["a", "b"], null, "two words"],
    ["${x:-a|b}", "x", ["x"], null, "a|b"],
    ["${x:-none|quote}", "x", ["x"], "quote", "none"],
    ["$ARG", "ARG", ["ARG"], null, null],
  ])("%s is read whole", (text, name, path, filter, fallback) => {
    const reference = parseReferenceAt(`é ${text}.rest`, 2);

    expect(reference).toEqual({
      name,
      path,
      filter,
      fallback,
      start: 2,
      end: 2 + text.length,
      text,
      fault: null,
    });
  });

  test.each([
    "$",
    "${",
    "${}",
    "${x",
    "${x%.md}",
    "${#x}",
    "${!x}",
    "${x:=1}",
    "${x-1}",
    "${1}",
    "$arg",
    "$HOME",
    "$ARGS",
    "$ARG1",
    "${ x }",
    "${x[i]}",
    "${x..y}",
    "x",
  ])("%s is none", (text) => {
    expect(parseReferenceAt(text, 0)).toBeNull();
  });

  test("with an unknown filter it says which filters there are", () => {
    expect(parseReferenceAt("${x|bogus}", 0)?.fault).toContain('"bogus"');
  });

  test("with a reference inside its fallback is at fault", () => {
    expect(parseReferenceAt("${x:-${y}}", 0)?.fault).toContain("literal text");
  });

  test("never reaches past its own text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."$ { } x . a | : - [ 0 ] r w A \n".split(" "), " ") }),
        (text) => {
          const reference = parseReferenceAt(`$${text}`, 0);
          if (reference === null) return;
          expect(`$${text}`.slice(reference.start, reference.end)).toBe(reference.text);
        },
      ),
    );
  });
});
