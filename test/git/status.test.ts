import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MmmError } from "../../src/errors.ts";
import { parseStatus } from "../../src/git/status.ts";

const id = "0123456789abcdef0123456789abcdef01234567";

function parse(...parts: readonly string[]): ReturnType<typeof parseStatus> {
  return parseStatus(Buffer.from(parts.map((part) => `${part}\0`).join("")));
}

describe("parseStatus", () => {
  it("reads head and branch, and passes over headers it does not know", () => {
    expect(parse(`# branch.oid ${id}`, "# branch.head feature/ä", "# stash 3")).toMatchObject({
      head: id,
      branch: "feature/ä",
    });
    expect(parse("# branch.oid (initial)", "# branch.head (detached)")).toMatchObject({
      head: "",
      branch: null,
    });
  });

  it("reads every kind of line and takes the rest of it as the name", () => {
    const { entries } = parse(
      `1 .M N... 100644 100644 100644 ${id} ${id}  two  spaces `,
      `1 D. N... 100644 000000 000000 ${id} ${id} twice`,
      "? twice",
      `1 AD N... 000000 100644 000000 ${id} ${id} came and went`,
      `1 .M SC.. 160000 160000 160000 ${id} ${id} sub`,
      `u UU N... 100644 100644 100644 100644 ${id} ${id} ${id} both sides`,
      `2 R. N... 100644 100644 100644 ${id} ${id} R100 new name`,
      "old name",
      "? nested/",
      "? 1 .M looks like a line",
      "! ignored",
      "? .mmm/sessions/x/journal.jsonl",
    );

    expect([...entries.values()].map((entry) => [entry.path, entry.kind])).toEqual([
      [" two  spaces ", "modified"],
      ["twice", "modified"],
      ["came and went", null],
      ["sub", "modified"],
      ["both sides", "unmerged"],
      ["new name", "modified"],
      ["nested", "nested-repository"],
      ["1 .M looks like a line", "added"],
    ]);
  });

  it("never throws anything but MmmError", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("1 ", "2 .M", "u ", "? ", "# ", `1 .M N... 1 1 1 ${id} ${id} x`),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        try {
          parse(...parts);
        } catch (error) {
          expect(error).toBeInstanceOf(MmmError);
        }
      }),
    );
  });
});
