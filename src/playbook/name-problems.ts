/** What is said of a reference that can have no value (spec 3.1). */
import { nearest } from "../lib/nearest.ts";
import type { ParamType } from "./model.ts";
import type { Reference } from "../values/reference.ts";

/** `needs-input` becomes a note where no command line is known. */
export interface NameProblem {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

export function unknown(reference: Reference, candidates: readonly string[]): NameProblem {
  // The latest 500 are enough to guess a typing mistake, and keep 10 000 wrong names linear.
  const near = nearest(String(reference.path[0]), candidates.slice(-500));
  const dotted = reference.path.length > 1;
  const what = dotted ? "no earlier step has this id" : "nothing has this name";
  // A plain name that nobody knows is the shell's own in shell text, so that hint is for other text only.
  const bare = reference.text.startsWith("$")
    ? "$${ stands for a literal ${"
    : `a text stands in single quotes, as in '${reference.text}'`;
  const otherwise = dotted ? `give an earlier step \`id: ${String(reference.path[0])}\`` : bare;
  return {
    code: "unknown-reference",
    message: `${reference.text}: ${what}`,
    help: near === null ? otherwise : `did you mean \`${near}\`?`,
  };
}

export function secretsAreVariables(reference: Reference, name: string): NameProblem {
  return {
    code: "secret-reference",
    message: `${reference.text}: a secret reaches a command as the variable ${name}`,
    help: `in shell text write "$${name}", in a step's \`env\` \${env.${name}}`,
  };
}

export function unknownField(
  reference: Reference,
  { owner, field, fields }: { owner: string; field: string; fields: readonly string[] },
): NameProblem {
  const near = nearest(field, fields);
  return {
    code: "unknown-field",
    message: `${reference.text}: ${owner} has no ${field}`,
    help: near === null ? `it has ${fields.join(", ")}` : `did you mean \`${near}\`?`,
  };
}

export function onlyInMerge({ text }: Reference): NameProblem {
  const message = `${text} has a value only in the steps of \`merge\``;
  return { code: "merge-outside", message };
}

/** A merge is the session's, whatever its inputs were. */
export function noInputInMerge({ text, name }: Reference): NameProblem {
  const message = `${text} has no value in the steps of \`merge\`: they run for no input`;
  return { code: "merge-input", message, help: `write \${${name}:-...}` };
}

/** @param known ids of Claude steps that stand earlier */
export function unknownConversation(id: string, known: readonly string[]): NameProblem {
  const near = nearest(id, known);
  return {
    code: "unknown-reference",
    message: `continue_session: no earlier step has the id ${id}`,
    help: near === null ? "name a Claude step that stands earlier" : `did you mean \`${near}\`?`,
  };
}

/** @param isWhole the header could be read, so what it does not declare is not there */
export function paramProblem(
  reference: Reference,
  name: string,
  {
    params,
    isWhole,
  }: { readonly params: ReadonlyMap<string, ParamType>; readonly isWhole: boolean },
): NameProblem | null {
  const type = params.get(name);
  const [, , deeper] = reference.path;
  if (type === undefined) {
    // The header may be what could not be read.
    if (!isWhole) return null;
    const names = [...params.keys()];
    const message = `${reference.text}: the header declares no parameter ${name}`;
    const near = nearest(name, names);
    const help = near === null ? `declare it: \`params: {${name}: {type: string}}\`` : null;
    return { code: "unknown-param", message, help: help ?? `did you mean \`params.${near}\`?` };
  }
  if (deeper === undefined || (type === "list" && typeof deeper === "number")) return null;
  const message = `${reference.text}: the parameter ${name} is a ${type}, which has no ${deeper}`;
  return { code: "unknown-field", message, help: `write \${params.${name}}` };
}
