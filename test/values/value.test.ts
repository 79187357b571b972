import { expect, test } from "vitest";
import { textOf } from "../../src/values/value.ts";

test.each([
  [null, ""],
  ["a b", "a b"],
  [1.5, "1.5"],
  [false, "false"],
  [["a", 2, null, true], "a 2  true"],
  [[], ""],
  [{ a: [1] }, '{"a":[1]}'],
  [[{ a: 1 }, ["b"]], '{"a":1} ["b"]'],
])("%j has the text %j (3.1)", (value, text) => {
  expect(textOf(value)).toBe(text);
});
