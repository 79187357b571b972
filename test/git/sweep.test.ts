/** What is never swept into a commit, at its very limits (spec 5). */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TreeChange } from "../../src/engine/ports.ts";
import { findSwept } from "../../src/git/sweep.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "mmm-sweep-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const added = (...paths: readonly string[]): readonly TreeChange[] =>
  paths.map((each) => ({ path: each, kind: "added" }));
const many = (count: number, folder = ""): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${folder}f${n}`);

describe("1 000 new files", () => {
  test("are committed, one more is not, and some of them are named", () => {
    expect(findSwept(root, added(...many(1000)))).toBeNull();
    expect(findSwept(root, added(...many(1001)))).toEqual({
      reasons: ["1001 new files, more than 1000, such as f0, f1, f2"],
      ignoreLines: [],
    });
  });

  test("the folders that hold most of them are the lines for .gitignore", () => {
    const swept = findSwept(root, added(...many(900, "a/node_modules/"), ...many(200, "gen/x/")));

    expect(swept?.ignoreLines).toEqual(["node_modules/", "/gen/"]);
  });

  test("changed and deleted files do not count", () => {
    const changed = many(2000).map((each): TreeChange => ({ path: each, kind: "modified" }));

    expect(findSwept(root, changed)).toBeNull();
  });
});

test("20 MB are committed, one byte more is not", () => {
  for (const [name, bytes] of [
    ["fits", 20 * 1024 * 1024],
    ["big [1].bin", 20 * 1024 * 1024 + 1],
  ] as const) {
    writeFileSync(path.join(root, name), "");
    truncateSync(path.join(root, name), bytes);
  }

  expect(findSwept(root, added("fits"))).toBeNull();
  expect(findSwept(root, added("fits", "big [1].bin"))?.ignoreLines).toEqual(["/big \\[1\\].bin"]);
});

test.each([
  ".env",
  ".env.local",
  "deep/.ENV.production",
  "server.pem",
  "key.P12",
  "id_rsa",
  "a/id_ed25519",
  ".netrc",
])("a file called %s is not committed", (name) => {
  expect(findSwept(root, added("ok", name))?.ignoreLines).toEqual([`/${name}`]);
});

test.each(["env.ts", ".env.example", "id_rsa.pub", "pem.md", "a.env"])("%s is", (name) => {
  expect(findSwept(root, added(name))).toBeNull();
});
