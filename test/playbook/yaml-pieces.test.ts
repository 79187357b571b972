import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Problems } from "../../src/playbook/problems.ts";
import type { Tree } from "../../src/playbook/tree.ts";
import { parseInPieces, parseWhole, parseYaml } from "../../src/playbook/yaml.ts";

/** Of a text that is right; `null` when anything is said about it. */
function whole(text: string): Tree | null {
  const problems = new Problems(text.length);
  const tree = parseWhole(text, problems, "playbook");
  return problems.areNone ? tree : null;
}

/** Whether it was read in pieces. */
function agrees(text: string, size: number): boolean {
  const tree = parseInPieces(text, size);
  if (tree !== null) expect(tree).toEqual(whole(text));
  return tree !== null;
}

// What a line of an item can be, right and wrong: each means something to the lines around it.
const lines = fc.constantFrom(
  "- a",
  "-",
  "- ",
  "- - b\n  - c",
  "- shell: x\n  id: y",
  "- shell: |\n    one\n\n    - two\n  id: z",
  "- >-\n  folded\n  text\n\n",
  "- |2\n    kept",
  "- [a, b,\n   c]",
  "- {a: 1, 'b': \"\\u00e9\"}",
  '- "over\n  two lines"',
  "- plain over\n  two lines",
  "- ? a\n  : b",
  "- ? - a\n  : - b",
  "- k:\n  - 1\n  - 2",
  "-\n  late: 1",
  "# comment",
  "  # deep comment",
  "",
  "   ",
  "\t",
  "- a # behind",
  "- é: 😀",
  "- a\r",
  "- &x a",
  "- *x",
  "- !!str 1",
  "- a: 1\n  a: 2",
  "- <<: 1",
  " - off",
  "off",
  "key: 1",
  "- 'open",
  "- ]",
  "---",
  "...",
  "%YAML 1.2",
);
const sound = fc.constantFrom(
  "- a",
  "-",
  "- - b\n  - c",
  "- shell: |\n    one\n\n    - two\n  id: z",
  "- >-\n  folded\n  text\n\n",
  "- [a, b,\n   c]",
  '- "over\n  two lines"',
  "- k:\n  - 1\n  - 2",
  "-\n  late: 1",
  "# comment",
  "  # deep comment",
  "",
  "- a # behind",
  "- ? - a\n  : - b",
);
const heads = fc.constantFrom(
  "",
  "---\n",
  "# first\n\n",
  "steps:\n",
  "name: x\nsteps: # here\n",
  "---\nname: x\nenv: {A: b}\nsteps:\n\n",
  "a:\n- 1\n- 2\n- 3\n- 4\nsteps:\n",
  "? - 1\n  - 2\n  - 3\n  - 4\n: 1\nsteps:\n",
  "x: &x 1\nsteps:\n",
  "%TAG ! tag:x,2000:\n---\n",
);
const tails = fc.constantFrom("", "\n", "\nname: x\n", "\n# end", "\n---\n- b\n", "\n...\n", "\n ");

function written(of: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const parts = fc.tuple(heads, fc.array(of, { maxLength: 14 }), fc.nat(2), tails);
  return parts.map(([head, items, depth, tail]) => {
    const list = items.join("\n").replaceAll(/^(?=.)/gm, head === "" ? "" : " ".repeat(depth));
    return head + list + tail;
  });
}

describe("a list that is read in pieces (docs of the class Pieces)", () => {
  test("means the same as one read whole", () => {
    let inPieces = 0;
    const texts = fc.oneof(written(sound), written(lines));
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 3 }), (text, size) => {
        if (agrees(text, size)) inPieces += 1;
      }),
      { numRuns: 1500 },
    );
    expect(inPieces).toBeGreaterThan(250);
  });

  test("of every file of the examples and of the wrong playbooks too", () => {
    const folders = [join(import.meta.dirname, "golden"), "examples"];
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => /\.(?:ya?ml|json)$/.test(name))
        .map((name) => readFileSync(join(folder, name), "utf8")),
    );
    const read = files.filter((text) => agrees(text, 1));
    expect(read.length).toBeGreaterThan(5);
  });

  test("is left to the whole when an anchor, an alias, a tag, a directive or a mistake is in it", () => {
    const right = "steps:\n" + "- a: 1\n".repeat(10);
    expect(parseInPieces(right, 2)).not.toBeNull();
    for (const more of ["- &x a", "- *x", "- !!str 1", "- a: 1\n  a: 2", "- 'open", "---\n- b"])
      expect(parseInPieces(`${right}${more}\n${right.slice(7)}`, 2), more).toBeNull();
    expect(parseInPieces(`%YAML 1.2\n---\n${right}`, 2)).toBeNull();
  });

  test("tells of a mistake in a long list where it stands, once", () => {
    const item = "- shell: npm test\n  id: step\n";
    const text = `${item.repeat(4000)}- a: 1\n  a: 2\n${item}`;
    const problems = new Problems(text.length);
    parseYaml(text, problems);
    const [found, ...others] = problems.sorted;
    expect(others).toEqual([]);
    expect(found?.code).toBe("duplicate-key");
    expect(found?.range.start).toBe(text.indexOf("a: 2"));
  });

  test("of a long file is the same from the first item to the last", () => {
    const text = `steps:\n${Array.from({ length: 3000 }, (_, at) => `- shell: echo ${at}\n  id: s${at}\n`).join("")}`;
    expect(text.length).toBeGreaterThan(65_536);
    expect(parseInPieces(text, 50)).not.toBeNull();
    expect(parseYaml(text, new Problems(text.length))).toEqual(whole(text));
  });
});
