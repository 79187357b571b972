import * as z from "zod";
import { durationFrom } from "../lib/duration.ts";
import { nearest } from "../lib/nearest.ts";
import { madeAtOnce, type Shape } from "../steps/shape.ts";
import type { Range } from "./diagnostic.ts";
import { didYouMean, firstCharacter, type Problems } from "./problems.ts";
import { keysAt } from "./schema-keys.ts";
import { describe, plainValue, type Entries, type Tree } from "./tree.ts";
import { familiar } from "./familiar-keys.ts";
import { homeOf, isPlanned } from "./known-keys.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What is checked: a mapping's entries, and the place to name when something is missing in it. */
export interface Checked {
  readonly entries: Entries;
  readonly range: Range;
  /** The start of messages about it: "a step", "`outputs`". */
  readonly what: string;
  /** Keys that are fine here although the schema does not know them; offered as suggestions. */
  readonly more?: readonly string[];
}

/**
 * Holds entries against the schemas of their keys; each issue becomes a problem at its place, in our own words.
 *
 * Returns the entries whose value is sound: the others must not be read.
 */
export function check(checked: Checked, shape: Shape, problems: Problems): Entries {
  const issues = issuesOf(checked.entries, shape);
  if (issues.length === 0) return checked.entries;
  const bad = new Set<string>();
  const seen = new Set<string>();
  for (const issue of issues) {
    for (const { path, found } of unfold(issue, [])) {
      const first = path[0] ?? (found.code === "unrecognized_keys" ? found.keys[0] : undefined);
      if (first !== undefined) bad.add(String(first));
      // One problem a place: a number out of range would else be told once for each rule it breaks.
      const key = found.code === "unrecognized_keys" ? `${path.join("\0")}\0keys` : path.join("\0");
      if (seen.has(key)) continue;
      seen.add(key);
      report({ found, path, checked, shape, problems });
    }
  }
  return new Map([...checked.entries].filter(([key]) => !bad.has(key)));
}

/** What a strict object of zod's would find, but only of the keys that are there is the schema made. */
function issuesOf(entries: Entries, shape: Shape): readonly Issue[] {
  const unknown: string[] = [];
  const issues: Issue[] = [];
  for (const [key, { value }] of entries) {
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (schema === undefined) unknown.push(key);
    // What is read by hand goes by its key alone: it can be a whole tree of steps.
    else if (!isByHand(schema)) issues.push(...issuesAt(key, schema, plainValue(value)));
  }
  for (const key of madeAtOnce(shape)) {
    const schema = shape[key];
    if (schema !== undefined && !entries.has(key)) issues.push(...issuesAt(key, schema, undefined));
  }
  if (unknown.length > 0) {
    issues.push({ code: "unrecognized_keys", keys: unknown, path: [], message: "", input: {} });
  }
  return issues;
}

function issuesAt(key: string, schema: z.ZodType, value: unknown): readonly Issue[] {
  const issues = schema.safeParse(value).error?.issues ?? [];
  return issues.map((issue) => ({ ...issue, path: [key, ...issue.path] }));
}

function isByHand(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional
    ? isByHand(schema.unwrap())
    : schema instanceof z.ZodUnknown;
}

interface Placed {
  readonly path: Path;
  readonly found: Issue;
}

/** A union's issue is that of the one form the value was meant as, when the shape tells which. */
function unfold(issue: Issue, above: Path): readonly Placed[] {
  const path = [...above, ...issue.path];
  if (issue.code !== "invalid_union") return [{ path, found: issue }];
  const meant = issue.errors.filter((errors) => errors.every((inner) => !isWrongShape(inner)));
  const [only] = meant;
  if (only === undefined || meant.length !== 1) return [{ path, found: issue }];
  return only.flatMap((inner) => unfold(inner, path));
}

function isWrongShape(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  return (
    issue.code === "invalid_type" ||
    issue.code === "invalid_value" ||
    issue.code === "invalid_union"
  );
}

interface Report extends Placed {
  readonly checked: Checked;
  readonly shape: Shape;
  readonly problems: Problems;
}

function report({ found, path, checked, shape, problems }: Report): void {
  if (found.code === "unrecognized_keys") {
    const at = treeAt(checked.entries, path);
    const entries = at === null ? checked.entries : at.kind === "mapping" ? at.entries : new Map();
    const allowed = [...keysAt(shape, path), ...(path.length === 0 ? (checked.more ?? []) : [])];
    for (const key of found.keys) {
      if (!problems.areTooMany) unknownKey({ key, entries, allowed }, problems);
    }
    return;
  }
  const name = path.length === 0 ? checked.what : `\`${nameOf(path)}\``;
  const tree = treeAt(checked.entries, path);
  if (tree === null) {
    if (isMisspelt(path, checked, shape)) return;
    const parent = path.length > 1 ? treeAt(checked.entries, path.slice(0, -1)) : null;
    const place = firstCharacter(parent?.range ?? checked.range);
    problems.error("missing-key", place, `${name} is missing`, {
      help: `write ${name} as ${found.message}`,
    });
    return;
  }
  if (found.code === "invalid_key") return badName(found, path, { checked, problems });
  const wrongType = found.code === "invalid_type" || found.code === "invalid_union";
  const code = wrongType ? "wrong-type" : "bad-value";
  const message = `${name} must be ${found.message}, not ${describe(tree)}`;
  problems.error(code, tree.range, message, helpFor(found.message, tree));
}

/** The missing key is there under a wrong name, which is told at that name. */
function isMisspelt(path: Path, { entries }: Checked, shape: Shape): boolean {
  const at = treeAt(entries, path.slice(0, -1));
  const there = path.length === 1 ? entries : at?.kind === "mapping" ? at.entries : new Map();
  const allowed = keysAt(shape, path.slice(0, -1));
  return [...there.keys()].some(
    (key) => !allowed.includes(key) && nearest(key, allowed) === path.at(-1),
  );
}

/** A key of a mapping whose keys are the user's own: `env`. */
function badName(
  found: Extract<Issue, { code: "invalid_key" }>,
  path: Path,
  { checked, problems }: Pick<Report, "checked" | "problems">,
): void {
  const key = String(path.at(-1));
  const parent = treeAt(checked.entries, path.slice(0, -1));
  const place = parent?.kind === "mapping" ? parent.entries.get(key)?.key.range : undefined;
  const rule = found.issues[0]?.message ?? "a name";
  const message = `a name in \`${String(path[0])}\` must be ${rule}, not \`${key}\``;
  problems.error("bad-name", place ?? checked.range, message);
}

interface UnknownKey {
  readonly key: string;
  readonly entries: Entries;
  readonly allowed: readonly string[];
}

/** Says where a key belongs, or which one was meant, or which there are. */
export function unknownKey({ key, entries, allowed }: UnknownKey, problems: Problems): void {
  const range = entries.get(key)?.key.range;
  if (range === undefined) return;
  if (isPlanned(key)) {
    const message = `\`${key}\` is not supported by this version of mmm`;
    problems.error("not-supported", range, message, { help: "remove it" });
    return;
  }
  const home = homeOf(key, allowed);
  const near = didYouMean(key, allowed);
  const list = allowed.map((name) => `\`${name}\``).join(", ");
  const dash = /^-\w/.test(key) ? "a space is missing after `-`" : undefined;
  const help =
    dash ??
    familiar(key, entries, allowed) ??
    home ??
    near.help ??
    (allowed.length <= 8 ? `known here: ${list}` : undefined);
  const more = help === undefined ? {} : { help };
  problems.error("unknown-key", range, `unknown key \`${key}\``, more);
}

/** What people write from habit, and what YAML 1.2 wants. */
function helpFor(expected: string, tree: Tree): { help?: string } {
  if (tree.kind !== "scalar") return {};
  const value = tree.value;
  if (expected.startsWith("true") && typeof value === "string") {
    if (/^(?:yes|on|y|true)$/i.test(value)) return { help: "write true" };
    if (/^(?:no|off|n|false)$/i.test(value)) return { help: "write false" };
  }
  const isText = expected.startsWith("a text");
  if (isText && (typeof value === "number" || typeof value === "boolean")) {
    return { help: `put it in quotes: "${tree.text.value}"` };
  }
  if (typeof value !== "string") return {};
  const duration = expected.startsWith("a number of seconds") ? durationFrom(value) : null;
  if (duration !== null) return { help: `write ${duration}` };
  if (expected.startsWith("one word") && value !== "") {
    return { help: "say what to do with `claude` or `shell`, or put arguments into `args`" };
  }
  if (expected.startsWith("a whole number") && /^\d+$/.test(value)) {
    return { help: `write ${value} without quotes` };
  }
  if (expected.startsWith("one of ")) return didYouMean(value, expected.slice(7).split(" "));
  return {};
}

function treeAt(entries: Entries, path: Path): Tree | null {
  const [first, ...rest] = path;
  let tree: Tree | undefined = first === undefined ? undefined : entries.get(String(first))?.value;
  for (const key of rest) {
    if (tree?.kind === "mapping") tree = tree.entries.get(String(key))?.value;
    else if (tree?.kind === "list") tree = tree.items[Number(key)];
    else tree = undefined;
  }
  return tree ?? null;
}

function nameOf(path: Path): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : String(key)))
    .join(".")
    .replaceAll(".[", "[");
}
