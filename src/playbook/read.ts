import { kindKeys } from "../steps/registry.ts";
import type { Diagnostic, Range } from "./diagnostic.ts";
import { readDefaults, readHeader, withoutConfig, type Header } from "./header.ts";
import { HoleFinder, type Holes } from "./holes.ts";
import type { Playbook, Step } from "./model.ts";
import { firstCharacter, Problems } from "./problems.ts";
import type { Reading, StepPlace } from "./reading.ts";
import { sourceFile, type SourceFile } from "./source.ts";
import { firstLineOf, readStep } from "./step.ts";
import { describe, type Entry, type MappingTree, type Tree } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

/** Over 200 bytes for each of 10 000 steps; what has more is no playbook. */
const MAX_MEBIBYTES = 2;
/** Nobody mends more at once; the rest is counted. */
const MAX_PROBLEMS = 200;

export interface ReadResult {
  /** `null`: there is an error among the diagnostics. */
  readonly playbook: Playbook | null;
  /** Of a playbook with errors, what could be read all the same: to find what else is wrong, never to run. */
  readonly partial: { readonly playbook: Playbook; readonly holes: Holes } | null;
  /** In the order of their places. */
  readonly diagnostics: readonly Diagnostic[];
  /** What the places of the diagnostics mean; empty for a file that is no text. */
  readonly source: SourceFile;
}

/**
 * A playbook's file to its meaning, or to everything that is wrong with it (spec 2). Never throws.
 *
 * `file` is its name as the user gave it; JSON is read as the YAML it is.
 */
export function readPlaybook(file: string, bytes: Uint8Array | string): ReadResult {
  const size = bytes.length;
  if (size > MAX_MEBIBYTES * 1024 * 1024) {
    const mebibytes = (size / 1024 / 1024).toFixed(1);
    return refused(
      file,
      "too-big",
      `the file has ${mebibytes} MiB, a playbook at most ${MAX_MEBIBYTES}`,
      {
        help: "is this a playbook?",
      },
    );
  }
  const text = typeof bytes === "string" ? bytes.replace(/^\uFEFF/, "") : decode(bytes);
  if (text === null) return notUtf8(file, bytes as Uint8Array);
  const problems = new Problems(text.length);
  const tree = parseYaml(text, problems);
  const read = tree === null ? null : readTree(tree, stemOf(file), problems);
  const shared = { diagnostics: bounded(problems), source: sourceFile(file, text) };
  if (read === null) return { playbook: null, partial: null, ...shared };
  const playbook = { file, text, ...read.playbook };
  if (!problems.hasErrors) return { playbook, partial: null, ...shared };
  // Noise is not looked at twice.
  const partial = problems.areTooMany ? null : { playbook, holes: read.holes };
  return { playbook: null, partial, ...shared };
}

/** The answer for a PLAYBOOK whose text cannot be had: missing, a directory, not to be read. */
export function withoutText(
  file: string,
  trouble: { readonly code: string; readonly message: string; readonly next: readonly string[] },
): ReadResult {
  const help = trouble.next.join("; ");
  return refused(file, trouble.code, trouble.message, help === "" ? {} : { help });
}

function refused(file: string, code: string, message: string, more: { help?: string }): ReadResult {
  const range = { start: 0, end: 0 };
  const diagnostics = [{ code, severity: "error", message, range, ...more } as const];
  return { playbook: null, partial: null, diagnostics, source: sourceFile(file, "") };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Shown with the text as far as it can be read, at the first byte that cannot. */
function notUtf8(file: string, bytes: Uint8Array): ReadResult {
  const isUtf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const text = new TextDecoder("utf-8").decode(bytes);
  // The file may hold U+FFFD itself, before the byte at fault: decoding strictly tells them apart.
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isStrict(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  const sound = bytes.subarray(0, low);
  const decoded = new TextDecoder("utf-8").decode(sound, { stream: true });
  const withMark = new TextDecoder("utf-8", { ignoreBOM: true }).decode(sound, { stream: true });
  const byte = new TextEncoder().encode(withMark).length + 1;
  const start = isUtf16 ? 0 : decoded.length;
  const message = isUtf16 ? "the file is UTF-16, not UTF-8" : `byte ${byte} is not UTF-8`;
  const range = { start: Math.min(start, text.length), end: Math.min(start + 1, text.length) };
  const help = "save the file as UTF-8";
  const diagnostics = [{ code: "not-utf8", severity: "error", message, range, help } as const];
  return { playbook: null, partial: null, diagnostics, source: sourceFile(file, text) };
}

/** A character cut off at the end is no fault here. */
function isStrict(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function readTree(
  tree: Tree,
  stem: string,
  problems: Problems,
): {
  readonly playbook: Header & Pick<Playbook, "steps" | "merge">;
  readonly holes: Holes;
} | null {
  if (tree.kind === "scalar") {
    const message = `a playbook must be a list of steps or a mapping, not ${describe(tree)}`;
    const help = `put \`- \` in front of each step, or write \`steps:\` above them`;
    problems.error("wrong-type", firstLineOf(tree), message, { help });
    return null;
  }
  const none: MappingTree = { kind: "mapping", entries: new Map(), range: tree.range, size: 1 };
  const header = tree.kind === "list" ? none : withoutConfig(tree, problems);
  const ids = new Map<string, Range>();
  const finder = new HoleFinder(problems);
  const defaults = readDefaults(header, reading({ problems, ids, defaults: new Map() }, finder));
  const all = reading({ problems, ids, defaults }, finder);
  const above = problems.errorCount;
  if (isLoneStep(tree)) {
    const help = "put `- ` in front of the step";
    problems.error("no-steps", firstCharacter(tree.range), "a step, not a list of steps", { help });
    all.readStep(tree, { depth: 0, loops: 0 });
    return null;
  }
  const list = tree.kind === "list" ? tree : stepsOf(header, problems);
  const steps = list === null ? [] : readSteps(list, "the playbook", all);
  const merging = header.entries.get("merge")?.value;
  const merge = merging === undefined ? null : readSteps(merging, "`merge`", all);
  const below = problems.errorCount;
  const playbook = { ...readHeader(header, stem, problems), steps, merge };
  return { playbook, holes: finder.holes(above > 0 || problems.errorCount > below) };
}

/** `claude` may be the header's: without `steps` it says more of a step. */
function isLoneStep(tree: Tree): boolean {
  if (tree.kind !== "mapping" || tree.entries.has("steps") || tree.entries.has("commands"))
    return false;
  return [...kindKeys, "test"].some((key) => tree.entries.has(key));
}

function reading(shared: Omit<Reading, "readStep">, finder: HoleFinder): Reading {
  const own: Reading = {
    ...shared,
    readStep: finder.watch((tree, place) => readStep(tree, place, own)),
  };
  return own;
}

function readSteps(tree: Tree, what: string, reading: Reading): readonly Step[] {
  const isNothing = tree.kind === "scalar" && tree.value === null;
  if (isNothing || (tree.kind === "list" && tree.items.length === 0)) {
    const help = "a step is, for example, `- shell: npm test`";
    reading.problems.error("no-steps", tree.range, `${what} has no steps`, { help });
    return [];
  }
  if (tree.kind !== "list") {
    const named = what === "the playbook" ? "the steps" : what;
    const message = `${named} must be a list, not ${describe(tree)}`;
    const place = tree.kind === "scalar" ? firstLineOf(tree) : tree.range;
    const help = "put `- ` in front of each step";
    reading.problems.error("wrong-type", place, message, { help });
    return [];
  }
  const steps: Step[] = [];
  for (const item of tree.items) {
    const top: StepPlace = { depth: 0, loops: 0 };
    const step = reading.problems.areTooMany ? null : reading.readStep(item, top);
    if (step !== null) steps.push(step);
  }
  return steps;
}

/** The value of `steps` or `commands`, one of which must be there. */
function stepsOf({ entries, range }: MappingTree, problems: Problems): Tree | null {
  const steps = entries.get("steps");
  const commands = entries.get("commands");
  if (steps !== undefined && commands !== undefined) {
    const [first, second] = inOrder(steps, commands);
    const message = "`steps` and `commands` are two names for one list";
    problems.error("two-lists", second.key.range, message, {
      help: "put all steps into one of them",
      related: { message: "the other one is here", range: first.key.range },
    });
    return first.value;
  }
  const found = steps ?? commands;
  if (found !== undefined) return found.value;
  const help = "write `steps:` with a list of steps";
  problems.error("no-steps", firstCharacter(range), "the playbook has no `steps`", { help });
  return null;
}

function inOrder(a: Entry, b: Entry): readonly [Entry, Entry] {
  return a.key.range.start < b.key.range.start ? [a, b] : [b, a];
}

function bounded(problems: Problems): readonly Diagnostic[] {
  const all = problems.sorted;
  if (all.length <= MAX_PROBLEMS) return all;
  // Errors first: a playbook that is refused shows at least one.
  const errors = all.filter(({ severity }) => severity === "error");
  const shown = [...errors, ...all.filter(({ severity }) => severity !== "error")].slice(
    0,
    MAX_PROBLEMS,
  );
  const range = shown.at(-1)?.range ?? { start: 0, end: 0 };
  const rest = all.length - MAX_PROBLEMS;
  const message = `${problems.areTooMany ? "at least " : ""}${rest} more problems are not shown`;
  const more = { code: "more", severity: "note", message, range } as const;
  return [...shown.toSorted((a, b) => a.range.start - b.range.start), more];
}

/** A file's name without folders and extension; the default for `name`. */
function stemOf(file: string): string {
  const name = file.split(/[/\\]/).at(-1) ?? file;
  return name.replace(/\.(?:ya?ml|json)$/i, "") || name;
}
