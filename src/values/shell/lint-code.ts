import {
  EVALUATORS,
  type Filterer,
  FILTERERS,
  type Language,
  LANGUAGES,
  RUNNERS,
  SHELL_STARTERS,
  SHELLS,
  SSH_TAKES,
} from "./lint-program.ts";
import { each, type Finding, isOption, nameOf, operands, shellText } from "./lint-words.ts";
import { type Command, type Site, UNKNOWN, type Word } from "./scan-model.ts";

const STDIN = /^(?:-|\/dev\/stdin|\/dev\/fd\/0|\/proc\/self\/fd\/0)$/;
const PIPED =
  "is part of the text that this program reads as code; give it as an argument or through the environment";

/** Program text of shells, interpreters, awk, sed, jq, ssh and make. */
export function* programFindings(
  command: Command,
  index: number,
  piped: () => readonly Site[],
): Generator<Finding> {
  const { words } = command;
  const name = nameOf(words[index]);
  let started = false;
  for (let at = 0; at < words.length; at += 1) {
    const here = nameOf(words[at]);
    if (SHELLS.has(here)) yield* shellFindings(words, at);
    if (SHELL_STARTERS.has(here) && !started) {
      started = true;
      yield* starterFindings(words, at);
    }
    if (/^-(?:exec|execdir|ok|okdir)$/.test(here) && name === "find") {
      yield* each([words[at + 1]], "command", "stands where find needs the name of a program");
    }
  }
  yield* ownFindings(words, index);
  if (readsProgram(words, index)) {
    for (const input of command.inputs) yield* inputFindings(input, shellReads(words, index));
    for (const site of piped()) yield { site, code: "code", why: PIPED };
  }
}

/** What the program itself takes as code. */
function* ownFindings(words: readonly Word[], index: number): Generator<Finding> {
  const name = nameOf(words[index]);
  const rest = words.slice(index + 1);
  if (EVALUATORS.has(name)) yield* shellText(rest, "code", evaluates(name));
  if (name === "let") yield* each(rest, "code", "is evaluated by let as arithmetic; use $(( ))");
  if (name === "trap")
    yield* shellText(operands(words, index + 1, []).slice(0, 1), "code", evaluates("trap"));
  if (nameOf(words[0]) === "env") {
    const split = words
      .slice(0, index)
      .findIndex((word) => /^-(?:[a-z]*S|-split-string)/.test(word.literal));
    const why = "is read by env -S as a command";
    if (split > 0) yield* each(words.slice(split, split + 2), "code", why);
  }
  if (name === "ssh") yield* sshFindings(words, index);
  if (/^g?make$/.test(name)) {
    const set = rest.filter((word) => /^\w+[:?+]?=/.test(word.literal));
    yield* each(
      set,
      "code",
      'is expanded by make and run with sh; write A="…" make, and $$A in the recipe',
    );
  }
  for (const language of LANGUAGES)
    if (language.name.test(name)) yield* languageFindings(language, words, index);
  for (const filterer of FILTERERS)
    if (filterer.name.test(name)) yield* filtererFindings(filterer, words, index);
}

function evaluates(name: string): string {
  return `is an argument of ${name}, which reads it as shell text; use "$v" after v=…, or |quote`;
}

function* shellFindings(words: readonly Word[], at: number): Generator<Finding> {
  const shell = nameOf(words[at]);
  const code = shellCode(words, at);
  if (code === null) {
    const script = operands(words, at + 1, ["-o", "-O", "+o", "+O", "--rcfile", "--init-file"])[0];
    if (script?.literal === UNKNOWN) yield* each([script], "code", PIPED);
    return;
  }
  if (words[code] === undefined) return;
  const why = `stands in the program text of ${shell} -c, where the value would be read as code; give it as an argument: ${shell} -c '… "$1" …' ${shell} "…", or use |quote`;
  yield* shellText([words[code]], "code", why);
}

/** Index of the word after `-c`; null when the shell gets none. */
function shellCode(words: readonly Word[], at: number): number | null {
  let code = false;
  for (let next = at + 1; next < words.length; next += 1) {
    const word = words[next];
    if (!isOption(word)) return code ? next : null;
    const literal = word?.literal ?? "";
    if (/^-[A-Za-z]*c/.test(literal) || literal === "--command") code = true;
    else if (/^(?:[-+][oO]|--rcfile|--init-file)$/.test(literal)) next += 1;
  }
  return null;
}

function* starterFindings(words: readonly Word[], at: number): Generator<Finding> {
  for (let next = at + 1; next < words.length; next += 1) {
    const word = words[next];
    const literal = word?.literal ?? "";
    if (word === undefined || !/^(?:-[A-Za-z]*c|--command|--call)(?:=|$)/.test(literal)) continue;
    const code = literal.includes("=") ? word : words[next + 1];
    if (code !== undefined) yield* shellText([code], "code", evaluates(nameOf(words[at])));
  }
}

function* sshFindings(words: readonly Word[], index: number): Generator<Finding> {
  let at = index + 1;
  while (isOption(words[at])) {
    const literal = words[at]?.literal ?? "";
    if (literal.startsWith("-o")) {
      yield* each(
        [words[at], literal === "-o" ? words[at + 1] : undefined],
        "code",
        "stands in an option of ssh that can run commands",
      );
    }
    at += literal === "-o" || SSH_TAKES.includes(literal) ? 2 : 1;
  }
  const host = words[at];
  if (host?.literal.startsWith("\0") === true) {
    yield* each(
      [host],
      "code",
      "stands where ssh needs a host and would take an option; write a literal user@ before it",
    );
  }
  const why =
    "is read again by the shell at the other end; send the value on standard input, or use |quote";
  yield* shellText(words.slice(at + 1), "code", why);
}

function* languageFindings(
  language: Language,
  words: readonly Word[],
  index: number,
): Generator<Finding> {
  const why = `stands in the program text of ${nameOf(words[index])}, where the value would be read as code; ${language.instead}`;
  const short = new RegExp(`^-[A-Za-z0-9]*[${language.code}]$`);
  const attached = new RegExp(`^-[${language.code}]`);
  for (let at = index + 1; at < words.length; at += 1) {
    const word = words[at];
    const literal = word?.literal ?? "";
    const plain = /^eval$/.test(literal) && /^(?:deno|bun)$/.test(nameOf(words[index]));
    if (!isOption(word) && !plain) {
      if (!language.mixed) return;
    } else if (short.test(literal) || language.long.includes(literal) || plain)
      yield* each([words[at + 1]], "code", why);
    else if (attached.test(literal) || language.long.some((long) => literal.startsWith(`${long}=`)))
      yield* each([word], "code", why);
    else if (language.takes.includes(literal)) at += 1;
  }
}

function* filtererFindings(
  filterer: Filterer,
  words: readonly Word[],
  index: number,
): Generator<Finding> {
  const why = `stands in the program text of ${nameOf(words[index])}, where the value would be read as code; ${filterer.instead}`;
  let given = false;
  const rest: (Word | undefined)[] = [];
  for (let at = index + 1; at < words.length; at += 1) {
    const word = words[at];
    const literal = word?.literal ?? "";
    const option = isOption(word) && rest.length <= filterer.operand;
    if (!option) rest.push(word);
    else if (filterer.takesTwo.includes(literal)) at += 2;
    else if (filterer.takes.includes(literal)) {
      at += 1;
      if (literal === "-v") yield* backslashes(words[at]);
    } else if (filterer.file.includes(literal)) {
      given = true;
      at += 1;
    } else if (
      filterer.code.some(
        (code) => literal === code || (code === "-e" && /^-[A-Za-z]*e$/.test(literal)),
      )
    ) {
      given = true;
      at += 1;
      yield* each([words[at]], "code", why);
    } else if (filterer.code.some((code) => literal.startsWith(code))) {
      given = true;
      yield* each([word], "code", why);
    } else if (/^-v./.test(literal)) yield* backslashes(word);
  }
  const skip = /^(?:eval|e|eval-all|ea)$/.test(rest[0]?.literal ?? "") ? 1 : 0;
  if (!given) yield* each([rest[filterer.operand + skip]], "code", why);
}

function* backslashes(word: Word | undefined): Generator<Finding> {
  const why = 'is read by awk -v, which interprets backslashes; use X="…" awk with ENVIRON["X"]';
  for (const finding of each([word], "awk-v", why)) yield { ...finding, warning: true };
}

function* inputFindings(input: Word, shell: boolean): Generator<Finding> {
  if (shell) yield* shellText([input], "code", `${PIPED}, or use |quote`);
  else yield* each([input], "code", PIPED);
}

function shellReads(words: readonly Word[], index: number): boolean {
  return SHELLS.has(nameOf(words[index])) || RUNNERS.has(nameOf(words[index]));
}

/** True when the program takes its standard input as code. */
function readsProgram(words: readonly Word[], index: number): boolean {
  const name = nameOf(words[index]);
  if (name === "." || name === "source") return STDIN.test(words[index + 1]?.literal ?? "");
  if (SHELLS.has(name)) return scriptless(words, index);
  if (RUNNERS.has(name)) {
    const shell = words.findIndex((word, at) => at > index && SHELLS.has(nameOf(word)));
    if (shell > 0) return scriptless(words, shell);
    return name === "ssh"
      ? operands(words, index + 1, ["-o", ...SSH_TAKES]).length < 2
      : name === "su";
  }
  const language = LANGUAGES.find((each) => each.name.test(name));
  if (language !== undefined) {
    const option = new RegExp(`^-[A-Za-z0-9]*[${language.code}f]$`);
    const code = words.slice(index + 1).some((word) => option.test(word.literal));
    const first = operands(words, index + 1, [...language.takes, "-m"])[0];
    const script = first !== undefined && first.literal !== "-" && !language.mixed;
    return (
      !code && !script && !words.some((word) => word.literal === "-m" && name.startsWith("py"))
    );
  }
  return (
    name === "sqlite3" && operands(words, index + 1, ["-separator", "-init", "-cmd"]).length < 2
  );
}

function scriptless(words: readonly Word[], at: number): boolean {
  if (shellCode(words, at) !== null) return false;
  for (const word of words.slice(at + 1)) {
    if (/^-[a-z]*s[a-z]*$/.test(word.literal) || STDIN.test(word.literal)) return true;
    if (!isOption(word)) return false;
  }
  return true;
}
