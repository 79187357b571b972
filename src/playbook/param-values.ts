/** From what was given for parameters to their values: flag beats file beats default (spec 1). */
import { nearest } from "../lib/nearest.ts";
import { shellWord } from "../lib/shell-word.ts";
import { itemText, type Value } from "../values/value.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { ParamDeclaration } from "./model.ts";
import { choiceTrouble, valueOfTexts, valueOfTree, WANTED } from "./params.ts";
import { didYouMean, Problems } from "./problems.ts";
import { sourceFile, type SourceFile } from "./source.ts";
import { describe } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

interface ParamProblem {
  readonly message: string;
  readonly help: string | null;
}

export type ParamValues =
  | { readonly ok: true; readonly values: ReadonlyMap<string, Value> }
  | { readonly ok: false; readonly problems: readonly ParamProblem[] };

/**
 * @param given `flags` as typed after `--param`; `file` as {@link readParamFile} found them.
 * Optional ones that nobody gives are null.
 */
export function paramValues(
  declared: readonly ParamDeclaration[],
  given: { readonly flags: readonly string[]; readonly file: ReadonlyMap<string, Value> },
): ParamValues {
  const { texts, problems } = byName(declared, given.flags);
  const values = new Map<string, Value>();
  const missing: ParamProblem[] = [];
  for (const param of declared) {
    const { name } = param;
    const typed = texts.get(name);
    if (typed === undefined) {
      const value = given.file.get(name) ?? param.default;
      values.set(name, value);
      if (value === null && param.required) missing.push(missingProblem(param));
      continue;
    }
    const value = valueOfTexts(typed, param.type);
    const what = `--param ${name}`;
    if (!value.ok) {
      const shown = JSON.stringify(typed.at(-1));
      const not = typed.length > 1 ? "" : `, not ${shown}`;
      problems.push({ message: `${what} must be ${value.error}${not}`, help: null });
      continue;
    }
    const trouble = choiceTrouble(param, value.value);
    if (trouble === null) values.set(name, value.value);
    else problems.push({ message: `${what} ${trouble.message}`, help: trouble.more.help ?? null });
  }
  const all = [...problems, ...missing];
  return all.length === 0 ? { ok: true, values } : { ok: false, problems: all };
}

/** Of a parameter without a value: what to type, and what it is for. */
function missingProblem({ name, type, choices, description }: ParamDeclaration): ParamProblem {
  const value = choices === null ? type.toUpperCase() : choices.map(itemText).join("|");
  const about = description === null ? "" : `: ${description.trim()}`;
  return {
    message: `the parameter ${name} is required${about}`,
    help: `--param ${name}=${shellWord(value)}`,
  };
}

function byName(
  declared: readonly ParamDeclaration[],
  flags: readonly string[],
): { readonly texts: ReadonlyMap<string, readonly string[]>; readonly problems: ParamProblem[] } {
  const texts = new Map<string, string[]>();
  const problems: ParamProblem[] = [];
  const names = declared.map(({ name }) => name);
  for (const flag of flags) {
    const at = flag.indexOf("=");
    const name = at === -1 ? flag : flag.slice(0, at);
    if (!names.includes(name)) {
      problems.push({
        message: `--param ${name}: the playbook has no such parameter`,
        help: whichThere(name, names),
      });
    } else if (at === -1) {
      problems.push({ message: `--param ${name} has no value`, help: `--param ${name}=VALUE` });
    } else {
      const there = texts.get(name);
      if (there === undefined) texts.set(name, [flag.slice(at + 1)]);
      else there.push(flag.slice(at + 1));
    }
  }
  return { texts, problems };
}

function whichThere(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  if (near !== null) return `did you mean ${near}?`;
  return names.length === 0 ? "it declares none" : `it has ${names.join(", ")}`;
}

/** `--param-file`: YAML or JSON, names with their values; every problem with its place. */
export function readParamFile(
  file: string,
  text: string,
  declared: readonly ParamDeclaration[],
): {
  readonly values: ReadonlyMap<string, Value>;
  readonly diagnostics: readonly Diagnostic[];
  readonly source: SourceFile;
} {
  const problems = new Problems(text.length);
  const values = new Map<string, Value>();
  const tree = parseYaml(text, problems, "parameter file");
  if (tree !== null && tree.kind !== "mapping") {
    const message = `a parameter file must be a mapping of names to values, not ${describe(tree)}`;
    problems.error("wrong-type", tree.range, message, { help: "as in `version: 1.2.0`" });
  }
  for (const [name, { key, value: given }] of tree?.kind === "mapping" ? tree.entries : []) {
    const param = declared.find((each) => each.name === name);
    if (param === undefined) {
      const names = declared.map((each) => each.name);
      const help = didYouMean(name, names).help ?? whichThere(name, names);
      const message = `the playbook has no parameter \`${name}\``;
      problems.error("unknown-param", key.range, message, { help });
      continue;
    }
    const value = valueOfTree(given, param.type);
    if (value === undefined) {
      const message = `\`${name}\` must be ${WANTED[param.type]}, not ${describe(given)}`;
      problems.error("wrong-type", given.range, message);
      continue;
    }
    const trouble = choiceTrouble(param, value);
    if (trouble === null) values.set(name, value);
    else problems.error("bad-value", given.range, `\`${name}\` ${trouble.message}`, trouble.more);
  }
  return { values, diagnostics: problems.sorted, source: sourceFile(file, text) };
}
