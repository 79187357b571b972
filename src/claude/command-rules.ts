/** The `mmm:` block in the frontmatter of a command file (spec 9.2). Pure. */
import { parseDocument } from "yaml";
import type { CommandRules } from "../playbook/plan-model.ts";
import { asObject, type JsonObject } from "../lib/json.ts";

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

/** @param text of the whole file; never throws. */
export function readCommandRules(text: string): ReadRules {
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(text)?.[0];
  if (opening === undefined) return { rules: null, problems: [] };
  const rest = text.slice(opening.length);
  const closing = /^---[ \t]*\r?$/m.exec(rest);
  if (closing === null) return { rules: null, problems: [] };
  const parsed = parseYaml(rest.slice(0, closing.index));
  if ("problem" in parsed) return { rules: null, problems: [parsed.problem] };
  const block = asObject(parsed.value)?.["mmm"];
  if (block === undefined || block === null) return { rules: null, problems: [] };
  const mapping = asObject(block);
  if (mapping === null)
    return { rules: null, problems: [`mmm: is ${JSON.stringify(block)}, not a mapping`] };
  return readBlock(mapping);
}

function readBlock(block: JsonObject): ReadRules {
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
  const rules: CommandRules = {
    commit: pick("commit"),
    produces: pick("produces"),
    consumes: pick("consumes"),
  };
  for (const key of Object.keys(block))
    if (!(key in ALLOWED))
      problems.push(`mmm.${key} is not known; known are ${Object.keys(ALLOWED).join(", ")}`);
  return { rules, problems };
}

function parseYaml(text: string): { readonly value: unknown } | { readonly problem: string } {
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
