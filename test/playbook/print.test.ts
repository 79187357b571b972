import { describe, expect, test } from "vitest";
import {
  renderDiagnostics,
  renderDiagnosticsGithub,
  renderDiagnosticsJson,
} from "../../src/playbook/print.ts";
import { sourceFile } from "../../src/playbook/source.ts";
import type { Diagnostic } from "../../src/playbook/diagnostic.ts";

const source = sourceFile("a,b:100%.yml", "- shell: x\n  timeuot: 5\n");
const related = { message: "the other one is here", range: { start: 0, end: 1 } };
const problem: Diagnostic = {
  code: "unknown-key",
  severity: "error",
  message: "unknown key `timeuot`\n100%",
  range: { start: 13, end: 20 },
  help: "did you mean `timeout`?",
};

describe("for people", () => {
  test("problems come in the order of their places, notes say that they are notes", () => {
    const note: Diagnostic = {
      code: "n",
      severity: "note",
      message: "a note",
      range: { start: 2, end: 7 },
      related,
    };

    expect(renderDiagnostics(source, [problem, note])).toBe(
      [
        "a,b:100%.yml:1:3 n note: a note",
        "    - shell: x",
        "      ~~~~~",
        "  the other one is here: a,b:100%.yml:1:1",
        "",
        "a,b:100%.yml:2:3 unknown-key unknown key `timeuot`␊100%",
        "      timeuot: 5",
        "      ~~~~~~~",
        "  help: did you mean `timeout`?",
        "",
      ].join("\n"),
    );
  });

  test("nothing to tell is nothing", () => {
    expect(renderDiagnostics(source, [])).toBe("");
  });

  test.each([
    ["the beginning", 0],
    ["the middle", 50_000],
    ["the end", 99_995],
  ])("a line of 100 000 letters is cut around a place at %s", (_, start) => {
    const long = sourceFile("x", `${"日".repeat(50_000)}${"y".repeat(50_000)}\n`);
    const shown = renderDiagnostics(long, [{ ...problem, range: { start, end: start + 5 } }]).split(
      "\n",
    );

    expect(shown[1]?.length).toBeLessThan(110);
    expect(shown[2]).toMatch(/^ *~+$/);
  });
});

describe("for machines", () => {
  test("one line of JSON, versioned, with places counted from 1", () => {
    const text = renderDiagnosticsJson(source, [{ ...problem, related }]);

    expect(text.endsWith("}\n")).toBe(true);
    expect(JSON.parse(text)).toEqual({
      v: 1,
      file: "a,b:100%.yml",
      problems: [
        {
          code: "unknown-key",
          severity: "error",
          message: "unknown key `timeuot`\n100%",
          line: 2,
          column: 3,
          endLine: 2,
          endColumn: 10,
          offset: 13,
          length: 7,
          help: "did you mean `timeout`?",
          related: {
            message: "the other one is here",
            line: 1,
            column: 1,
            endLine: 1,
            endColumn: 2,
            offset: 0,
            length: 1,
          },
        },
      ],
    });
  });

  test("GitHub's commands, with what they reserve written in their way", () => {
    expect(
      renderDiagnosticsGithub(source, [problem, { ...problem, severity: "note", help: "x" }]),
    ).toBe(
      "::error file=a%2Cb%3A100%25.yml,line=2,endLine=2,col=3,endColumn=10,title=unknown-key::unknown key `timeuot`%0A100%25%0Ahelp: did you mean `timeout`?\n" +
        "::notice file=a%2Cb%3A100%25.yml,line=2,endLine=2,col=3,endColumn=10,title=unknown-key::unknown key `timeuot`%0A100%25%0Ahelp: x\n",
    );
  });
});
