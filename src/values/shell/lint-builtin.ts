import { EVALUATED_NAMES, NAME_TAKERS } from "./lint-program.ts";
import { each, type Finding, isOption, nameOf, operands } from "./lint-words.ts";
import type { Command, Word } from "./scan-model.ts";

const DECLARES = /^(?:declare|typeset|local|export|readonly)$/;
const COMPARES = new Set(["-eq", "-ne", "-lt", "-le", "-gt", "-ge"]);
const NAME =
  "stands where a name of a variable goes, and bash evaluates a name such as a[$(…)]; write a fixed name";

/** Names that the text makes integers or references to names: bash evaluates what is assigned to them. */
export function evaluatedNames(commands: readonly Command[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { words } of commands) {
    if (!DECLARES.test(nameOf(words[0]))) continue;
    if (!words.some((word) => /^-[a-zA-Z]*[in]/.test(word.literal))) continue;
    for (const word of words.slice(1)) names.add(/^\w*/.exec(word.literal)?.[0] ?? "");
  }
  return names.size === 0 ? EVALUATED_NAMES : new Set([...EVALUATED_NAMES, ...names]);
}

/** Assignments to such names. */
export function* assignmentFindings(
  command: Command,
  names: ReadonlySet<string>,
): Generator<Finding> {
  for (const word of [...command.assignments, ...command.words]) {
    if (word.sites.length === 0) continue;
    const name = /^(\w+)\+?=/.exec(word.literal)?.[1];
    if (name !== undefined && names.has(name)) {
      yield* each(
        [word],
        "code",
        `is assigned to ${name}, which is evaluated when it is set or used`,
      );
    }
  }
}

/** Builtins that evaluate an argument again, or take it for something else than data. */
export function* builtinFindings(command: Command): Generator<Finding> {
  const { words } = command;
  const name = nameOf(words[0]);
  const rest = words.slice(1);
  if (name === "[" || name === "test") yield* testFindings(name, rest);
  else if (name === "[[") yield* conditionalFindings(rest);
  else if (name === "printf") yield* printfFindings(rest);
  else if (name === "echo") yield* echoFindings(rest);
  else if (name === "set") yield* setFindings(rest);
  else if (name === "." || name === "source")
    yield* each(
      rest.slice(0, 1),
      "code",
      "names a file that the shell runs as code; write a fixed path",
    );
  else if (name === "xargs") yield* xargsFindings(rest);
  else yield* nameFindings(name, words);
}

function* nameFindings(name: string, words: readonly Word[]): Generator<Finding> {
  const takes = NAME_TAKERS.get(name);
  if (takes === undefined) return;
  const options = words.filter((word) => isOption(word)).map((word) => word.literal);
  const declares = DECLARES.test(name);
  const evaluates = options.some((option) => /^-[a-zA-Z]*[inaA]/.test(option));
  if (name === "mapfile" || name === "readarray") {
    const callback = words.findIndex((word) => word.literal.startsWith("-C"));
    if (callback > 0)
      yield* each(words.slice(callback, callback + 2), "code", "is run by -C as shell text");
  }
  for (const word of operands(words, 1, takes)) {
    const value = declares && !evaluates && /^[A-Za-z_]\w*\+?=/.test(word.literal);
    if (!value) yield* each([word], "code", NAME);
  }
}

function* testFindings(name: string, rest: readonly Word[]): Generator<Finding> {
  let words = name === "[" && rest.at(-1)?.literal === "]" ? rest.slice(0, -1) : rest;
  for (const [at, word] of words.entries()) {
    if (word.literal === "-v") yield* each([words[at + 1]], "code", NAME);
  }
  if (words.some((word) => /^-[ao]$/.test(word.literal) && !word.quoted)) {
    const why = `stands in ${name} with -a or -o, where a value such as ( or ! changes the test; write [ … ] && [ … ]`;
    for (const finding of each(words, "test-operators", why)) yield { ...finding, warning: true };
  }
  while (words[0]?.literal === "!" && words.length > 1) words = words.slice(1);
  const operator = words.length === 2 ? words[0] : words.length === 3 ? words[1] : undefined;
  yield* each(
    [operator],
    "code",
    `stands where ${name} expects an operator; write the operator itself`,
  );
}

function* conditionalFindings(rest: readonly Word[]): Generator<Finding> {
  const why =
    "stands beside an arithmetic comparison in [[ ]], which evaluates it; use [ … ] instead";
  for (const [at, word] of rest.entries()) {
    if (word.literal === "-v") yield* each([rest[at + 1]], "code", NAME);
    if (COMPARES.has(word.literal)) yield* each([rest[at - 1], rest[at + 1]], "code", why);
  }
}

function* printfFindings(rest: readonly Word[]): Generator<Finding> {
  let at = 0;
  if (rest[at]?.literal === "-v") {
    yield* each([rest[1]], "code", NAME);
    at = 2;
  } else if (rest[at]?.literal.startsWith("-v") === true) {
    yield* each([rest[0]], "code", NAME);
    at = 1;
  }
  if (rest[at]?.literal === "--") at += 1;
  yield* each([rest[at]], "code", `stands in the format of printf; write printf '%s\\n' "…"`);
}

function* echoFindings(rest: readonly Word[]): Generator<Finding> {
  const why = `is printed by echo, which interprets backslashes and -n in some shells; write printf '%s\\n' "…"`;
  for (const finding of each(rest, "echo", why)) yield { ...finding, warning: true };
}

function* setFindings(rest: readonly Word[]): Generator<Finding> {
  const dashes = rest.findIndex((word) => word.literal === "--");
  const before = dashes === -1 ? rest : rest.slice(0, dashes);
  yield* each(before, "code", "could be taken for options of set; write set -- …");
}

function* xargsFindings(rest: readonly Word[]): Generator<Finding> {
  if (!rest.some((word) => /^-[Ii]/.test(word.literal))) return;
  const why = "is an argument of xargs -I, which replaces its marker inside the value too";
  for (const finding of each(rest, "xargs-replace", why)) yield { ...finding, warning: true };
}
