/**
 * docs/playbook.md tells each key's type, default, effect, and an example that test/docs runs: the tables at its end are
 * made here of what the reader checks with. `UPDATE_DOCS=1` writes them.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { playbookSchema } from "../../src/playbook/json-schema.ts";
import type { JsonSchema } from "../../src/playbook/json-schema-parts.ts";
import { keyDocs, type Place } from "../../src/playbook/key-docs.ts";
import { packageRoot } from "../support/run-cli.ts";
import { blocksOf, documents, read } from "./blocks.ts";

const PAGE = "docs/playbook.md";
const HEADING = "## All keys";

/** What the keys of a place belong to, as its heading says it. */
const PLACES: Readonly<Record<Place, string>> = {
  header: "the header",
  step: "a step",
  claude:
    "`claude` of a step; without `prompt`, `output_schema` and `continue_session` also of the header",
  shell: "`shell` of a step",
  analyze: "`analyze`",
  analysis: "`analysis`",
  retry: "`retry`; the last two in `retry_on`",
  handler: "`on_failure`, and each of `on_exit_code`",
  output: "an output",
  gate: "a gate",
  metric: "`metric` of a gate",
  validation: "`validation`",
  param: "a parameter",
  secret: "a secret",
  worktree: "`worktree`",
  limits: "`limits`",
};

const schemas = schemasByText();
const examples = examplesByKey();

test("the tables of all keys are those of this version", () => {
  const page = read(PAGE);
  const [before = "", rest = ""] = page.split(`\n${HEADING}\n`);
  const after = rest.slice(rest.search(/\n## /u));
  const wanted = `${before}\n${HEADING}\n${tables()}${after}`;

  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(path.join(packageRoot, PAGE), wanted);

  expect(read(PAGE)).toBe(wanted);
});

test("each key has an effect, a type, and an example in a playbook that a test runs", () => {
  const missing = Object.entries(keyDocs).flatMap(([place, keys]) =>
    Object.entries(keys).flatMap(([key, text]: [string, string]) => [
      ...(effectOf(text).length < 10 ? [`${place}.${key}: effect`] : []),
      ...(schemas.has(text) ? [] : [`${place}.${key}: type`]),
      ...(examples.has(`${place}.${key}`) ? [] : [`${place}.${key}: example`]),
    ]),
  );

  expect(missing).toEqual([]);
});

function tables(): string {
  const parts = Object.entries(keyDocs).map(([place, keys]) => {
    const rows = Object.entries(keys).map(
      ([key, text]) =>
        `| \`${key}\` | ${cell(typeOf(schemas.get(text) ?? {}))} | ${cell(defaultOf(text))} | ${cell(effectOf(text))} | ${exampleOf(`${place}.${key}`)} |`,
    );
    return `\nIn ${PLACES[place as Place]}:\n\n| key | type | default | effect | example |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  const intro =
    "\nIn brief, as editors show them; made from what mmm checks with. The examples are out of the playbooks in these pages, which tests run.\n";
  return `${intro}${parts.join("")}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function defaultOf(text: string): string {
  const found = / Default: (.+)\.$/u.exec(text)?.[1];
  return found ?? (/ Required/u.test(text) ? "required" : "none");
}

function effectOf(text: string): string {
  return text.replace(/ Default: .+\.$/u, "");
}

/** The first value of the key in a document, on one line. */
function exampleOf(name: string): string {
  const key = name.split(".")[1] ?? "";
  const line = stringify({ [key]: examples.get(name) }, { collectionStyle: "flow", lineWidth: 0 })
    .trim()
    .replaceAll(/\s*\n\s*/gu, " ")
    .replace(/^\{ ?(.*?) ?\}$/u, "$1");
  return `\`${cell(line.length > 60 ? `${line.slice(0, 59)}…` : line)}\``;
}

/** By the text of the key, which `keyDocs` has too. */
function schemasByText(): ReadonlyMap<string, JsonSchema> {
  const found = new Map<string, JsonSchema>();
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if ("properties" in node && typeof node.properties === "object" && node.properties !== null)
      for (const inner of Object.values(node.properties) as JsonSchema[]) {
        const text = inner["description"];
        if (typeof text === "string" && !found.has(text)) found.set(text, inner);
      }
    for (const inner of Object.values(node)) walk(inner);
  };
  walk(playbookSchema());
  return found;
}

const FORMS: Readonly<Record<string, string>> = {
  duration: "duration",
  "duration-or-0": "duration",
  pattern: "text or /regex/",
  inside: "path",
  tolerance: "number or share",
  steps: "step or list",
  "step-list": "list of steps",
  handler: "step, list or mapping",
  outputs: "mapping or list of names",
  validation: "name, list or mapping",
};

function typeOf(schema: JsonSchema): string {
  const ref = schema["$ref"];
  if (typeof ref === "string") {
    const name = ref.replace("#/definitions/", "");
    const nested = /^step\/properties\/(.+)$/u.exec(name)?.[1];
    if (nested !== undefined) {
      const { definitions } = playbookSchema() as {
        definitions: { step: { properties: Record<string, JsonSchema> } };
      };
      return typeOf(definitions.step.properties[nested] ?? {});
    }
    return FORMS[name] ?? "mapping";
  }
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (Array.isArray(schema["enum"])) return choice((schema["enum"] as unknown[]).map(String));
  const any = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(any)) return choice((any as JsonSchema[]).map(typeOf));
  const type = schema["type"];
  if (Array.isArray(type)) return choice((type as string[]).map((each) => typeOf({ type: each })));
  if (type === "array") return "list";
  if (type === "object") return "mapping";
  if (type === "string") return "text";
  if (type === "boolean") return "true or false";
  if (type === "integer") return `${Number(schema["minimum"])} to ${Number(schema["maximum"])}`;
  return typeof type === "string" ? type : "any value";
}

function choice(words: readonly string[]): string {
  return [...new Set(words)].join(", ").replace(/, ([^,]*)$/u, " or $1");
}

/** `place.key` to the first value that a playbook in the documents gives it. */
function examplesByKey(): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  const pages = [PAGE, ...documents.filter((name) => name !== PAGE)];
  for (const name of pages)
    for (const { language, mark, text } of blocksOf(name)) {
      if (language !== "yaml" || mark?.name === "config") continue;
      const value: unknown = parse(text);
      if (isMapping(value)) {
        note(value, "header", found);
        steps(value["steps"] ?? value["commands"], found);
      } else steps(value, found);
    }
  return found;
}

type Found = Map<string, unknown>;

/** Keys of a mapping that has a place; what stands below them has places of its own. */
function note(value: unknown, place: Place, found: Found): void {
  if (!isMapping(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const name = `${place}.${key}`;
    if (key in keyDocs[place] && !found.has(name)) found.set(name, inner);
    below(key, inner, found);
  }
}

function below(key: string, inner: unknown, found: Found): void {
  const each = (place: Place): void => {
    if (isMapping(inner)) for (const value of Object.values(inner)) note(value, place, found);
  };
  if (key === "outputs") each("output");
  else if (key === "gates") each("gate");
  else if (key === "params") each("param");
  else if (key === "secrets") each("secret");
  else if (key === "retry_on" && Array.isArray(inner))
    for (const cause of inner) note(cause, "retry", found);
  else if (key === "validation")
    for (const word of Array.isArray(inner) ? (inner as unknown[]) : [inner])
      note(word, "validation", found);
  else if (key === "on_failure") handler(inner, found);
  else if (key === "on_exit_code" && isMapping(inner))
    for (const value of Object.values(inner)) handler(value, found);
  else if (key === "on_success" || key === "do") steps(inner, found);
  else if (key === "defaults") note(inner, "step", found);
  else if (key in PLACES && key !== "header") note(inner, key as Place, found);
}

function handler(value: unknown, found: Found): void {
  note(value, "handler", found);
  steps(value, found);
}

function steps(value: unknown, found: Found): void {
  for (const step of Array.isArray(value) ? (value as unknown[]) : [value])
    note(step, "step", found);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
