import { expect, test } from "vitest";

import { formatCount, formatDuration, formatMoney, formatNumber } from "../../src/report/format.ts";

test.each([
  [0, "0s"],
  [-5, "0s"],
  [Number.NaN, "0s"],
  [40, "0s"],
  [450, "0.4s"],
  [3000, "3s"],
  [9999, "9.9s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [65_200, "1m 5s"],
  [3_599_999, "59m 59s"],
  [3_600_000, "1h"],
  [7_380_000, "2h 3m"],
  [100 * 3_600_000, "100h"],
])("%d ms reads %s", (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});

test.each([
  [0, "$0.00"],
  [0.00001, "under $0.0001"],
  [0.0123, "$0.0123"],
  [0.05, "$0.05"],
  [0.012, "$0.012"],
  [0.1, "$0.10"],
  [1.234, "$1.23"],
  [1234.5, "$1,234.50"],
])("%d dollars read %s", (usd, words) => {
  expect(formatMoney(usd)).toBe(words);
});

test("a count says one commit, two commits, and groups thousands", () => {
  expect([0, 1, 2, 12_345].map((n) => formatCount(n, "commit"))).toEqual([
    "0 commits",
    "1 commit",
    "2 commits",
    "12,345 commits",
  ]);
  expect(formatCount(2, "entry", "entries")).toBe("2 entries");
  expect(formatNumber(1_234_567)).toBe("1,234,567");
});
