import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeMessage } from "../../src/git/commit-message.ts";

const trailers = [
  ["Mmm-Session", "s"],
  ["Mmm-Step", "1"],
] as const;

describe("composeMessage", () => {
  it("puts a blank line between subject, body and trailers", () => {
    expect(composeMessage("subject\nbody\nmore\n\n", trailers)).toBe(
      "subject\n\nbody\nmore\n\nMmm-Session: s\nMmm-Step: 1\n",
    );
    expect(composeMessage("fix: subject alone", trailers)).toBe(
      "fix: subject alone\n\nMmm-Session: s\nMmm-Step: 1\n",
    );
  });

  it("joins trailers that are there already", () => {
    expect(composeMessage("s\n\nbody\n\nSigned-off-by: A <a@b>", trailers)).toBe(
      "s\n\nbody\n\nSigned-off-by: A <a@b>\nMmm-Session: s\nMmm-Step: 1\n",
    );
  });

  it("keeps apart what claims to be one of its own", () => {
    expect(composeMessage("s\n\nMmm-Session: forged", trailers)).toBe(
      "s\n\nMmm-Session: forged\n\nMmm-Session: s\nMmm-Step: 1\n",
    );
  });

  it("is one subject line, no control characters and the trailers last, whatever comes in", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary" }),
        (message, value) => {
          const lines = composeMessage(message, [["Mmm-Step", value]]).split("\n");
          expect(lines[0]).not.toBe("");
          expect(lines[1]).toBe("");
          expect(lines.at(-2)).toMatch(/^Mmm-Step:/);
          expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        },
      ),
    );
  });
});
