import { expect, test } from "vitest";
import { lastNumber } from "../../src/metrics/last-number.ts";

test.each([
  ["12\n", 12],
  ["took 1.5 s, then 0.25 s\n", 0.25],
  ["ops: 1,234,567.5/sec (v2, node20)", 1_234_567.5],
  ["\u001B[32m98.5%\u001B[0m", 98.5],
  ["12ms.", 12],
  ["x=-3e-2", -0.03],
  [".5", 0.5],
  ["42 on 2026-11-21 with 1.2.3 in 0m1.2s", 42],
  ["time: 7µs", 7],
])("the figure of %j is %d (spec 2.6)", (text, figure) => {
  expect(lastNumber(text)).toBe(figure);
});

test.each(["", "no number", "v2", "1e999", "0m1.234s", "1.2.3"])("%j has none", (text) => {
  expect(lastNumber(text)).toBeNull();
});

test("2 MB of digits, dots and letters end at once", () => {
  for (const unit of ["1", "1,", "a1", "1.", "+-", "1e", ",111"])
    expect(typeof lastNumber(unit.repeat(2_000_000 / unit.length))).toBeDefined();
});
