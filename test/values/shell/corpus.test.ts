import { describe, expect, test } from "vitest";
import { compileShellText } from "../../../src/values/shell/compile.ts";
import { renderShellText } from "../../../src/values/shell/render.ts";
import type { Value } from "../../../src/values/value.ts";
import { corpus } from "./corpus.ts";

const values: Record<string, Value> = { x: "V", ARG: "V", l: ["p", "q r"], o: "", emp: "" };

function outcome(template: string): string {
  const { text, problems } = compileShellText(template, (name) => name in values);
  if (text === null) return `error ${problems.find((each) => each.severity === "error")?.code}`;
  const result = renderShellText(text, ({ name }) => ({
    value: values[name] ?? null,
    foreign: false,
  }));
  return result.ok ? result.value.script : `error ${result.error.code}`;
}

describe("the corpus of shell texts (3.2)", () => {
  test.each(corpus)("$template", (row) => {
    const expected =
      "error" in row ? `error ${row.error}` : row.script.replaceAll(/\bV(\d)/g, "__MMM_$1");

    expect(outcome(row.template)).toBe(expected);
  });

  test("has every row of the reference", () => {
    expect(corpus).toHaveLength(192);
  });
});
