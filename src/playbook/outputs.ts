import { nearest } from "../lib/nearest.ts";
import { compilePattern } from "../lib/pattern.ts";
import { captureRule, fileRule } from "../steps/options.ts";
import { identifier } from "../steps/schema.ts";
import type { Shape } from "../steps/shape.ts";
import { check, unknownKey } from "./check.ts";
import type { Range } from "./diagnostic.ts";
import { pathTrouble } from "./json-path.ts";
import type { OutputDeclaration, OutputRule, Step } from "./model.ts";
import { commandOf } from "./plan-steps.ts";
import { firstCharacter, type Problems } from "./problems.ts";
import {
  describe,
  plainValue,
  type Entries,
  type Entry,
  type ListTree,
  type Tree,
} from "./tree.ts";
import { STEP_FIELDS } from "../values/names.ts";
import { boolOf, requiredText, textOf } from "./values-of.ts";

const FORMS = '{file_pattern: "specs/*.md"} or {capture: text}';

/** `outputs:` (spec 3.3); declarations that are wrong are reported and left out. */
export function readOutputs(
  tree: Tree | undefined,
  problems: Problems,
): readonly OutputDeclaration[] {
  if (tree === undefined) return [];
  if (tree.kind === "list") return readNames(tree, problems);
  if (tree.kind !== "mapping") {
    const help = `write {name: ${FORMS}}`;
    const message = `\`outputs\` must be a mapping or a list of names, not ${describe(tree)}`;
    problems.error("wrong-type", tree.range, message, { help });
    return [];
  }
  return [...tree.entries].flatMap(([name, entry]) => {
    const named = checkName(name, entry.key.range, problems);
    const rule = readRule(name, entry, problems);
    return named && rule !== null ? [{ name, rule, range: entry.key.range }] : [];
  });
}

/** `outputs: [health_score]`: names alone, which the step's slash command explains (spec 9.2). */
function readNames({ items }: ListTree, problems: Problems): readonly OutputDeclaration[] {
  const found = new Map<string, OutputDeclaration>();
  for (const item of items) {
    const { range } = item;
    if (item.kind !== "scalar" || typeof item.value !== "string") {
      const message = `an output in a list must be a name, not ${describe(item)}`;
      problems.error("wrong-type", range, message, { help: `or write {name: ${FORMS}}` });
      continue;
    }
    const name = item.value;
    if (!checkName(name, range, problems)) continue;
    const other = found.get(name);
    if (other === undefined) found.set(name, { name, rule: null, range });
    else
      problems.error("duplicate-output", range, `the output \`${name}\` is declared twice`, {
        related: { message: "the other one is here", range: other.range },
      });
  }
  return [...found.values()];
}

/** Names alone need a slash command that explains them; what it says is looked up where the step will run. */
export function checkNamedOutputs(step: Step, problems: Problems): void {
  const open = step.outputs.find(({ rule }) => rule === null);
  if (open === undefined || (step.kind === "claude" && commandOf(step) !== null)) return;
  const message = `nothing says how the output \`${open.name}\` is read: this step calls no slash command`;
  problems.error("bad-output", open.range, message, { help: `write {${open.name}: ${FORMS}}` });
}

/** `false`: `${id.NAME}` means something else already, which is reported. */
export function isFreeName(name: string, range: Range, problems: Problems): boolean {
  if (!STEP_FIELDS.some((field) => field === name)) return true;
  const message = `an output cannot be called \`${name}\`: every step with an id has one`;
  problems.error("reserved-output", range, message, { help: `such as ${name}_text` });
  return false;
}

function checkName(name: string, range: Range, problems: Problems): boolean {
  if (!isFreeName(name, range, problems)) return false;
  if (identifier().safeParse(name).success) return true;
  const message = `an output's name must be letters, digits, \`_\` and \`-\`, not \`${name}\``;
  problems.error("bad-name", range, message);
  return false;
}

function readRule(name: string, { value }: Entry, problems: Problems): OutputRule | null {
  if (value.kind !== "mapping") {
    const text = value.kind === "scalar" && typeof value.value === "string" ? value.value : null;
    const help = `write ${text === null ? FORMS : meant(text)}`;
    const message = `\`outputs.${name}\` must be a mapping, not ${describe(value)}`;
    problems.error("wrong-type", value.range, message, { help });
    return null;
  }
  const { entries, range } = value;
  const isFile = entries.has("file_pattern");
  if (isFile === entries.has("capture")) {
    const message = isFile ? "has both `file_pattern` and `capture`" : "says not what it is";
    if (!isFile && reportMisspelt(entries, problems)) return null;
    const help = `write ${FORMS}`;
    problems.error("bad-output", firstCharacter(range), `\`outputs.${name}\` ${message}`, { help });
    return null;
  }
  return isFile ? readFileRule(value, problems) : readCaptureRule(value, problems);
}

/** The rule that a text alone was meant as. */
function meant(text: string): string {
  if (captureRule.capture.safeParse(text).success) return `{capture: ${text}}`;
  return text.startsWith("$") ? `{capture: json, path: "${text}"}` : `{file_pattern: "${text}"}`;
}

/** `true`: a key that was meant as one of the two is there. */
function reportMisspelt(entries: Entries, problems: Problems): boolean {
  const allowed = [...new Set([fileRule, captureRule].flatMap(Object.keys))];
  const unknown = [...entries.keys()].filter((key) => !allowed.includes(key));
  for (const key of unknown) unknownKey({ key, entries, allowed }, problems);
  return unknown.some((key) => ["file_pattern", "capture"].includes(nearest(key, allowed) ?? ""));
}

type Mapping = Extract<Tree, { kind: "mapping" }>;

/** The entries when all of them are sound. */
function sound(tree: Mapping, shape: Shape, problems: Problems): Entries | null {
  const { range } = tree;
  const entries = check({ entries: tree.entries, range, what: "an output" }, shape, problems);
  const missing = Object.keys(shape)
    .slice(0, 1)
    .some((key) => !entries.has(key));
  return missing || entries.size !== tree.entries.size ? null : entries;
}

function readFileRule(tree: Mapping, problems: Problems): OutputRule | null {
  const entries = sound(tree, fileRule, problems);
  if (entries === null) return null;
  const { value: pattern, range } = requiredText(entries, "file_pattern");
  if (pattern.startsWith("/") || pattern.split("/").includes("..")) {
    const message = `\`file_pattern\` must be a pattern inside the repository, not "${pattern}"`;
    problems.error("bad-value", range, message, { help: 'as in "specs/*.md"' });
    return null;
  }
  const all = boolOf(entries, "all") ?? false;
  return { kind: "file", pattern, all, ...defaultOf(entries) };
}

function readCaptureRule(tree: Mapping, problems: Problems): OutputRule | null {
  const entries = sound(tree, captureRule, problems);
  if (entries === null) return null;
  const capture = textOf(entries, "capture") as Extract<OutputRule, { kind: "capture" }>["capture"];
  const from = (textOf(entries, "from") ?? "stdout") as "stdout" | "stderr" | "both";
  const path = textOf(entries, "path");
  const pattern = textOf(entries, "pattern");
  if (capture === "count" && pattern === null) {
    const help = "`count` counts the matches of `pattern`";
    problems.error("missing-key", firstCharacter(tree.range), "`pattern` is missing", { help });
    return null;
  }
  const idle = capture === "count" ? entries.get("path") : undefined;
  if (idle !== undefined) {
    const help = "`count` counts in the text as it is: leave `path` out";
    problems.error("bad-output", idle.key.range, "`path` does not go with `capture: count`", {
      help,
    });
    return null;
  }
  if (!checkPatterns(entries, problems)) return null;
  return {
    kind: "capture",
    capture,
    from,
    ...(path !== null && { path }),
    ...(pattern !== null && { pattern }),
    ...defaultOf(entries),
  };
}

function checkPatterns(entries: Entries, problems: Problems): boolean {
  const path = entries.get("path")?.value;
  const pattern = entries.get("pattern")?.value;
  const wrongPath = path?.kind === "scalar" ? pathTrouble(path.text.value) : null;
  if (path !== undefined && wrongPath !== null) {
    const message = `\`path\` is no JSONPath: ${wrongPath}`;
    problems.error("bad-path", path.range, message, { help: 'as in "$.items[0].name"' });
  }
  const compiled = pattern?.kind === "scalar" ? compilePattern(pattern.text.value) : null;
  const wrong = compiled?.ok === false ? compiled.error : null;
  if (pattern !== undefined && wrong !== null) {
    const help = "a literal text, or /regex/ with the flags i m s, in RE2 syntax";
    problems.error("bad-pattern", pattern.range, `\`pattern\` is no pattern: ${wrong}`, { help });
  }
  return wrongPath === null && wrong === null;
}

function defaultOf(entries: Entries): { default?: unknown } {
  const value = entries.get("default")?.value;
  return value === undefined ? {} : { default: plainValue(value) };
}
