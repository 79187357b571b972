import * as fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";

import { textWidth } from "../../src/report/text-width.ts";

test("the short way and the long way to a width agree", () => {
  const plain = fc.constantFrom(..."a z 0 ~ · … ⠋ ⣿ é ß ÿ × ÷".split(" "), " ");
  const other = fc.constantFrom("漢", "📋", "\u0301", "👩‍👩‍👧", "\u200b", "©", "\t", "⚙️");
  const text = fc
    .array(fc.oneof({ weight: 6, arbitrary: plain }, other))
    .map((all) => all.join(""));

  fc.assert(
    fc.property(text, (value) => {
      expect(textWidth(value)).toBe(stringWidth(value));
    }),
  );
});

test("each sign that is taken for one column is one", () => {
  const latin = Array.from({ length: 0x17f }, (_code, at) => String.fromCodePoint(at + 0x20));
  const braille = Array.from({ length: 256 }, (_code, at) => String.fromCodePoint(at + 0x2800));

  const wrong = [...latin, ...braille].filter((sign) => textWidth(sign) !== stringWidth(sign));
  expect(wrong).toEqual([]);
});
