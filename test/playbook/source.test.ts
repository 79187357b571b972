import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SourceText } from "../../src/playbook/model.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import { positionAt, rangeInText, sourceFile } from "../../src/playbook/source.ts";

/** The `run` of a playbook with one shell step. */
function runOf(text: string): SourceText {
  const { playbook, diagnostics } = readPlaybook("x.yml", text);
  const step = playbook?.steps[0];
  if (step?.kind !== "shell") throw new Error(JSON.stringify(diagnostics));
  return step.run;
}

/** What stands in the file at the place of `part`. */
function written(text: string, part: string): string {
  const run = runOf(text);
  const at = run.value.indexOf(part);
  if (at === -1) throw new Error(`${JSON.stringify(run.value)} has no ${part}`);
  const range = rangeInText(run, at, at + part.length);
  return text.slice(range.start, range.end);
}

describe("the way back from a decoded text to its place in the file", () => {
  test.each([
    ["plain", "- shell: echo ${x.y} done\n"],
    ["plain over lines", "- shell: echo one\n    two\n\n    three ${x.y}\n"],
    ["single quotes", "- shell: 'it''s ${x.y} it''s'\n"],
    ["single quotes after an escape", "- shell: 'it''s it''s ${x.y}'\n"],
    ["double quotes", '- shell: "a \\t \\u00e9 \\x41 \\U0001F600 \\\\ \\" ${x.y}"\n'],
    ["double quotes over lines", '- shell: "one\n    two \\\n    three\n\n    four ${x.y}"\n'],
    ["a literal block", "- shell: |\n    one\n\n    two\n      ${x.y}\n"],
    ["a literal block with an indentation of its own", "- shell: |2-\n     one\n    ${x.y}\n"],
    ["a folded block", "- shell: >\n    one\n    two\n\n    three\n      four ${x.y}\n    five\n"],
    ["a folded block that starts with empty lines", "- shell: >-\n\n\n    one\n    ${x.y}\n"],
    ["Windows line ends", "- shell: |\r\n    one\r\n    two ${x.y}\r\n"],
    ["Windows line ends, folded", "- shell: >\r\n    one\r\n    two ${x.y}\r\n"],
    ["Windows line ends, plain", "- shell: one\r\n    two ${x.y}\r\n"],
    ["an emoji in front", "- shell: 👩‍👩‍👧 ${x.y}\n"],
    ["JSON", '[{"shell": "a\\nb\\n${x.y}"}]'],
  ])("%s", (_, text) => {
    expect(written(text, "${x.y}")).toBe("${x.y}");
  });

  test("each line of a block is found, blank ones and repeated ones too", () => {
    const text = "- shell: |\n    a\n    a\n\n      a\n    a\n";
    const run = runOf(text);
    const places = [...run.value.matchAll(/a/g)].map(
      ({ index }) => rangeInText(run, index, index + 1).start,
    );

    expect(places).toEqual([...text.slice(11).matchAll(/a/g)].map(({ index }) => index + 11));
  });

  test("an added slash stands at the command's first letter", () => {
    const text = "- mmm-lint --fix ${x}\n";
    const step = readPlaybook("x.yml", text).playbook?.steps[0];
    if (step?.kind !== "claude") throw new Error("no claude step");
    const { prompt } = step;
    const range = rangeInText(prompt, prompt.value.indexOf("${x}"), prompt.value.length);

    expect(prompt.value).toBe("/mmm-lint --fix ${x}");
    expect(text.slice(range.start, range.end)).toBe("${x}");
    expect(rangeInText(prompt, 0, 1)).toEqual({ start: 2, end: 3 });
  });

  test("a trimmed command keeps its places", () => {
    const text = '- "  mmm-lint\\n ${x}  "\n';
    const step = readPlaybook("x.yml", text).playbook?.steps[0];
    if (step?.kind !== "claude") throw new Error("no claude step");
    const { prompt } = step;
    const range = rangeInText(prompt, prompt.value.indexOf("${x}"), prompt.value.length);

    expect(text.slice(range.start, range.end)).toBe("${x}");
  });

  test("letters of any text are found, however it is written", () => {
    const line = fc.string({
      unit: fc.constantFrom("a", "b", " ", "é", "'", '"', "\\", "#", ":", "😀"),
      maxLength: 12,
    });
    const lines = fc.array(line, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom("|", ">", "'", '"', "json"),
        fc.boolean(),
        (parts, style, crlf) => {
          const text = writtenAs([...parts, "Z"], style).replaceAll("\n", crlf ? "\r\n" : "\n");
          const run = runOf(text);
          for (const [letter] of run.value.matchAll(/[abéZ]/g)) {
            for (
              let at = run.value.indexOf(letter);
              at !== -1;
              at = run.value.indexOf(letter, at + 1)
            ) {
              const { start } = rangeInText(run, at, at + 1);
              expect(text[start]).toBe(letter);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function writtenAs(lines: readonly string[], style: string): string {
  const block = lines.map((line) => (line.trim() === "" ? "" : `    x${line}`)).join("\n");
  switch (style) {
    case "'":
      return `- shell: '${lines.map((line) => `x${line.replaceAll("'", "''")}`).join("\n    ")}'\n`;
    case '"':
      return `- shell: "${lines.map((line) => `x${line.replaceAll(/["\\]/g, "\\$&")}`).join("\n    ")}"\n`;
    case "json":
      return `- shell: ${JSON.stringify(lines.join("\n"))}\n`;
    default:
      return `- shell: ${style}\n${block}\n`;
  }
}

describe("positions", () => {
  test("lines and columns count from 1; a character people see is one column", () => {
    const source = sourceFile("x", "ab\r\né👩‍👩‍👧x\n");

    expect(positionAt(source, 0)).toEqual({ line: 1, column: 1 });
    expect(positionAt(source, 2)).toEqual({ line: 1, column: 3 });
    expect(positionAt(source, 3)).toEqual({ line: 1, column: 3 });
    expect(positionAt(source, source.text.indexOf("x"))).toEqual({ line: 2, column: 3 });
    expect(positionAt(source, source.text.length)).toEqual({ line: 3, column: 1 });
    expect(positionAt(source, 1e9)).toEqual({ line: 3, column: 1 });
  });

  test("an empty text has one place", () => {
    expect(positionAt(sourceFile("x", ""), 0)).toEqual({ line: 1, column: 1 });
  });
});
