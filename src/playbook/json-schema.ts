/**
 * The JSON Schema of playbooks, made from what the reader itself checks with (spec 1, `mmm schema`).
 *
 * Draft 07: editors know it best. It tells shape alone: what two places say of each other (ids, references) is the
 * reader's and the plan's; docs/playbook.md lists what it leaves out.
 */
import { headerShape } from "./header.ts";
import { choice, type JsonSchema, type Kind, kindOf, text, toJson } from "./json-schema-parts.ts";
import { forms } from "./json-schema-forms.ts";
import { documented } from "./key-docs.ts";
import { METADATA } from "./old-forms.ts";
import { handlerKeys, stepOptions } from "../steps/options.ts";
import { kindKeys, stepKinds } from "../steps/registry.ts";
import { RESERVED_IDS, STEP_FIELDS } from "../values/names.ts";

/** In this order in the file, which people may read. */
export function playbookSchema(): JsonSchema {
  const steps = documented(choice(stepForms()), ["step"]);
  const definitions: Record<string, JsonSchema> = {
    header: documented(header(), ["header"]),
    "step-list": { type: "array", minItems: 1, items: { $ref: "#/definitions/any-step" } },
    "any-step": { anyOf: [{ $ref: "#/definitions/command" }, { $ref: "#/definitions/step" }] },
    command,
    step: steps,
    handler,
    "handler-mapping": brief(documented(handlerMapping(), ["handler", "step"]), steps),
    steps: { anyOf: [{ $ref: "#/definitions/any-step" }, { $ref: "#/definitions/step-list" }] },
    defaults: brief(documented(defaults(), ["step"]), steps),
  };
  for (const [name, { schema, place }] of Object.entries(forms)) {
    definitions[name] = documented(schema, [place]);
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "mmm playbook",
    description: "A list of steps, or a mapping with `steps` and a header.",
    anyOf: [{ $ref: "#/definitions/header" }, { $ref: "#/definitions/step-list" }],
    definitions,
  };
}

/** A step that is a text: a Claude command, with or without its slash. */
const command: JsonSchema = {
  type: "string",
  description:
    "A Claude command with its arguments, as in `mmm-lint --fix`; the slash is added when missing.",
  // `- "shell: x"` is a slip, and so is an empty text; see `readTextStep`.
  not: { type: "string", pattern: `^\\s*(?:/?\\s*$|(?:${kindKeys.join("|")})(?::| \\s*\\S))` },
};

const handler: JsonSchema = {
  anyOf: [
    { $ref: "#/definitions/command" },
    { $ref: "#/definitions/step-list" },
    { $ref: "#/definitions/handler-mapping" },
  ],
};

function header(): JsonSchema {
  const schema = toJson(headerShape);
  const { steps: _steps, commands: _commands, ...liftable } = schema.properties;
  const config = old(
    { type: "object", properties: liftable, additionalProperties: false },
    "write its keys in the header itself",
  );
  return {
    ...schema,
    properties: { ...schema.properties, config },
    anyOf: [{ required: ["steps"] }, { required: ["commands"] }],
    not: { required: ["steps", "commands"] },
  };
}

/** The kinds of step with the forms of the original, which are read with a note (spec 2.1). */
function stepForms(): readonly Kind[] {
  const options = narrowed(toJson(stepOptions).properties);
  const own = stepKinds.map((kind): Kind => {
    const { weak, key, properties, required } = kindOf(kind);
    const all = narrowed(properties);
    return { key, weak, required, properties: weak ? { ...all, options: oldOptions } : all };
  });
  const test: Kind = {
    key: "test",
    weak: false,
    required: [],
    properties: { test: oldTest(), ...options },
  };
  const metadata = oldMetadata(options);
  return [...own, test].map((kind) => ({ ...kind, properties: { ...kind.properties, metadata } }));
}

/** What `readCommon` holds names to, beyond their shape. */
function narrowed(properties: Kind["properties"]): Kind["properties"] {
  const { id, retry, capture_output: captured, ...rest } = properties;
  if (id === undefined) throw new Error("a step has no `id` any more");
  const twice = { required: ["attempts", "max_attempts"] };
  const fields = { enum: [...STEP_FIELDS] };
  return {
    id: { ...id, not: { enum: [...RESERVED_IDS] } },
    ...rest,
    // A loop has neither.
    ...(retry && { retry: { ...retry, not: twice } }),
    ...(captured && { capture_output: { ...captured, not: fields } }),
  };
}

/** `{do, max_attempts, fail_workflow}`, one step with the two keys beside its own, or these alone. */
function handlerMapping(): JsonSchema {
  const keys = toJson(handlerKeys).properties;
  const beside = stepForms().map((kind) => ({
    ...kind,
    properties: { ...kind.properties, ...keys },
  }));
  const list: Kind = {
    key: "do",
    weak: false,
    // A loop that is the handler has a `do` of its own.
    unless: "foreach",
    required: [],
    properties: { do: { $ref: "#/definitions/steps" }, ...keys },
  };
  return { ...choice([list, ...beside], Object.keys(keys)), minProperties: 1 };
}

function defaults(): JsonSchema {
  const { id: _id, name: _name, ...properties } = narrowed(toJson(stepOptions).properties);
  return { type: "object", properties, additionalProperties: false };
}

/** A key that is that of a step to the letter is told once. */
function brief(schema: JsonSchema, step: JsonSchema): JsonSchema {
  const [own, known] = [schema["properties"], step["properties"]] as Record<string, JsonSchema>[];
  const properties = Object.entries(own ?? {}).map(([key, inner]) => {
    const isSame = JSON.stringify(inner) === JSON.stringify(known?.[key]);
    const { description } = inner;
    return [key, isSame ? { description, $ref: `#/definitions/step/properties/${key}` } : inner];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The reader takes it with a note, so it is right; editors show what to write now, and do not offer it. */
function old(schema: JsonSchema, now: string): JsonSchema {
  return {
    description: `An old form: ${now}.`,
    deprecated: true,
    doNotSuggest: true,
    ...schema,
  };
}

const oldOptions = old(
  { type: "object", additionalProperties: { type: ["string", "number", "boolean", "null"] } },
  "write the arguments as `args: [...]`",
);

function oldTest(): JsonSchema {
  const properties = {
    command: {
      description: "The command for `sh -c`.",
      $ref: "#/definitions/step/properties/shell",
    },
    on_failure: { $ref: "#/definitions/handler", description: "What runs when the command fails." },
  };
  const mapping = {
    type: "object",
    properties,
    required: ["command"],
    additionalProperties: false,
  };
  return old({ anyOf: [text, mapping] }, "write `shell: ...`, with `on_failure` beside it");
}

function oldMetadata(options: Kind["properties"]): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(options).filter(([key]) => METADATA.includes(key)),
  );
  return old(
    { type: "object", properties, additionalProperties: false },
    "write its keys in the step itself",
  );
}
