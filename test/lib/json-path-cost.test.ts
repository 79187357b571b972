/** A path is refused by what it may look at, never by how long it took. */
import { expect, test } from "vitest";
import { MOST_PLACES, placesOf } from "../../src/lib/json-path-cost.ts";

const chain = (levels: number): unknown => {
  let value: unknown = [];
  for (let at = 1; at < levels; at += 1) value = [value];
  return value;
};

test("a plain path looks at one place, however large the value", () => {
  const large = { a: Array.from({ length: 2_000_000 }, () => 0) };

  expect(placesOf("$.a[0]", large)).toBe(1);
  expect(placesOf("$['a,b..c*']", large)).toBe(1);
});

test("wildcards and one descent look at each place once", () => {
  expect(placesOf("$.*", { a: 1, b: { c: 2 } })).toBe(4);
  expect(placesOf("$..a", { a: 1, b: { c: 2 } })).toBe(4);
  expect(placesOf("$[0:9]", chain(5))).toBe(5);
});

test.each([
  ["a descent in each level of the next", "$..*..*..*..*", chain(100)],
  ["unions of unions", `$${"[0,0]".repeat(100)}`, chain(100)],
  ["a descent in ten megabytes", "$..*", Array.from({ length: 2_500_000 }, () => [0])],
])("%s is more than is looked at", (_, path, value) => {
  expect(placesOf(path, value)).toBeGreaterThan(MOST_PLACES);
});

test("a million levels are counted without a stack", () => {
  expect(placesOf("$..a", JSON.parse(`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`))).toBe(
    1_000_000,
  );
});
