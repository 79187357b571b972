/**
 * Each key in each place where its step may stand, with inputs, and resumed after kills all over the journal
 * (spec 2, 7): the real reader, plan and engine, in a world in memory. A key without a row does not compile.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import { keyDocs } from "../../src/playbook/key-docs.ts";
import { claudeOptions } from "../../src/steps/claude.ts";
import { stepOptions } from "../../src/steps/options.ts";
import type { PlayOptions } from "../support/fake-ports.ts";
import { KilledPlay, prepare } from "../support/killed-play.ts";
import {
  type Json,
  type Mapping,
  type Place,
  PLACES,
  type PlayedRow,
  type Row,
  ROWS,
} from "./key-rows.ts";

/** By `place.key`. */
const rows: readonly (readonly [string, Row])[] = Object.entries(ROWS).flatMap(([place, keys]) =>
  Object.entries(keys).map(([key, row]: [string, Row]) => [`${place}.${key}`, row] as const),
);
const played = rows.flatMap(([name, row]) => ("see" in row ? [[name, row] as const] : []));
const keyOf = (name: string): string => name.split(".")[1] ?? "";

type Around = Place | "defaults";

/** The playbook as JSON, which YAML is a superset of. */
function playbookOf(row: PlayedRow, around: Around): string {
  const { steps, header = {}, under = "steps" } = row;
  return JSON.stringify({
    ...header,
    [under]: placed(steps, around === "defaults" ? "top" : around),
  });
}

/** In a handler the first step mends what the handler is there for, whatever comes then. */
function placed(steps: readonly Json[], place: Place): readonly Json[] {
  const handler = { max_attempts: 2, do: [{ shell: "write handled.txt x" }, ...steps] };
  switch (place) {
    case "top":
      return steps;
    case "do":
      return [{ foreach: ["one"], do: steps }];
    case "on_success":
      return [{ shell: "print outer", on_success: steps }];
    case "on_failure":
      return [{ shell: "need handled.txt 9", on_failure: handler }];
    default:
      return [{ shell: "need handled.txt 9", on_exit_code: { 9: handler } }];
  }
}

/** What is seen of a whole run; the text of what was refused. */
async function seen(yaml: string, row: PlayedRow, options: PlayOptions): Promise<unknown> {
  let prepared: ReturnType<typeof prepare>;
  try {
    prepared = prepare(yaml, options);
  } catch (error) {
    return { refused: error instanceof Error ? error.message : "" };
  }
  const run = new KilledPlay(prepared, options);
  const outcome = await run.run(null);
  return look(run, row, outcome);
}

function look(
  run: KilledPlay,
  row: PlayedRow,
  outcome: Awaited<ReturnType<KilledPlay["run"]>>,
): unknown {
  if (outcome === null) throw new Error("the session has no end");
  const events = run.lines as readonly unknown[] as readonly Event[];
  const it = events.findLast((each) => each.type === "step-finished" && each.at.id === "it");
  return row.see({
    world: run.world,
    outcome,
    events,
    it: it?.type === "step-finished" ? it : undefined,
  });
}

const inputs = { args: ["p"] } as const;
const expected = (row: PlayedRow, place: Around): unknown =>
  "inHandlers" in row && place.startsWith("on_") ? row.inHandlers : row.is;

describe.each(PLACES)("in %s", (place) => {
  test.each(played)("%s", async (_name, row) => {
    const yaml = playbookOf(row, place);

    expect(await seen(yaml, row, row.options ?? {})).toEqual(expected(row, place));
    expect(await seen(yaml, row, { ...row.options, ...inputs })).toEqual(expected(row, place));
  });
});

describe("a key that is taken out of its row is missed", () => {
  test.each(played.filter(([name]) => !/^header\.(?:steps|commands)$/.test(name)))(
    "%s",
    async (name, row) => {
      const less = without({ header: row.header ?? {}, steps: row.steps }, keyOf(name)) as Pick<
        PlayedRow,
        "steps" | "header"
      >;
      const yaml = playbookOf({ ...row, ...less }, "top");

      expect(await seen(yaml, row, row.options ?? {})).not.toEqual(row.is);
    },
  );
});

describe("under `defaults`", () => {
  const keys = Object.keys(stepOptions).filter((key) => !["id", "name"].includes(key));

  test.each(keys)("%s", async (key) => {
    const row = Object.entries(ROWS.step).find(([name]) => name === key)?.[1];
    if (row === undefined || !("see" in row)) throw new Error(`no row of step.${key}`);
    const it = row.steps.find(
      (each) => typeof each === "object" && each !== null && key in each,
    ) as Mapping;
    const rest = Object.fromEntries(Object.entries(it).filter(([name]) => name !== key));
    const steps = row.steps.map((each) => (each === it ? rest : each));
    const header = { ...row.header, defaults: { [key]: it[key] ?? null } };

    const found = await seen(
      playbookOf({ ...row, steps, header }, "defaults"),
      row,
      row.options ?? {},
    );

    expect(found).toEqual(row.is);
  });
});

describe("resumed", () => {
  // Every line of every journal would take minutes; test/session/past.test.ts does that for a few.
  const around: readonly (readonly [Around, PlayOptions, number])[] = [
    ["top", {}, 2],
    ["do", {}, 5],
    ["on_failure", inputs, 7],
  ];

  test.each(played)("%s", async (_name, row) => {
    for (const [place, more, stride] of around) {
      const options = { ...row.options, ...more };
      const prepared = prepare(playbookOf(row, place), options);
      const calm = new KilledPlay(prepared, options);
      await calm.run(null);
      for (let line = 2; line < calm.lines.length; line += stride) {
        const again = new KilledPlay(prepared, options);
        await again.run({ when: "after", line });
        const outcome = await again.run(null);

        const found = { place, line, seen: look(again, row, outcome) };
        expect(found).toEqual({ place, line, seen: expected(row, place) });
      }
    }
  });
});

describe("without rollback a failed step's files stay", () => {
  const row: PlayedRow = {
    steps: [{ id: "it", shell: "write a.txt x; exit 3" }],
    see: ({ world, outcome }) => [world.files["a.txt"], outcome.status],
    is: ["x", "failed"],
  };

  test.each(["top", "do", "on_success"] as const)("in %s", async (place) => {
    const yaml = playbookOf(row, place);

    for (const more of [{}, inputs]) {
      expect(await seen(yaml, row, { rollback: false, ...more })).toEqual(row.is);
      expect(await seen(yaml, row, more)).toEqual([undefined, "failed"]);
    }
  });
});

describe("the header's `claude` reaches every Claude step", () => {
  const keys = Object.entries(ROWS.claude).filter(([key]) => key in claudeOptions);

  test.each(keys)("%s", async (key, row) => {
    if (!("see" in row)) throw new Error(`no row of claude.${key}`);
    const [it] = row.steps as readonly [{ readonly claude: Mapping }];
    const { prompt: _, ...options } = it.claude;
    const header = { claude: options };

    for (const place of PLACES) {
      const yaml = playbookOf({ ...row, header, steps: [{ id: "it", claude: "/it" }] }, place);
      expect(await seen(yaml, row, {})).toEqual(row.is);
    }
  });
});

test("what is refused says why, and without its key it runs", () => {
  for (const [name, row] of rows) {
    if (!("refused" in row)) continue;
    const run = (steps: readonly Json[], header: Mapping) => () =>
      prepare(JSON.stringify({ ...header, steps }), row.options);
    const header = without(row.header, keyOf(name)) as Mapping;

    expect(run(row.steps, row.header), name).toThrow(row.refused);
    expect(run(row.steps, header), name).not.toThrow(row.refused);
  }
});

test("what only the program can show is in a test of the program", () => {
  for (const [name, row] of rows) {
    if (!("file" in row)) continue;
    const file = path.join(import.meta.dirname, "..", "..", row.file);
    expect(existsSync(file), name).toBe(true);
    expect(readFileSync(file, "utf8"), name).toMatch(row.has);
  }
});

test("each key of the language has a row", () => {
  const told = Object.entries(keyDocs).flatMap(([place, keys]) =>
    Object.keys(keys).map((key) => `${place}.${key}`),
  );

  expect(rows.map(([name]) => name).toSorted()).toEqual(told.toSorted());
});

function without(value: Json, key: string): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => without(each, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Mapping).flatMap(([name, inner]) =>
      name === key ? [] : [[name, without(inner, key)]],
    ),
  );
}
