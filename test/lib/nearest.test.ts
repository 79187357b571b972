import { expect, test } from "vitest";
import { nearest } from "../../src/lib/nearest.ts";

const KEYS = ["shell", "claude", "timeout", "id", "on_failure", "max_attempts"];

test.each([
  ["shel", "shell"],
  ["cluade", "claude"],
  ["Timeout", "timeout"],
  ["on-failure", "on_failure"],
  ["onFailure", "on_failure"],
  ["max_atempt", "max_attempts"],
  ["max_attempts_of", "max_attempts"],
])("%s is near %s", (word, found) => {
  expect(nearest(word, KEYS)).toBe(found);
});

test.each(["colour", "xy", "", "timeout", "x".repeat(1000)])("nothing is near %j", (word) => {
  expect(
    nearest(
      word,
      KEYS.filter((key) => key !== word),
    ),
  ).toBeNull();
});

test("the nearer one wins, of equals the first", () => {
  expect(nearest("test", ["tests", "tent", "rest"])).toBe("tests");
  expect(nearest("test", ["texts", "tests"])).toBe("tests");
});
