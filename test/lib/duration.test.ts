import * as fc from "fast-check";
import { expect, test } from "vitest";
import { durationFrom, parseDuration } from "../../src/lib/duration.ts";

test.each([
  [90, 90_000],
  [0, 0],
  [1.5, 1500],
  ["90", 90_000],
  ["0.25", 250],
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["500ms", 500],
  ["1.5h", 5_400_000],
  ["2d", 172_800_000],
  ["1m500ms", 60_500],
])("%j is %d ms (spec 2)", (written, ms) => {
  expect(parseDuration(written)).toBe(ms);
});

test.each([
  "",
  "soon",
  "5 m",
  "5 minutes",
  "1h1h",
  "-5s",
  "5S",
  "1e3",
  "s",
  ".5s",
  "5s ",
  "Infinity",
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
])("%j is no duration", (written) => {
  expect(parseDuration(written)).toBeNull();
});

test("hours, minutes and seconds add up", () => {
  fc.assert(
    fc.property(fc.nat(99), fc.nat(99), fc.nat(99), (h, m, s) => {
      expect(parseDuration(`${h}h${m}m${s}s`)).toBe(((h * 60 + m) * 60 + s) * 1000);
    }),
  );
});

test.each([
  ["5 minutes", "5m"],
  ["1 hour and 30 mins", "1h30m"],
  ["2 H", "2h"],
  ["1.5 days", "1.5d"],
  ["250 msec", "250ms"],
])("%j is meant as %s", (words, written) => {
  expect(durationFrom(words)).toBe(written);
});

test.each(["", "soon", "5", "5 lightyears", "1h1h", "about 5 minutes", "5 minutes!"])(
  "%j is no duration in words",
  (words) => {
    expect(durationFrom(words)).toBeNull();
  },
);
