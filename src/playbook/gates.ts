/** `gates:` of the header and `validation:` of a step (spec 2.6). */
import * as z from "zod";
import { parseTolerance } from "../lib/tolerance.ts";
import { gateWords } from "../values/gate-words.ts";
import * as is from "../steps/schema.ts";
import { later, once, together } from "../steps/shape.ts";
import { check, unknownKey } from "./check.ts";
import type { Gate, GateCheck, ListedGate, Metric } from "./model.ts";
import { firstCharacter, type Problems } from "./problems.ts";
import { describe, type Entries, type MappingTree, type Tree } from "./tree.ts";
import { durationOf, entriesOf, optionalText, requiredText, textOf } from "./values-of.ts";

const FORMS =
  '{shell: "npm test"}, {expression: "score >= 80"} or {metric: {shell: "./bench"}, must: not_regress}';

const timeout = (): z.ZodOptional => is.duration({ zero: false }).optional();
const TOLERANCE = "a share as in 5%, or a number from 0";
const tolerance = once(() =>
  z
    .union([z.string({ error: TOLERANCE }), z.number({ error: TOLERANCE })], { error: TOLERANCE })
    .refine((value) => parseTolerance(value) !== null, { error: TOLERANCE })
    .meta(is.formed("tolerance")),
);

const metricForms = once(() =>
  z.union(
    [
      z.strictObject({ shell: is.text }),
      z.strictObject({ coverage: is.text, run: is.text.optional() }),
    ],
    { error: 'a mapping, as in {shell: "./bench"} or {coverage: coverage/lcov.info}' },
  ),
);

const MUSTS = ["not_regress", "increase", "decrease"] as const;

/** `must` is asked for where it is missing. */
export const gateShapes = {
  shell: later({ shell: () => is.text, timeout }),
  expression: later({ expression: () => is.text }),
  metric: together(
    together(later({ metric: metricForms }), {
      must: z.enum(MUSTS, { error: `one of ${MUSTS.join(" ")}` }),
    }),
    later({
      tolerance: () => tolerance().optional(),
      better: () => z.enum(["higher", "lower"], { error: "`higher` or `lower`" }).optional(),
      timeout,
    }),
  ),
} as const;

type Kind = keyof typeof gateShapes;
const KINDS: readonly Kind[] = ["shell", "expression", "metric"];

/** One that cannot be read has no `check`: its name is known all the same. */
export function readGates(tree: Tree | undefined, problems: Problems): readonly Gate[] {
  if (tree === undefined) return [];
  if (tree.kind !== "mapping") {
    const message = `\`gates\` must be a mapping, not ${describe(tree)}`;
    problems.error("wrong-type", tree.range, message, { help: `write {name: ${FORMS}}` });
    return [];
  }
  return [...tree.entries].map(([name, { key, value }]) => {
    if (gateWords.has(name)) {
      const message = `a gate cannot be called \`${name}\`: the word has a meaning already`;
      problems.error("reserved-gate", key.range, message, { help: `such as my_${name}` });
    } else if (!is.identifier().safeParse(name).success) {
      const message = `a gate's name must be letters, digits, \`_\` and \`-\`, not \`${name}\``;
      problems.error("bad-name", key.range, message);
    }
    const entries = entriesOf(value);
    return {
      name,
      range: key.range,
      check: readCheck(name, value, problems),
      timeoutMs: durationOf(entries, "timeout"),
    };
  });
}

function readCheck(name: string, tree: Tree, problems: Problems): GateCheck | null {
  const what = `\`gates.${name}\``;
  if (tree.kind !== "mapping") {
    const isText = tree.kind === "scalar" && typeof tree.value === "string";
    const help = isText ? `write {shell: ${JSON.stringify(tree.value)}}` : `write ${FORMS}`;
    problems.error("wrong-type", tree.range, `${what} must be a mapping, not ${describe(tree)}`, {
      help,
    });
    return null;
  }
  const kinds = KINDS.filter((kind) => tree.entries.has(kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    reportKind(what, tree, { kinds, problems });
    return null;
  }
  const sound = check({ ...tree, what }, gateShapes[kind], problems);
  if (sound.size !== tree.entries.size) return null;
  if (kind === "shell") return { kind, run: requiredText(sound, "shell") };
  if (kind === "expression") return { kind, text: requiredText(sound, "expression") };
  return sound.has("must") ? readMetric(sound, problems) : null;
}

function reportKind(
  what: string,
  { entries, range }: MappingTree,
  { kinds, problems }: { readonly kinds: readonly Kind[]; readonly problems: Problems },
): void {
  const all = KINDS.flatMap((kind) => Object.keys(gateShapes[kind]));
  const allowed = [...new Set(all)];
  const unknown = [...entries.keys()].filter((key) => !allowed.includes(key));
  for (const key of unknown) unknownKey({ key, entries, allowed }, problems);
  if (unknown.length > 0 && kinds.length === 0) return;
  const message =
    kinds.length === 0
      ? `${what} says not what to check`
      : `${what} checks two things: ${kinds.map((kind) => `\`${kind}\``).join(" and ")}`;
  const help = kinds.length === 0 ? `write ${FORMS}` : "make two gates of it";
  problems.error("bad-gate", firstCharacter(range), message, { help });
}

function readMetric(entries: Entries, problems: Problems): GateCheck | null {
  const inner = entriesOf(entries.get("metric")?.value);
  const metric: Metric = inner.has("coverage")
    ? { kind: "coverage", file: requiredText(inner, "coverage"), run: optionalText(inner, "run") }
    : { kind: "shell", run: requiredText(inner, "shell") };
  const must = textOf(entries, "must") as (typeof MUSTS)[number];
  if (must !== "not_regress") {
    for (const key of ["tolerance", "better"]) {
      const entry = entries.get(key);
      if (entry === undefined) continue;
      const message = `\`${key}\` does not go with \`must: ${must}\``;
      const help = "it belongs to `must: not_regress`; remove it";
      problems.error("bad-gate", entry.key.range, message, { help });
      return null;
    }
  }
  // A duration, a size, a count of faults: what commands print is mostly a cost.
  const usual = metric.kind === "coverage" ? "higher" : "lower";
  const better = (textOf(entries, "better") ?? usual) as "higher" | "lower";
  const allowed = textOf(entries, "tolerance");
  return {
    kind: "metric",
    metric,
    must,
    better,
    tolerance: (allowed === null ? null : parseTolerance(allowed)) ?? { amount: 0, of: "figure" },
  };
}

/** Gate names and words, as a text, a list, or a mapping to true (or false, where the word asks for it). */
export function readValidation(tree: Tree | undefined, problems: Problems): readonly ListedGate[] {
  if (tree === undefined) return [];
  const found = listed(tree, problems);
  if (tree.kind !== "scalar" && found === null) {
    const message = "`validation` is empty";
    problems.error("bad-value", tree.range, message, { help: "write `- tests_pass: true`" });
  }
  const seen = new Set<string>();
  return (found ?? []).filter(({ name, range }) => {
    if (!seen.has(name)) return seen.add(name);
    problems.error("duplicate-gate", range, `\`${name}\` is listed twice`, { help: "remove one" });
    return false;
  });
}

/** `null`: nothing stands there. */
function listed(tree: Tree, problems: Problems): readonly ListedGate[] | null {
  if (tree.kind === "mapping") {
    if (tree.entries.size === 0) return null;
    return [...tree.entries].flatMap(([name, { key, value }]) =>
      isMeant(name, value, problems) ? [{ name, range: key.range }] : [],
    );
  }
  if (tree.kind === "list") {
    if (tree.items.length === 0) return null;
    return tree.items.flatMap((item) => {
      if (item.kind !== "list") return listed(item, problems) ?? [];
      problems.error("wrong-type", item.range, "a list in `validation`", {
        help: "remove one `-`",
      });
      return [];
    });
  }
  if (typeof tree.value !== "string" || tree.value === "") {
    const message = `a gate's name must stand here, not ${describe(tree)}`;
    problems.error("wrong-type", tree.range, message, { help: "write `- tests_pass: true`" });
    return [];
  }
  const word = gateWords.get(tree.value);
  if (word?.holds === false) {
    const help = `write \`${tree.value}: false\``;
    problems.error("bad-value", tree.range, `\`${tree.value}\` alone says not what is to hold`, {
      help,
    });
    return [];
  }
  return [{ name: tree.value, range: tree.range }];
}

function isMeant(name: string, value: Tree, problems: Problems): boolean {
  const holds = gateWords.get(name)?.holds ?? true;
  if (value.kind === "scalar" && value.value === holds) return true;
  if (value.kind === "scalar" && typeof value.value === "boolean") {
    const message = `\`${name}: ${String(value.value)}\` is nothing to validate`;
    const help = `write \`${name}: ${String(holds)}\`, or remove it`;
    problems.error("bad-value", value.range, message, { help });
    return false;
  }
  const message = `\`${name}\` must be ${String(holds)}, not ${describe(value)}`;
  problems.error("wrong-type", value.range, message);
  return false;
}
