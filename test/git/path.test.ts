import * as fc from "fast-check";
import { expect, it } from "vitest";
import { decodePath, encodePath, joinNul, showPath, splitNul } from "../../src/git/path.ts";

it("turns any bytes into a string and back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const buffer = Buffer.from(bytes);
      expect(encodePath(decodePath(buffer)).equals(buffer)).toBe(true);
    }),
  );
});

it("splits what it joined, names that are no UTF-8 among them", () => {
  const name = fc
    .uint8Array({ minLength: 1 })
    .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)));
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const paths = names.map((bytes) => decodePath(bytes));
      expect(splitNul(joinNul(paths))).toEqual(paths);
    }),
  );
});

it("shows a plain name as it is and quotes what would break a line", () => {
  expect(showPath("ä b/c's.txt")).toBe("ä b/c's.txt");
  expect(showPath("a\nb")).toBe('"a\\nb"');
  expect(showPath("a ")).toBe('"a "');
  expect(showPath(decodePath(Buffer.of(0x61, 0xe9)))).toBe('"a\\udce9"');
});
