import { readCommandText } from "../steps/claude.ts";
import type { StepBody, StepKind } from "../steps/kind.ts";
import { stepOptions } from "../steps/options.ts";
import { kindKeys, stepKinds } from "../steps/registry.ts";
import { check, unknownKey } from "./check.ts";
import { readCommon, withDefaults } from "./common.ts";
import type { Range } from "./diagnostic.ts";
import { isDoer } from "./familiar-keys.ts";
import { notYet } from "./known-keys.ts";
import type { Step, StepCommon } from "./model.ts";
import { withoutOldForms } from "./old-forms.ts";
import { checkNamedOutputs } from "./outputs.ts";
import { firstCharacter, didYouMean, type Problems } from "./problems.ts";
import { MAX_LOOP_DEPTH, type Reading, type StepPlace } from "./reading.ts";
import { readList } from "./step-list.ts";
import { describe, type Entries, type MappingTree, type ScalarTree, type Tree } from "./tree.ts";
import { optionalText } from "./values-of.ts";

/** Longer labels make lines of output that nobody reads to the end. */
const MAX_LABEL = 80;
const KINDS = `${kindKeys.map((key) => `\`${key}\``).join(", ")}, or a command as text`;

/** One step in any form; `null` when it is none, which is reported. */
export function readStep(tree: Tree, place: StepPlace, reading: Reading): Step | null {
  if (tree.kind === "scalar") return readTextStep(tree, place, reading);
  if (tree.kind === "mapping") return readMappingStep(tree, place, reading);
  const message = "a step must be a text or a mapping, not a list";
  reading.problems.error("wrong-type", tree.range, message, { help: "remove one `-` or `[`" });
  return null;
}

function readTextStep(tree: ScalarTree, place: StepPlace, reading: Reading): Step | null {
  const { problems } = reading;
  if (typeof tree.value !== "string") {
    const isNull = tree.value === null;
    const wrong = `a step must be a text or a mapping, not ${describe(tree)}`;
    const message = isNull ? "a step with nothing in it" : wrong;
    const help = isNull ? `remove it, or write ${KINDS}` : `write ${KINDS}`;
    problems.error("wrong-type", tree.range, message, { help });
    return null;
  }
  const command = tree.value.trim();
  if (command === "" || command === "/") {
    const message =
      command === "" ? "a step with an empty text" : "a step without a command's name";
    problems.error("bad-value", tree.range, message, { help: "as in `- mmm-code-review`" });
    return null;
  }
  const word = /^[a-z]+/.exec(command)?.[0] ?? "";
  if (kindKeys.includes(word) && /^[: ]/.test(command.slice(word.length))) {
    const rest =
      command
        .slice(word.length + 1)
        .trim()
        .split("\n", 1)[0] ?? "";
    const message = `the text "${word}..." where the key \`${word}:\` seems meant`;
    const help = `write \`${word}: ${rest.slice(0, 60)}\`, or \`/${word}\` for a Claude command of that name`;
    problems.error("bad-value", firstLineOf(tree), message, { help });
    return null;
  }
  const entries = place.depth === 0 ? reading.defaults : new Map();
  const common = readCommon(entries, { ...place, range: tree.range }, reading);
  return join(common, readCommandText(tree.text), { label: command, named: false });
}

function readMappingStep(tree: MappingTree, place: StepPlace, reading: Reading): Step | null {
  const { problems } = reading;
  const today = withoutOldForms(tree.entries, problems);
  const supported = withoutUnsupported(today, problems);
  const kind = kindOf(today, tree, { place, problems });
  if (kind === null) {
    checkRest(supported, { tree, place, reading });
    return null;
  }
  const own = kind.inside === undefined ? supported : ownKeys(supported, kind, problems);
  const { range } = tree;
  const checked = { entries: own, range, what: "a step", more: place.beside ?? [] };
  const sound = check(checked, kind.shape, problems);
  const takes = place.depth === 0 && kind.inside === undefined;
  const all = takes ? withDefaults(sound, reading.defaults) : sound;
  const { depth, loops } = place;
  const common = readCommon(all, { range, depth, loops }, reading);
  const steps = kind.inside === undefined ? [] : readInside(sound, { kind, place }, reading);
  // A claude step may carry an option that is not there yet: its other keys are read all the same.
  const isSound = sound.has(kind.key) && (kind.key !== "name" || !tooOdd(supported, sound));
  if (!isSound) return null;
  const name = optionalText(kind.weak ? new Map() : all, "name")?.value ?? null;
  const label = { label: name ?? kind.label(all), named: name !== null };
  const step = join(common, kind.read(all, steps), label);
  checkNamedOutputs(step, problems);
  return step;
}

/** Options that other steps have, and this one cannot: they are for the steps in it. */
function ownKeys(entries: Entries, { key: what, inside, shape }: StepKind, problems: Problems) {
  const isElsewhere = (key: string): boolean => key in stepOptions && !(key in shape);
  for (const [key, entry] of entries) {
    if (!isElsewhere(key)) continue;
    const message = `a \`${what}\` step takes no \`${key}\``;
    const help = `write it at the steps under \`${inside}\``;
    problems.error("not-for-foreach", entry.key.range, message, { help });
  }
  return new Map([...entries].filter(([key]) => !isElsewhere(key)));
}

/** The steps of a loop; `defaults` go to them as to all that stand in no handler. */
function readInside(
  entries: Entries,
  { kind, place }: { readonly kind: StepKind; readonly place: StepPlace },
  reading: Reading,
): readonly Step[] {
  const inside = kind.inside ?? "";
  const entry = entries.get(inside);
  if (entry === undefined) return [];
  if (place.loops >= MAX_LOOP_DEPTH) {
    const message = `\`${kind.key}\` is nested deeper than ${MAX_LOOP_DEPTH} loops`;
    reading.problems.error(
      "loops-too-deep",
      entries.get(kind.key)?.key.range ?? entry.key.range,
      message,
      {
        help: "put the inner steps into a script and call it",
      },
    );
    return [];
  }
  const within = { depth: place.depth, loops: place.loops + 1 };
  return readList(entry.value, { key: inside, within }, reading);
}

/** A step that is none has options all the same: what is wrong with them is told in the same run. */
function checkRest(
  entries: Entries,
  {
    tree,
    place,
    reading,
  }: { readonly tree: MappingTree; readonly place: StepPlace; readonly reading: Reading },
): void {
  const known = new Map([...entries].filter(([key]) => key in stepOptions));
  const sound = check({ ...tree, entries: known, what: "a step" }, stepOptions, reading.problems);
  readCommon(sound, { ...place, range: tree.range }, reading);
}

/** A whole page of prose is marked by its beginning. */
export function firstLineOf({ range, text }: ScalarTree): Range {
  const line = text.value.split("\n", 1)[0] ?? "";
  return { start: range.start, end: Math.min(range.end, range.start + line.length + 2) };
}

/** Arguments that were wrong are left out of `sound`; a command without them is another command. */
function tooOdd(all: Entries, sound: Entries): boolean {
  return all.has("args") && !sound.has("args");
}

function join(
  common: Omit<StepCommon, "label" | "named">,
  body: StepBody,
  { label, named }: Pick<StepCommon, "label" | "named">,
): Step {
  // Not `{ ...common, ...body }`, of which each would be an object of its own shape to the engine: ten times as slow.
  return Object.assign(common, body, { label: cutLabel(label), named });
}

function cutLabel(text: string): string {
  const whole = text.trim();
  const line = whole.split("\n", 1)[0]?.trim() ?? "";
  // What was trimmed ends in a letter: after a line break in it there is something.
  const sign = whole.includes("\n") ? " …" : "";
  const most = MAX_LABEL - sign.length;
  const letters = Array.from(line);
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : `${line}${sign}`;
}

/** The one kind whose key is there; none or several are reported. */
function kindOf(
  entries: Entries,
  tree: MappingTree,
  { place, problems }: { readonly place: StepPlace; readonly problems: Problems },
): StepKind | null {
  const found = stepKinds.filter(({ key, weak }) => !weak && entries.has(key));
  if (entries.has("test") || found.length > 1) {
    const keys = [...found.map(({ key }) => key), ...(entries.has("test") ? ["test"] : [])];
    const message = `a step of two kinds: ${keys.map((key) => `\`${key}\``).join(" and ")}`;
    const help = "make two steps of it";
    problems.error("two-kinds", firstCharacter(tree.range), message, { help });
    const allowed = [...kindKeys, "test", ...Object.keys(stepOptions), ...(place.beside ?? [])];
    for (const key of entries.keys()) {
      const isKnown = allowed.includes(key) || notYet("step", key) !== undefined;
      if (!isKnown) unknownKey({ key, entries, allowed }, problems);
    }
    return null;
  }
  // `name` is a label beside a key that says, elsewhere, what to do.
  const isForeign = [...entries.keys()].some(isDoer);
  const weak = stepKinds.find(({ key, weak }) => weak && !isForeign && entries.has(key));
  const kind = found[0] ?? weak ?? null;
  if (kind === null) reportNoKind(entries, tree, { place, problems });
  return kind;
}

function reportNoKind(
  entries: Entries,
  tree: MappingTree,
  { place, problems }: { readonly place: StepPlace; readonly problems: Problems },
): void {
  const beside = place.beside ?? [];
  const allowed = [...kindKeys, "name", ...Object.keys(stepOptions), ...beside];
  const unknown = [...entries.keys()].filter((key) => !allowed.includes(key));
  let isExplained = unknown.some(isDoer);
  for (const key of unknown) {
    if (notYet("step", key) !== undefined) continue;
    unknownKey({ key, entries, allowed }, problems);
    const near = didYouMean(key, allowed).help ?? "";
    if ([...kindKeys, ...beside].some((name) => near.includes(`\`${name}\``))) isExplained = true;
  }
  if (isExplained) return;
  const message = "a step of no kind: it says not what to do";
  problems.error("no-kind", firstCharacter(tree.range), message, { help: `write ${KINDS}` });
}

/** Keys that the specification has and this version does not are errors, and left out. */
export function withoutUnsupported(entries: Entries, problems: Problems): Entries {
  const kept = reportUnsupported(entries, "step", problems);
  const claude = kept.get("claude");
  if (claude?.value.kind !== "mapping") return kept;
  const inner = reportUnsupported(claude.value.entries, "claude", problems);
  return new Map([...kept, ["claude", { ...claude, value: { ...claude.value, entries: inner } }]]);
}

/** See {@link withoutUnsupported}; for the header and its `claude` too. */
export function reportUnsupported(
  entries: Entries,
  place: "header" | "step" | "claude",
  problems: Problems,
): Entries {
  const unsupported = [...entries].filter(([key]) => notYet(place, key) !== undefined);
  if (unsupported.length === 0) return entries;
  for (const [key, entry] of unsupported) {
    const help = notYet(place, key) ?? "remove it";
    const message = `\`${key}\` is not supported by this version of mmm`;
    problems.error("not-supported", entry.key.range, message, { help });
  }
  return new Map([...entries].filter(([key]) => notYet(place, key) === undefined));
}
