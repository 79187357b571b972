/** The JSON Schema of each form that the reader checks by hand; a new one is a name in `FormName` and an entry here. */
import { MAX_DURATION_MS, type FormName, identifier } from "../steps/schema.ts";
import { captureRule, fileRule } from "../steps/options.ts";
import { gateWords } from "../values/gate-words.ts";
import { STEP_FIELDS } from "../values/names.ts";
import { gateShapes } from "./gates.ts";
import { choice, type JsonSchema, kindOf, text, toJson, when } from "./json-schema-parts.ts";
import { paramSchema } from "./params.ts";
import type { Place } from "./key-docs.ts";

interface Form {
  readonly schema: JsonSchema;
  /** Of the documentation of its keys. */
  readonly place: Place | null;
}

/** `json-schema.ts` has the forms that hold steps. */
type Plain = Exclude<FormName, "defaults" | "handler" | "step-list" | "steps">;

const AMOUNT = String.raw`\d{1,12}(?:\.\d{1,3})?`;
const UNITS = ["ms", "s", "m", "h", "d"];
const TWICE = UNITS.map((unit) => String.raw`\d${unit}(?:\d.*)?\d${unit}(?:\d|$)`).join("|");
/** Under half a millisecond is 0. */
const NOTHING = String.raw`^(?:0+(?:\.0+)?|(?:0+(?:\.0+)?[smhd]|0+(?:\.[0-4]\d*)?ms)+)$`;
const DURATION_WORDS = "a number of seconds, or ms s m h d as in 90s, 1h30m";

/** As `parseDuration` reads it; that a text adds up to at most 24d is left to the reader. */
function duration(zero: boolean): JsonSchema {
  const not = zero ? TWICE : `${TWICE}|${NOTHING}`;
  return {
    type: ["string", "number"],
    pattern: String.raw`^(?:${AMOUNT}|(?:${AMOUNT}(?:ms|s|m|h|d)){1,5})$`,
    patternErrorMessage: DURATION_WORDS,
    not: { type: "string", pattern: not },
    minimum: zero ? 0 : 0.0005,
    exclusiveMaximum: (MAX_DURATION_MS + 0.5) / 1000,
  };
}

const outputName: JsonSchema = { ...named(), not: { enum: [...STEP_FIELDS] } };

/** Names alone go with a slash command that explains them; which steps call one is left to the reader. */
const outputs: JsonSchema = {
  anyOf: [
    { type: "object", propertyNames: outputName, additionalProperties: output() },
    { type: "array", items: { type: "string", ...outputName }, uniqueItems: true },
  ],
};

function output(): JsonSchema {
  const file = kindOf({ key: "file_pattern", weak: false, shape: fileRule });
  const inside = { ...text, not: { type: "string", pattern: String.raw`^/|(?:^|/)\.\.(?:/|$)` } };
  const captured = kindOf({ key: "capture", weak: false, shape: captureRule });
  const rules = choice([
    { ...file, properties: { ...file.properties, file_pattern: inside } },
    captured,
  ]);
  const counts = when(
    { required: ["capture"], properties: { capture: { const: "count" } } },
    { required: ["pattern"], properties: { path: false } },
  );
  return { ...rules, allOf: [...(rules["allOf"] as readonly unknown[]), counts] };
}

/** What the type says of `default` and `choices`; that the one is among the others is left to the reader. */
function param(): JsonSchema {
  const value = { string: ["string", "number", "boolean"], number: "number", boolean: "boolean" };
  const item = { type: value.string };
  const rules = Object.entries({ ...value, list: null }).map(([type, scalars]) => {
    const items = scalars === null ? item : { type: scalars };
    const whole = scalars === null ? { type: "array", items } : items;
    const is = { properties: { type: { const: type } } };
    // A type that is not written is `string`.
    const condition = type === "string" ? is : { required: ["type"], ...is };
    return when(condition, { properties: { default: whole, choices: { items } } });
  });
  const idle = { required: ["required", "default"], properties: { required: { const: true } } };
  return { ...toJson(paramSchema().shape), allOf: rules, not: idle };
}

const words = [...gateWords].map(([word, { holds }]) => [word, holds] as const);

const gates: JsonSchema = {
  type: "object",
  propertyNames: { ...named(), not: { enum: words.map(([word]) => word) } },
  additionalProperties: gate(),
};

function gate(): JsonSchema {
  const forms = Object.entries(gateShapes);
  const rules = choice(forms.map(([key, shape]) => kindOf({ key, weak: false, shape })));
  const moved = when(
    { required: ["must"], properties: { must: { not: { const: "not_regress" } } } },
    { properties: { tolerance: false, better: false } },
  );
  return { ...rules, allOf: [...(rules["allOf"] as readonly unknown[]), moved] };
}

function validation(): JsonSchema {
  const refused = words.flatMap(([word, holds]) => (holds ? [] : [word]));
  const name = { ...text, not: { enum: refused } };
  const mapping = {
    type: "object",
    properties: Object.fromEntries(words.map(([word, holds]) => [word, { const: holds }])),
    additionalProperties: { const: true },
  };
  const list = { type: "array", minItems: 1, items: { anyOf: [name, mapping] } };
  return { anyOf: [name, { ...mapping, minProperties: 1 }, list] };
}

function named(): JsonSchema {
  const { name = {} } = toJson({ name: identifier() }).properties;
  return name;
}

export const forms: Readonly<Record<Plain, Form>> = {
  duration: { schema: duration(false), place: null },
  "duration-or-0": { schema: duration(true), place: null },
  "exit-codes": {
    schema: {
      type: "object",
      // 1 to 255, in at most three digits.
      propertyNames: { pattern: "^(?:00[1-9]|0?[1-9]\\d|[1-9]|1\\d\\d|2[0-4]\\d|25[0-5]|0[1-9])$" },
      additionalProperties: { $ref: "#/definitions/handler" },
    },
    place: null,
  },
  "output-schema": {
    schema: {
      type: "object",
      properties: { type: { const: "object", description: "Always `object`." } },
      required: ["type"],
    },
    place: null,
  },
  outputs: { schema: outputs, place: "output" },
  param: { schema: param(), place: "param" },
  "secret-source": {
    schema: {
      type: "object",
      properties: { env: { type: "string", pattern: "^[A-Za-z_]\\w*$" }, file: text },
      additionalProperties: false,
      oneOf: [{ required: ["env"] }, { required: ["file"] }],
    },
    place: "secret",
  },
  gates: { schema: gates, place: "gate" },
  inside: {
    schema: {
      ...text,
      not: {
        type: "string",
        pattern: String.raw`^/|(?:^|/)(?:\.{1,2}|\.[gG][iI][tT])(?:/|$)|//+[^/]`,
      },
    },
    place: null,
  },
  pattern: { schema: text, place: null },
  tolerance: {
    schema: {
      type: ["string", "number"],
      pattern: String.raw`^\s*\d{1,15}(?:\.\d{1,15})?\s*%?\s*$`,
      patternErrorMessage: "a share as in 5%, or a number from 0",
      minimum: 0,
      exclusiveMaximum: 1e15,
    },
    place: null,
  },
  validation: { schema: validation(), place: "validation" },
};
