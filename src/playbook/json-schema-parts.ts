/** From zod's schemas to JSON Schema: see `json-schema.ts`. */
import * as z from "zod";
import type { StepKind } from "../steps/kind.ts";
import type { Shape } from "../steps/shape.ts";

export type JsonSchema = { readonly [keyword: string]: unknown };
type Properties = Readonly<Record<string, JsonSchema>>;

/** One of several forms of a mapping, told by a key of its own. */
export interface Kind {
  readonly key: string;
  /** It is this form only when no other one's key is there. */
  readonly weak: boolean;
  /** With this key it is another form. */
  readonly unless?: string;
  readonly properties: Properties;
  /** Besides `key`. */
  readonly required: readonly string[];
}

interface ObjectSchema {
  readonly type: "object";
  readonly properties: Properties;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
}

export const text: JsonSchema = { type: "string", minLength: 1 };

export function when(condition: JsonSchema, consequence: JsonSchema): JsonSchema {
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema; nobody awaits it
  return { if: condition, then: consequence };
}

/** Of a mapping without other keys; what is marked with `formed` becomes a reference to that form. */
export function toJson(shape: Shape): ObjectSchema {
  const { $schema: _draft, ...json } = z.toJSONSchema(z.strictObject(shape), {
    target: "draft-7",
    io: "input",
  });
  return withReferences(json) as ObjectSchema;
}

function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== "object" || value === null) return value;
  if ("form" in value && typeof value.form === "string") {
    return { $ref: `#/definitions/${value.form}` };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withReferences(inner)]),
  );
}

export function kindOf({ key, weak, shape }: Pick<StepKind, "key" | "weak" | "shape">): Kind {
  const { properties, required = [] } = toJson(shape);
  return { key, weak, properties, required: required.filter((name) => name !== key) };
}

/**
 * One mapping with the keys of all kinds, so that editors offer them and mark a wrong one itself; what is said of each
 * kind then takes away what does not go with it.
 *
 * @param alone keys that may stand without any kind
 */
export function choice(kinds: readonly Kind[], alone: readonly string[] = []): JsonSchema {
  const all: Record<string, JsonSchema> = {};
  for (const { properties } of kinds) Object.assign(all, { ...properties, ...all });
  const strong = kinds.filter(({ weak }) => !weak).map(({ key }) => ({ required: [key] }));
  const bare = alone.length === 0 ? [] : [{ propertyNames: { enum: alone } }];
  const rules = kinds.map((kind) =>
    when(
      kind.weak
        ? { not: { anyOf: [...strong, ...bare] } }
        : { required: [kind.key], ...(kind.unless && { not: { required: [kind.unless] } }) },
      only(kind, all),
    ),
  );
  const isOpen = kinds.some(({ weak }) => weak);
  return {
    type: "object",
    properties: all,
    additionalProperties: false,
    allOf: isOpen ? rules : [...rules, { anyOf: strong }],
  };
}

/** What a mapping of this kind has otherwise than all of them together. */
function only({ key, properties, required }: Kind, all: Properties): JsonSchema {
  const own = Object.entries(all).flatMap(([name, schema]): [string, unknown][] => {
    const mine = properties[name];
    if (mine === undefined) return [[name, false]];
    return JSON.stringify(mine) === JSON.stringify(schema) ? [] : [[name, mine]];
  });
  return { required: [key, ...required], properties: Object.fromEntries(own) };
}
