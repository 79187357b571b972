/** The `mmm:` block in the frontmatter of a command file (spec 9.2). Pure. */
import { parseDocument } from "yaml";
import { asObject, type JsonObject } from "../lib/json.ts";
import type { Range } from "../playbook/diagnostic.ts";
import { readOutputs } from "../playbook/outputs.ts";
import type { CommandOutput, CommandRules } from "../playbook/plan-model.ts";
import { Problems } from "../playbook/problems.ts";
import type { Tree } from "../playbook/tree.ts";
import { parseYaml } from "../playbook/yaml.ts";

export interface ReadRules {
  /** `null`: the file has no `mmm:` block, or none that can be read. */
  readonly rules: CommandRules | null;
  /** What is wrong with the block, without the file's name; Claude itself ignores broken frontmatter. */
  readonly problems: readonly string[];
}

const ALLOWED = {
  commit: ["required", "optional"],
  produces: ["spec"],
  consumes: ["spec"],
} as const;

const KEYS = [...Object.keys(ALLOWED), "outputs"];

/** @param text of the whole file; never throws. */
export function readCommandRules(text: string): ReadRules {
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(text)?.[0];
  if (opening === undefined) return { rules: null, problems: [] };
  const rest = text.slice(opening.length);
  const closing = /^---[ \t]*\r?$/m.exec(rest);
  if (closing === null) return { rules: null, problems: [] };
  const front = rest.slice(0, closing.index);
  const parsed = parsePlain(front);
  if ("problem" in parsed) return { rules: null, problems: [parsed.problem] };
  const block = asObject(parsed.value)?.["mmm"];
  if (block === undefined || block === null) return { rules: null, problems: [] };
  const mapping = asObject(block);
  if (mapping === null)
    return { rules: null, problems: [`mmm: is ${JSON.stringify(block)}, not a mapping`] };
  return readBlock(mapping, front);
}

function readBlock(block: JsonObject, front: string): ReadRules {
  const problems: string[] = [];
  function pick<K extends keyof typeof ALLOWED>(key: K): (typeof ALLOWED)[K][number] | null {
    const value = block[key];
    if (value === undefined || value === null) return null;
    const found = ALLOWED[key].find((allowed) => allowed === value);
    if (found === undefined)
      problems.push(
        `mmm.${key} is ${JSON.stringify(value)}; it can be ${ALLOWED[key].join(" or ")}`,
      );
    return found ?? null;
  }
  const rules = {
    commit: pick("commit"),
    produces: pick("produces"),
    consumes: pick("consumes"),
  };
  for (const key of Object.keys(block))
    if (!KEYS.includes(key)) problems.push(`mmm.${key} is not known; known are ${KEYS.join(", ")}`);
  const declared = block["outputs"];
  if (declared === undefined || declared === null) return { rules, problems };
  const read = readRulesOfOutputs(front);
  problems.push(...read.problems);
  return { rules: { ...rules, outputs: read.outputs }, problems };
}

/** The rules of a playbook's own `outputs`, read by the same reader: what is wrong there is wrong here. */
function readRulesOfOutputs(front: string): {
  readonly outputs: readonly CommandOutput[];
  readonly problems: readonly string[];
} {
  const found = new Problems(front.length);
  const tree = parseYaml(front, found, "frontmatter");
  const outputs = entryOf(entryOf(tree, "mmm"), "outputs");
  if (outputs === null) {
    // What the usual parser lets through and the strict one does not.
    const [first] = found.sorted;
    return { outputs: [], problems: [`mmm.outputs: ${first?.message ?? "it cannot be read"}`] };
  }
  if (outputs.kind !== "mapping")
    return { outputs: [], problems: ["mmm.outputs is no mapping of a name to how it is read"] };
  const declared = readOutputs(outputs, found);
  const problems = found.sorted
    .filter(({ range }) => isWithin(range, outputs.range))
    .map(({ message, help }) => `mmm.outputs: ${message}${help === undefined ? "" : `; ${help}`}`);
  return {
    // A rule is missing in a list of names alone, and that is no mapping.
    outputs: declared.flatMap(({ name, rule }) => (rule === null ? [] : [{ name, rule }])),
    problems,
  };
}

function entryOf(tree: Tree | null, key: string): Tree | null {
  return tree?.kind === "mapping" ? (tree.entries.get(key)?.value ?? null) : null;
}

function isWithin(inner: Range, outer: Range): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

function parsePlain(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    const document = parseDocument(text, { logLevel: "silent" });
    const error = document.errors[0];
    if (error !== undefined)
      return { problem: `its frontmatter is no YAML: ${error.message.split("\n")[0] ?? ""}` };
    // Throws on unresolved aliases and alias bombs although `errors` is empty.
    const value: unknown = document.toJS();
    return { value };
  } catch (error) {
    return { problem: `its frontmatter is no YAML: ${(error as Error).message}` };
  }
}
