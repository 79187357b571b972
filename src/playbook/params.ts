/** `params:` of the header (spec 2.1), and what becomes of a value that somebody gives. */
import * as z from "zod";
import { nearest } from "../lib/nearest.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { unreachable } from "../lib/unreachable.ts";
import * as is from "../steps/schema.ts";
import { once } from "../steps/shape.ts";
import { isList, itemText, type Value } from "../values/value.ts";
import type { ParamDeclaration, ParamType } from "./model.ts";
import type { Problems } from "./problems.ts";
import { describe, type Entries, type Tree } from "./tree.ts";
import { boolOf, entriesOf, textOf } from "./values-of.ts";

const TYPES = ["string", "number", "boolean", "list"] as const;

export const paramSchema = once(() =>
  z.strictObject(
    {
      type: z.enum(TYPES, { error: `one of ${TYPES.join(" ")}` }).optional(),
      required: is.bool.optional(),
      default: z.unknown().optional(),
      choices: z
        .array(is.scalar(), { error: "a list of values" })
        .min(1, { error: "a list that is not empty" })
        .optional(),
      description: is.anyText.optional(),
    },
    { error: "a mapping, as in {type: number, default: 3}" },
  ),
);

export const paramsSchema = once(() =>
  z.record(
    z
      .string()
      .max(100)
      .regex(/^[A-Za-z_]\w*(?:-\w+)*$/, { error: "letters, digits, `_` and `-`, as in max_size" }),
    paramSchema().meta(is.formed("param")),
    { error: "a mapping, as in {version: {type: string, required: true}}" },
  ),
);

/** Entries have passed {@link paramsSchema}; what their types say of default and choices is checked here. */
export function readParams(
  tree: Tree | undefined,
  problems: Problems,
): readonly ParamDeclaration[] {
  return [...entriesOf(tree)].map(([name, { key, value }]) =>
    readOne({ name, range: key.range, entries: entriesOf(value) }, problems),
  );
}

function readOne(
  {
    name,
    range,
    entries,
  }: {
    readonly name: string;
    readonly range: ParamDeclaration["range"];
    readonly entries: Entries;
  },
  problems: Problems,
): ParamDeclaration {
  const type = (textOf(entries, "type") ?? "string") as ParamType;
  const required = boolOf(entries, "required") ?? false;
  const itemType = type === "list" ? null : type;
  const choicesTree = entries.get("choices")?.value;
  const choices: Value[] = [];
  for (const item of choicesTree?.kind === "list" ? choicesTree.items : []) {
    const value = itemType === null ? itemOf(item) : valueOfTree(item, itemType);
    if (value !== undefined) choices.push(value);
    else {
      const message = `a choice of \`params.${name}\` must be ${WANTED[itemType ?? "string"]}, not ${describe(item)}`;
      problems.error("wrong-type", item.range, message);
    }
  }
  const declared: ParamDeclaration = {
    name,
    type,
    required,
    default: null,
    choices: choicesTree === undefined ? null : choices,
    description: textOf(entries, "description"),
    range,
  };
  const fallback = entries.get("default");
  if (fallback === undefined) return declared;
  const value = valueOfTree(fallback.value, type);
  const what = `the default of \`params.${name}\``;
  const place = fallback.value.range;
  if (value === undefined) {
    const message = `${what} must be ${WANTED[type]}, not ${describe(fallback.value)}`;
    problems.error("wrong-type", place, message);
    return declared;
  }
  const trouble = choiceTrouble(declared, value);
  if (trouble !== null)
    problems.error("bad-value", place, `${what} ${trouble.message}`, trouble.more);
  if (required) {
    const message = `\`params.${name}\` is required, so its default is never taken`;
    problems.error("bad-param", fallback.key.range, message, {
      help: "leave out `required` or `default`",
    });
  }
  return { ...declared, default: value };
}

/** What a value of the type is, as the end of "must be ...". */
export const WANTED: Readonly<Record<ParamType, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  list: "a list of texts, numbers, true or false",
};

/** A value from YAML or JSON; `undefined`: not of this type. A string takes a number as it is written. */
export function valueOfTree(tree: Tree, type: ParamType): Value | undefined {
  if (type === "list") {
    if (tree.kind !== "list") return undefined;
    const items = tree.items.map(itemOf);
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (tree.kind !== "scalar" || tree.value === null) return undefined;
  if (type === "string") return tree.text.value;
  if (type === "number") {
    return typeof tree.value === "number" && Number.isFinite(tree.value) ? tree.value : undefined;
  }
  return typeof tree.value === "boolean" ? tree.value : undefined;
}

function itemOf(tree: Tree): Value | undefined {
  if (tree.kind !== "scalar" || tree.value === null) return undefined;
  if (typeof tree.value === "number" && !Number.isFinite(tree.value)) return undefined;
  return tree.value;
}

/** `null`: the value is one of the choices, or there are none. */
export function choiceTrouble(
  { choices }: ParamDeclaration,
  value: Value,
): { readonly message: string; readonly more: { readonly help?: string } } | null {
  if (choices === null) return null;
  const wrong = (isList(value) ? value : [value]).find((item) => !choices.includes(item));
  if (wrong === undefined) return null;
  const shown = typeof wrong === "string" ? JSON.stringify(wrong) : itemText(wrong);
  const near = nearest(itemText(wrong), choices.map(itemText));
  return {
    message: `must be one of ${choices.map(itemText).join(", ")}, not ${shown}`,
    more: near === null ? {} : { help: `did you mean \`${near}\`?` },
  };
}

/** What `--param K=V` gave for one parameter; the error is the end of "must be ...". */
export function valueOfTexts(texts: readonly string[], type: ParamType): Result<Value, string> {
  const [text = "", ...more] = texts;
  if (type === "list") return ok(more.length === 0 ? (jsonList(text) ?? [text]) : texts);
  if (more.length > 0) return err(`given once, not ${texts.length} times`);
  switch (type) {
    case "string":
      return ok(text);
    case "number": {
      const number = Number(text);
      return text.trim() !== "" && Number.isFinite(number) ? ok(number) : err(WANTED.number);
    }
    case "boolean":
      return text === "true" || text === "false" ? ok(text === "true") : err(WANTED.boolean);
    default:
      return unreachable(type);
  }
}

/** `["a", "b"]`: the whole list at once. */
function jsonList(text: string): readonly Value[] | null {
  if (!text.startsWith("[")) return null;
  try {
    const list: unknown = JSON.parse(text);
    const isFlat =
      Array.isArray(list) &&
      list.every((item) => ["string", "number", "boolean"].includes(typeof item));
    return isFlat ? (list as readonly Value[]) : null;
  } catch {
    // A text that happens to begin with a bracket is one item.
    return null;
  }
}
