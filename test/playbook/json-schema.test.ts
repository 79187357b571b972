/** `mmm schema` and the reader say the same of every shape (spec 1, 2). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import * as fc from "fast-check";
import { globSync } from "tinyglobby";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import * as z from "zod";
import { headerShape } from "../../src/playbook/header.ts";
import { playbookSchema } from "../../src/playbook/json-schema.ts";
import { keyDocs } from "../../src/playbook/key-docs.ts";
import { notYet } from "../../src/playbook/known-keys.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import { handlerKeys, stepOptions } from "../../src/steps/options.ts";
import { stepKinds } from "../../src/steps/registry.ts";
import { blocksOf, documents, read } from "../docs/blocks.ts";
import { hasTwice, type Json, mutated, playbook } from "./generated-playbooks.ts";

const root = path.resolve(import.meta.dirname, "..", "..");
const accepts: ValidateFunction = new Ajv({ strict: false, allErrors: true }).compile(
  playbookSchema(),
);

/** What no schema can tell, as docs/playbook.md lists it: a code, and where one code says several things, the words. */
const BEYOND: readonly { readonly code: string; readonly message?: RegExp }[] = [
  { code: "duplicate-gate" },
  { code: "duplicate-id" },
  { code: "duplicate-output" },
  { code: "secret-in-env" },
  { code: "handlers-too-deep" },
  { code: "bad-path" },
  { code: "bad-pattern" },
  { code: "bad-text" },
  { code: "bad-value", message: /must be a literal or \/regex\// },
  { code: "bad-value", message: /^`initial_delay` is longer than/ },
  { code: "bad-value", message: /must be at most 24d/ },
  { code: "bad-value", message: /must be a JSON Schema of at most/ },
  { code: "bad-value", message: /^the default of .* must be one of/ },
];

interface Verdict {
  readonly reader: boolean;
  readonly schema: boolean;
  /** Of errors that a schema could tell. */
  readonly problems: readonly string[];
  readonly errors: readonly string[];
}

function judge(value: unknown): Verdict {
  const { diagnostics } = readPlaybook("x.json", JSON.stringify(value));
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const shape = errors.filter(
    ({ code, message }) =>
      !BEYOND.some((each) => each.code === code && (each.message?.test(message) ?? true)),
  );
  const schema = accepts(value);
  return {
    reader: errors.length === 0,
    schema,
    problems: shape.map(({ code, message }) => `${code} ${message}`),
    errors: (accepts.errors ?? []).map((each) => `${each.instancePath} ${each.message ?? ""}`),
  };
}

/** The schema takes what the reader takes, and what it takes has nothing wrong that a schema could tell. */
function expectSame(value: Json): Verdict {
  const verdict = judge(value);
  const { schema, reader, problems } = verdict;
  const isStricter = !schema && reader && !hasTwice(value);
  if (isStricter || (schema && problems.length > 0)) {
    expect({ value: JSON.stringify(value), ...verdict }).toEqual("the same verdict");
  }
  return verdict;
}

describe("the JSON Schema", () => {
  test("accepts generated playbooks, as the reader does", () => {
    fc.assert(
      fc.property(playbook, (value) => {
        const { reader, schema, problems, errors } = expectSame(value);
        expect({ reader, schema, problems, errors }).toEqual({
          reader: true,
          schema: true,
          problems: [],
          errors: [],
        });
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test("accepts and rejects slightly broken playbooks exactly as the reader does", () => {
    const count = { accepted: 0, rejected: 0 };
    fc.assert(
      fc.property(mutated, (value) => {
        count[expectSame(value).schema ? "accepted" : "rejected"] += 1;
      }),
      { numRuns: 1200 },
    );
    expect(count.accepted).toBeGreaterThan(120);
    expect(count.rejected).toBeGreaterThan(400);
  }, 120_000);

  test("says of each playbook in examples, docs and golden pictures what the reader says", () => {
    const files = [
      "examples/*.yml",
      "examples/*/playbooks/*.yml",
      "test/playbook/golden/*.{yml,json}",
    ];
    const texts = [
      ...globSync(files, { cwd: root }).map((file) => readFileSync(path.join(root, file), "utf8")),
      ...documents.flatMap((name) =>
        blocksOf(name).flatMap(({ language, mark, text }) =>
          language === "yaml" && mark?.name !== "config" ? [text] : [],
        ),
      ),
    ];
    const count = { accepted: 0, rejected: 0 };
    for (const text of texts) {
      const document = parseDocument(text);
      // What YAML itself is wrong about has no shape.
      const value = document.errors.length > 0 ? undefined : plain(document);
      if (value !== undefined) count[expectSame(value).schema ? "accepted" : "rejected"] += 1;
    }

    expect(count.accepted).toBeGreaterThan(40);
    expect(count.rejected).toBeGreaterThan(40);
  });

  test("documents each key, and has no documentation of a key that is not there", () => {
    const without: string[] = [];
    const texts = new Set<unknown>();
    walk(playbookSchema(), ({ at, properties }) => {
      if (/\/(?:allOf|not)(?:\/|$)/.test(at)) return;
      for (const [key, schema] of Object.entries(properties)) {
        texts.add((schema as { description?: unknown }).description);
        if (typeof (schema as { description?: unknown }).description !== "string")
          without.push(`${at}/${key}`);
      }
    });
    const idle = Object.entries(keyDocs).flatMap(([place, keys]) =>
      Object.entries(keys).flatMap(([key, text]) => (texts.has(text) ? [] : [`${place}.${key}`])),
    );

    expect(without).toEqual([]);
    expect(idle).toEqual([]);
  });

  test("has the keys of the reader, each in its place, and none that this version refuses", () => {
    const { definitions } = playbookSchema() as {
      definitions: Record<string, { properties?: object }>;
    };
    const keysOf = (name: string): readonly string[] =>
      Object.keys(definitions[name]?.properties ?? {}).sort();
    const step = [...new Set(stepKinds.flatMap(({ shape }) => Object.keys(shape)))];
    const oldKeys = ["metadata", "options", "test"];

    expect(keysOf("header")).toEqual([...Object.keys(headerShape), "config"].sort());
    expect(keysOf("step")).toEqual([...step, ...oldKeys].sort());
    expect(keysOf("handler-mapping")).toEqual(
      [...new Set([...step, ...oldKeys, "do", ...Object.keys(handlerKeys)])].sort(),
    );
    expect(keysOf("defaults")).toEqual(
      Object.keys(stepOptions)
        .filter((key) => !["id", "name"].includes(key))
        .sort(),
    );
    for (const place of ["header", "step"] as const) {
      expect(keysOf(place).filter((key) => notYet(place, key) !== undefined)).toEqual([]);
    }
  });

  test("has the keys of the tables in docs/playbook.md, and these have all of them", () => {
    const manual = read("docs/playbook.md");
    const told = (heading: string): readonly string[] => {
      const section = manual.split(`\n${heading}\n`)[1]?.split(/\n##/u)[0] ?? "";
      const cells = [...section.matchAll(/^\| ([^|]*`[^|]*) \|/gmu)].map(([, cell = ""]) => cell);
      return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/gu)].map(([, key = ""]) => key));
    };
    const header = Object.keys(headerShape);
    const claude = Object.keys(keyDocs.claude).filter((key) => key !== "prompt");

    expect([...told("## Header")].sort()).toEqual(header.sort());
    expect([...told("## Options of every step")].sort()).toEqual(Object.keys(stepOptions).sort());
    expect([...new Set(told("### Options of `claude`"))].sort()).toEqual(claude.sort());
    expect([...told("### Parameters")].sort()).toEqual(Object.keys(keyDocs.param).sort());
    for (const key of Object.values(keyDocs).flatMap((keys) => Object.keys(keys))) {
      expect(manual).toMatch(new RegExp(`\\b${key}\\b`, "u"));
    }
  });

  test("knows each refinement: what zod cannot hand over is a form of its own", () => {
    const refined = new Set<string>();
    const formed = new Set<string>();
    const schemas = [{ key: "header", shape: headerShape }, ...stepKinds];
    for (const { key, shape } of schemas) {
      z.toJSONSchema(z.strictObject(shape), {
        io: "input",
        override: ({ zodSchema, jsonSchema, path: at }) => {
          const checks = zodSchema._zod.def.checks ?? [];
          const place = [key, ...at].join("/");
          if (checks.some((each) => each._zod.def.check === "custom")) refined.add(place);
          if (jsonSchema["form"] !== undefined) formed.add(place);
        },
      });
    }
    const lost = [...refined].filter((place) => !formed.has(place));

    expect(refined.size).toBeGreaterThan(5);
    expect(lost).toEqual([]);
  });
});

/** `undefined`: an alias that leads nowhere or to too much. */
function plain(document: ReturnType<typeof parseDocument>): Json | undefined {
  try {
    return JSON.parse(JSON.stringify(document.toJS())) as Json;
  } catch {
    return undefined;
  }
}

/** Calls `see` for each mapping of the schema that has `properties`. */
function walk(
  node: unknown,
  see: (found: { at: string; properties: object }) => void,
  at = "",
): void {
  if (typeof node !== "object" || node === null) return;
  if ("properties" in node && typeof node.properties === "object" && node.properties !== null) {
    see({ at, properties: node.properties });
  }
  for (const [key, inner] of Object.entries(node)) walk(inner, see, `${at}/${key}`);
}
