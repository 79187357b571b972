/** Which branches can conflict, told by the names they touch (spec 8.4). */
import { expect, test } from "vitest";
import { mayConflict, touchedBy } from "../../src/engine/overlap.ts";

/** `M a.txt`, `A b/c.txt`, `D d.txt`. */
function touched(text: string) {
  const status = { A: "added", D: "deleted", M: "modified" } as const;
  const words = text.split(", ").map((each) => each.split(" "));
  return touchedBy(
    words.map(([letter, path = ""]) => ({ path, status: status[letter as keyof typeof status] })),
  );
}

test.each([
  ["files of their own", "M a.txt, A b/c.txt", "M b/d.txt, A e.txt", false],
  ["the same file", "M a.txt, M b.txt", "M b.txt", true],
  ["the same new file", "A b.txt", "A b.txt", true],
  ["changed here, removed there", "M b.txt", "D b.txt", true],
  ["a file here, a folder there", "A lib", "A lib/a/b.txt", true],
  [
    "a folder that was renamed, and a new file in it",
    "D old/a.txt, A new/a.txt",
    "A old/b.txt",
    true,
  ],
  ["one deep in a folder that was renamed", "D old/a/b.txt, A new/a/b.txt", "A old/c/d.txt", true],
  ["the top that was moved down, and a new file in it", "D a.txt, A sub/a.txt", "A b.txt", true],
  ["removed here, added in another folder", "D old/a.txt", "A other/b.txt", false],
  ["removed at the top, added deep down", "D a.txt", "A other/b.txt", false],
  ["both remove in one folder", "D old/a.txt", "D old/b.txt", false],
  ["names that begin alike", "M src", "M src2/a.txt", false],
])("%s", (_, one, other, may) => {
  expect(mayConflict(touched(one), touched(other))).toBe(may);
  expect(mayConflict(touched(other), touched(one))).toBe(may);
});
