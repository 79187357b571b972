/** Conditions: the official library over mmm's values, bounded (spec 2.5, 11). */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compileCondition,
  type Condition,
  type ConditionReference,
} from "../../../src/values/condition/compile.ts";
import { valueOf } from "../../../src/values/condition/data.ts";
import { evaluateCondition, evaluateExpression } from "../../../src/values/condition/evaluate.ts";
import type { Value } from "../../../src/values/value.ts";

type Values = Readonly<Record<string, Value>>;

function compiled(source: string): Condition {
  const { condition, problems } = compileCondition(source);
  if (condition === null) throw new Error(JSON.stringify(problems));
  return condition;
}

function worldOf({ references }: Condition, values: Values, success = true) {
  const found = new Map<ConditionReference, Value>();
  for (const each of references.values())
    found.set(each, values[each.reference.path.join(".")] ?? null);
  return { values: found, status: { success } };
}

function ask(source: string, values: Values = {}, success = true): boolean | string {
  const condition = compiled(source);
  const answer = evaluateCondition(condition, worldOf(condition, values, success));
  return answer.ok ? answer.value : answer.error;
}

function value(source: string, values: Values = {}): Value | { readonly error: string } {
  const condition = compiled(source);
  const answer = evaluateExpression(condition, worldOf(condition, values));
  return answer.ok ? valueOf(answer.value) : { error: answer.error };
}

describe("a reference is the same in every spelling (spec 2.5)", () => {
  test.each([
    "score < 80",
    "${score} < 80",
    "${{ score }} < 80",
    "${{ score < 80 }}",
    "${{score}}<80 && !(${score} >= 80)",
    "80 > score",
  ])("%s", (source) => {
    expect(ask(source, { score: 79 })).toBe(true);
    expect(ask(source, { score: 80 })).toBe(false);
  });

  test.each([
    ["health-score", "health-score"],
    ["${health-score}", "health-score"],
    ["${health-score:-3}", "health-score"],
    ["cov.files[0].name", "cov.files"],
    ["${cov.files[0].name}", "cov.files"],
    ["cov['files'][0]['name']", "cov.files"],
    ["list[0]", "list"],
    ["${list[0]}", "list"],
    ["my-step.exit_code", "my-step.exit_code"],
    ["$ARG", "ARG"],
    ["ARG", "ARG"],
  ])("%s asks the scope for %s", (source, name) => {
    const paths = [...compiled(source).references.values()].map(({ reference }) =>
      reference.path.join("."),
    );

    expect(paths).toEqual([name]);
  });

  test("fields and indexes lead into a value, in any spelling", () => {
    const values = { "cov.files": [{ name: "a.ts", Name: "other" }] };

    for (const source of ["cov.files[0].name", "${cov.files[0].name}", "cov.files[0]['name']"])
      expect(value(source, values)).toBe("a.ts");
    expect(value("${cov.files[0].Name}", values)).toBe("other");
    expect(value("cov.files[0].NAME", values)).toBe("a.ts");
    expect(value("${cov.files[7].name}", values)).toBe(null);
    expect(value("cov.files.*.name", values)).toEqual(["a.ts"]);
  });

  test("a fallback stands for what is missing or empty (spec 3.1)", () => {
    expect(value("${x:-none}", { x: null })).toBe("none");
    expect(value("${x:-none}", { x: "" })).toBe("none");
    expect(value("${x:-none}", { x: [] })).toBe("none");
    expect(value("${x:-none}", { x: 0 })).toBe(0);
    expect(ask("${x:-3} > 2")).toBe(true);
  });

  test("its places are those of the source, behind line ends and texts of several lines", () => {
    const source = "'a\n''b' == ${one}\n  && two.field\n";
    const [one, two] = [...compiled(source).references.values()].map(({ reference }) =>
      source.slice(reference.start, reference.end),
    );

    expect([one, two]).toEqual(["${one}", "two.field"]);
  });
});

describe("what is inserted is data (spec 3.1)", () => {
  test.each(["1 == 1", "' || 'x' == 'x", "${score}", "true", "x' || always()", ")", "'"])(
    "%s is a text and nothing else",
    (text) => {
      expect(ask("${x} == 'other'", { x: text })).toBe(false);
      expect(value("x", { x: text })).toBe(text);
      expect(value("format('{0}', x)", { x: text })).toBe(text);
    },
  );

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "own fields only: %s of foreign JSON is null when it is not there",
    (name) => {
      expect(value(`x.${name}`, { [`x.${name}`]: null })).toBe(null);
      expect(value(`fromJSON('{"a": 1}').${name}`)).toBe(null);
      expect(value(`fromJSON('{"${name}": 1}').${name}`)).toBe(1);
      expect(value(`toJSON(fromJSON('{"${name}": 1}'))`)).toBe(`{\n  "${name}": 1\n}`);
    },
  );

  test("quotes in a text are all undoubled, as GitHub does", () => {
    expect(value("'it''s ''this'''")).toBe("it's 'this'");
    expect(value("'$${x} costs $5'")).toBe("${x} costs $5");
  });
});

describe("success, failure, always (spec 2.5)", () => {
  test.each([
    ["success()", true, true],
    ["success()", false, false],
    ["failure()", true, false],
    ["failure()", false, true],
    ["always()", false, true],
    ["ALWAYS() && Success()", true, true],
  ])("%s, when all is well: %s, is %s", (source, success, answer) => {
    expect(ask(source, {}, success)).toBe(answer);
  });
});

describe("hostile conditions are bounded in time and memory (spec 11)", () => {
  const mib = "a".repeat(1024 * 1024);

  test.each([
    ["a megabyte", `'${mib}' == 'x'`],
    ["a megabyte of brackets", "(".repeat(1024 * 1024)],
    ["a megabyte of dollars", "$".repeat(1024 * 1024)],
    ["20 000 brackets", `${"(".repeat(9_000)}1${")".repeat(9_000)}`],
    ["20 000 negations", `${"!".repeat(20_000)}1`],
    ["long chains of comparisons", `1${" == 1".repeat(4_000)}`],
    ["nested calls", `${"toJSON(".repeat(2_000)}1${")".repeat(2_000)}`],
    ["opened references", "${{".repeat(7_000)],
  ])("%s: refused with a place", (_what, source) => {
    const { condition, problems } = compileCondition(source);

    expect(condition).toBe(null);
    expect(problems[0]?.message.length).toBeLessThan(300);
  });

  const much = "x".repeat(8 * 1024 * 1024);
  const twelve = "{0}".repeat(12);

  test.each([
    ["format that multiplies", `format('${twelve}', x) == ''`, { x: much }],
    [
      "format in format",
      `format('${twelve}', format('${twelve}', format('${twelve}', x)))`,
      { x: mib },
    ],
    ["a format of braces", "format(x)", { x: "}}".repeat(1_000_000) }],
    [
      "join with a long separator",
      "join(x, y)",
      { x: Array.from({ length: 1_000 }, () => 1), y: mib },
    ],
    [
      "a long text looked for in a long list",
      "contains(x, y)",
      { x: Array.from({ length: 10_000 }, () => "b"), y: mib },
    ],
    [
      "a long text looked for in a longer one",
      "contains(x, y)",
      { x: much, y: `b${much.slice(0, 4_000_000)}` },
    ],
    [
      "the same large text again and again",
      Array.from({ length: 700 }, () => "contains(x, 'y')").join("||"),
      { x: mib },
    ],
    [
      "a list of millions",
      "contains(x, 'y') || x.*.*",
      { x: Array.from({ length: 35_000_000 }, () => 1) },
    ],
  ])("%s: an error, soon", (_what, source, values) => {
    expect(ask(source, values)).toMatch(/^its values are too large|^it makes texts of more than/);
  });

  test("JSON nested a million deep is read, and not written", () => {
    const deep = `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`;

    expect(ask("fromJSON(x)[0][0][0] == 1", { x: deep })).toBe(false);
    expect(ask("toJSON(fromJSON(x)) == ''", { x: deep })).toContain("more than 500 levels");
  });

  test("a list of 200 000 items is an everyday thing", () => {
    const x = Array.from({ length: 200_000 }, (_item, index) => index);

    expect(ask("contains(x, 199999)", { x })).toBe(true);
    expect(ask("fromJSON(toJSON(x))[199999] == 199999", { x })).toBe(true);
    expect(ask("contains(x.*, 199999)", { x })).toBe(true);
  });

  test.each([
    ["fromJSON('{')", "fromJSON was given no JSON"],
    ["fromJSON('')", "fromJSON was given an empty text"],
    ["format(format('{{{0}}}', 1), 1)", "references more arguments than were supplied"],
    ["case(1, 2, 3)", "case predicate must evaluate to a boolean value"],
  ])("%s is an error and no answer", (source, message) => {
    expect(ask(source)).toContain(message);
  });
});

describe("whatever the text", () => {
  const word = fc.constantFrom(
    ..."( ) [ ] , . ! == != < <= > >= && || * ' '' \" ${ ${{ }} } $ $${ ${a} ${a.b[0]:-x} $ARG a a.b a-b".split(
      " ",
    ),
    ..."1 -1 .5 1e3 0x1f NaN Infinity true false null 'x' contains( fromJSON( success() {0} \u0131 \u00a0 \ud83d and = & |".split(
      " ",
    ),
    " ",
    "\n",
    "\r\n",
  );
  const text = fc.oneof(
    fc.string({ maxLength: 60, unit: "binary" }),
    fc.array(word, { maxLength: 20 }).map((words) => words.join("")),
    fc.array(word, { maxLength: 20 }).map((words) => words.join(" ")),
  );

  test("nothing is thrown, places lie in the text, and what compiles has an answer or an error", () => {
    fc.assert(
      fc.property(text, fc.jsonValue(), (source, json) => {
        const { condition, problems } = compileCondition(source);
        expect(condition === null).toBe(problems.length > 0);
        for (const { start, end, message, code } of problems) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(source.length);
          expect(message).not.toBe("");
          expect(code).toMatch(/^[a-z-]+$/);
        }
        if (condition === null) return;
        const values = new Map<ConditionReference, Value>();
        for (const each of condition.references.values()) {
          const { start, end, text: written } = each.reference;
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(source.length);
          if (written.startsWith("$")) expect(source.slice(start, end)).toBe(written);
          values.set(each, json as Value);
        }
        const answer = evaluateCondition(condition, { values, status: { success: true } });
        expect(typeof (answer.ok ? answer.value : answer.error)).toBe(
          answer.ok ? "boolean" : "string",
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
