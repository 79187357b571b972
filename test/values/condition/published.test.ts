/** The published test data of `@actions/expressions`, through mmm's evaluator (spec 2.5). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kindStr } from "@actions/expressions/data/expressiondata";
import { describe, expect, test } from "vitest";
import {
  compileCondition,
  type ConditionReference,
} from "../../../src/values/condition/compile.ts";
import { valueOf } from "../../../src/values/condition/data.ts";
import { evaluateExpression } from "../../../src/values/condition/evaluate.ts";
import type { Value } from "../../../src/values/value.ts";

interface Case {
  readonly expr: string;
  readonly contexts?: Readonly<Record<string, Value>>;
  readonly result?: { readonly kind: string; readonly value: Value };
  readonly err?: { readonly kind: "lexing" | "parsing" | "evaluation"; readonly value: string };
  readonly options?: { readonly skip: readonly string[] };
}

const folder = join(import.meta.dirname, "../../fixtures/expressions");
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .flatMap((file) => {
    const groups = JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, Case[]>;
    return Object.entries(groups).flatMap(([group, list]) =>
      list.map((each) => ({ ...each, file: file.replace(".json", ""), group })),
    );
  });

/** What mmm does with one. `at` is counted from 1; a name that is not there is the plan's to tell. */
function answer({ expr, contexts = {} }: Case) {
  const { condition, problems } = compileCondition(expr);
  const [problem] = problems;
  if (condition === null) return { refused: problem?.code, at: (problem?.start ?? 0) + 1 };
  const values = new Map<ConditionReference, Value>();
  for (const each of condition.references.values()) {
    const { path, start } = each.reference;
    const [head = "", field] = path.map(String);
    if (!Object.hasOwn(contexts, head)) return { refused: "unknown-reference", at: start + 1 };
    const context: unknown = contexts[head];
    const inside: unknown =
      typeof context === "object" && context !== null && field !== undefined
        ? Reflect.get(context, field)
        : null;
    values.set(each, (field === undefined ? context : (inside ?? null)) as Value);
  }
  const result = evaluateExpression(condition, { values, status: { success: true } });
  if (!result.ok) return { failed: result.error };
  return { kind: kindStr(result.value.kind), value: JSON.stringify(valueOf(result.value)) };
}

/** What the published data asks for, in the same form; messages are mmm's own, places are not. */
function wanted({ result, err }: Case) {
  if (result !== undefined) return { kind: result.kind, value: JSON.stringify(result.value) };
  const at = /Located at position (\d+)/.exec(err?.value ?? "")?.[1];
  if (err?.kind === "evaluation") return { failed: expect.any(String) };
  // "position 1" of `false && f()` is only a beginning: they look for the text in the message.
  return {
    refused: expect.any(String),
    at: at === undefined ? expect.any(Number) : expect.toSatisfy((n) => String(n).startsWith(at)),
  };
}

const NULL = { kind: "Null", value: "null" };

/** Each departure with its reason; docs/playbook.md tells them too. */
const DEPARTURES: readonly {
  readonly file: string;
  readonly expr: string;
  readonly why: string;
  readonly instead: object;
}[] = [
  {
    file: "basic",
    expr: "",
    why: "an empty condition is a slip, not null",
    instead: { refused: "condition-syntax", at: 1 },
  },
  {
    file: "basic",
    expr: "SIMple.TEst",
    why: "in names upper and lower case count, as everywhere in mmm",
    instead: { refused: "unknown-reference", at: 1 },
  },
  ...["foo.bar", "foo.BAR"].map((expr) => ({
    file: "op_dot",
    expr,
    why: "the field behind a step's id is a name, and so as written",
    instead: NULL,
  })),
  {
    file: "op_idx",
    expr: "foo['bAr']",
    why: "the same, written with brackets",
    instead: NULL,
  },
  {
    file: "syntax-errors",
    expr: "fromjson(a,b ",
    why: "the form is told before the names in it",
    instead: { refused: "condition-syntax", at: 13 },
  },
];

/** Cases that their own runner leaves out for this library; bounds are tested in evaluate.test.ts. */
const skipped = cases.filter(({ options }) => options?.skip.includes("typescript"));

function departure({ file, expr, group }: (typeof cases)[number]) {
  const isOther = file === "op_dot" && group !== "property-case-insensitive";
  return isOther ? undefined : DEPARTURES.find((each) => each.file === file && each.expr === expr);
}

describe("the published cases of @actions/expressions", () => {
  const run = cases.filter((each) => !skipped.includes(each));

  test.each(run.filter((each) => departure(each) === undefined))(
    "$file, $group: $expr",
    (published) => {
      expect(answer(published)).toEqual(wanted(published));
    },
  );

  test.each(run.filter((each) => departure(each) !== undefined))(
    "a departure: $file, $group: $expr",
    (published) => {
      expect(answer(published)).not.toEqual(wanted(published));
      expect(answer(published)).toEqual(departure(published)?.instead);
    },
  );

  test("all of them are there, five are left out, and each departure is one of a case", () => {
    expect(new Set(cases.map(({ file }) => file)).size).toBe(27);
    expect(cases).toHaveLength(1020);
    expect(skipped).toHaveLength(5);
    expect(run.filter((each) => departure(each) !== undefined)).toHaveLength(DEPARTURES.length);
  });
});
