import * as fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";

import { cutToWidth, inline, LineBuffer, safeLine, safeLines } from "../../src/report/safe-text.ts";

/** All that a terminal could take for an order, or that hides or reorders text. */
const ACTIVE =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;
const LONE = /\p{Surrogate}/u;

/** Text full of the pieces escape sequences are made of. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\u001b[2J",
        "\u001b]0;title\u0007",
        "\u001b]8;;http://x\u001b\\",
        "\u001bP1;2q",
        "\u001b[",
        "\u001b",
        "\u009b31m",
        "\u009d",
        "\ud800",
        "\u202e",
        "\r",
        "\n",
        "\b",
        "\t",
        "\u0000",
        "📋",
        "漢",
        "\u0007",
        "\u001b\\",
      ),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

test("no text leaves anything that a terminal obeys (spec 0: data is data)", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const line of [safeLine(text), ...safeLines(text), inline(text)]) {
        expect(line).not.toMatch(ACTIVE);
        expect(line).not.toMatch(LONE);
      }
    }),
  );
});

test.each([
  ["colour is dropped", "\u001b[31mred\u001b[0m", "red"],
  ["concealed text is shown", "a\u001b[8mhidden\u001b[0mb", "ahiddenb"],
  ["a title is dropped", "\u001b]0;evil\u0007text", "text"],
  ["a link keeps its words", "\u001b]8;;http://e\u001b\\here\u001b]8;;\u001b\\", "here"],
  ["the one-character CSI is dropped", "\u009b2Jx", "x"],
  ["an unfinished title does not swallow text", "\u001b]0;rest of line", "0;rest of line"],
  ["a lone ESC is visible", "a\u001b", "a␛"],
  ["BEL and NUL are visible", "a\u0007\u0000b", "a␇␀b"],
  ["reordering is visible", "x\u202ey", "x\ufffdy"],
  ["lone surrogates are replaced", "a\ud800b", "a\ufffdb"],
  ["pairs stay", "📋", "📋"],
  ["tabs stay, line breaks do not", "a\tb\nc\r\nd", "a\tb c d"],
])("%s", (_title, text, shown) => {
  expect(safeLine(text)).toBe(shown);
});

test("lines that overwrite themselves show their last state", () => {
  expect(safeLines("10%\r50%\r100%\r\ndone |\b/\b-\n\n")).toEqual(["100%", "done -"]);
  expect(safeLines("gone\r   \r")).toEqual(["gone"]);
});

test("a megabyte of escape beginnings takes linear time", () => {
  // Quadratic work on these would take minutes, over any test's limit.
  for (const piece of [
    "\u001b[",
    "\u001b]",
    "\u009d",
    "\u001bP",
    "\u001b[1;",
    "\u001b ",
    "\r",
    "\b",
  ]) {
    expect(safeLines(piece.repeat(1_000_000 / piece.length)).join("")).not.toMatch(ACTIVE);
  }
});

test("text is cut to the width a terminal gives it, never inside a character", () => {
  expect(cutToWidth("short", 10)).toBe("short");
  expect(cutToWidth("漢字漢字", 5)).toBe("漢字…");
  expect(cutToWidth("漢字漢字", 4)).toBe("漢…");
  expect(cutToWidth("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5)).toBe("👨‍👩‍👧👨‍👩‍👧…");
  expect(cutToWidth("abc", 1)).toBe("…");
  expect(cutToWidth("abcdef", 2, "...")).toBe("..");
  expect(cutToWidth("abc", 0)).toBe("");
});

test("cut text is never wider than asked", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.integer({ min: 0, max: 40 }),
      (text, columns) => {
        expect(stringWidth(cutToWidth(text, columns))).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

test("a label of many lines becomes one", () => {
  expect(inline("  npm test\n\n  && npm run lint ")).toBe("npm test && npm run lint");
  expect(stringWidth(inline("x".repeat(5_000_000), 20))).toBe(20);
});

test("output cut anywhere gives the same lines as the whole", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-c\n]{0,6}$/)), (chunks) => {
      const buffer = new LineBuffer();
      const lines = [...chunks.flatMap((chunk) => buffer.push(chunk)), ...buffer.flush()];

      expect(lines).toEqual(
        chunks
          .join("")
          .split("\n")
          .filter((line) => line !== ""),
      );
    }),
  );
});

test("an escape sequence cut in two is still dropped, a CR LF cut in two still ends a line", () => {
  const buffer = new LineBuffer();

  expect(["\u001b[3", "1mred\r", "\nnext"].flatMap((chunk) => buffer.push(chunk))).toEqual(["red"]);
  expect(buffer.flush()).toEqual(["next"]);
});

test("a line without an end is kept up to the limit only", () => {
  const buffer = new LineBuffer(10);

  for (let n = 0; n < 1000; n += 1) {
    expect(buffer.push("x".repeat(1000))).toEqual([]);
  }

  expect(buffer.push("\nok\n")).toEqual([`${"x".repeat(10)}…`, "ok"]);
});

test("a progress bar that redraws itself shows its last state when the line ends", () => {
  const buffer = new LineBuffer(50);

  for (let percent = 0; percent <= 100; percent += 1) {
    expect(buffer.push(`\r${"#".repeat(percent / 4)} ${percent}%`)).toEqual([]);
  }

  expect(buffer.push("\n")).toEqual([`${"#".repeat(25)} 100%`]);
});
