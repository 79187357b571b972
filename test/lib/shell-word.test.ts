import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { shellWord } from "../../src/lib/shell-word.ts";

test("a real sh reads back each word as it was", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "*", "\n", "-", "~", "#"),
  });
  fc.assert(
    fc.property(
      fc.array(
        text.filter((word) => word !== ""),
        { minLength: 1, maxLength: 20 },
      ),
      (words) => {
        const out = execFileSync("sh", ["-c", `printf '%s\\0' ${words.map(shellWord).join(" ")}`]);

        expect(out.toString("utf8").split("\0").slice(0, -1)).toEqual(words);
      },
    ),
    { numRuns: 20 },
  );
});
