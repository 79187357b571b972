/**
 * What could stand at the cursor, out of commander's own definition of the program (spec 1).
 *
 * Printed are lines: the first says what kind follows, `words` or `files` (names that the shell may take for paths), or
 * that the shell itself shall look for `paths` or `directories`; then one candidate a line, a tab, what it means.
 */
import { Argument, type Command, Option } from "commander";
import type { Invocation } from "../app/cook-request.ts";

interface Candidate {
  readonly value: string;
  /** Empty: none. */
  readonly meaning: string;
}

interface Answer {
  readonly kind: "words" | "files" | "paths" | "directories";
  readonly candidates: readonly Candidate[];
}

const NOTHING: Answer = { kind: "words", candidates: [] };

/**
 * @param words the shell, then: for bash the line up to the cursor and the word as readline cuts it; for others all words
 *   behind `mmm` up to the cursor. The last word is unfinished, maybe empty.
 */
export async function complete(
  program: Command,
  [shell = "", ...words]: readonly string[],
  invocation: Invocation,
): Promise<number> {
  const lines =
    shell === "bash"
      ? await forBash(program, words, invocation)
      : await forOthers(program, words, invocation);
  invocation.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

/** They choose among the candidates themselves, each in its way. */
async function forOthers(
  program: Command,
  words: readonly string[],
  invocation: Invocation,
): Promise<readonly string[]> {
  const { kind, candidates } = await answerFor(program, words, invocation);
  const plain = candidates.filter(({ value }) => isPlain(value));
  return [
    kind,
    ...plain.map(({ value, meaning }) => `${value}\t${meaning.replaceAll(/\s+/g, " ")}`),
  ];
}

/** Bash replaces only what stands behind the last `=` or `:`, and quotes what it is told to take for files. */
async function forBash(
  program: Command,
  [line = "", current = ""]: readonly string[],
  invocation: Invocation,
): Promise<readonly string[]> {
  const words = shellWords(line).slice(1);
  const typed = words.at(-1) ?? "";
  const { kind, candidates } = await answerFor(program, words, invocation);
  const cut = /^[=:]+$/.test(current) ? "" : (shellWords(current).at(-1) ?? "");
  const kept = typed.endsWith(cut) ? typed.length - cut.length : 0;
  const values = candidates
    .map(({ value }) => value)
    .filter((value) => value.startsWith(typed) && isPlain(value));
  const isSimple = values.every((value) => /^[\w./%+,@-]*$/.test(value));
  return [
    kind === "files" && isSimple ? "words" : kind,
    ...values.map((value) => value.slice(kept)),
  ];
}

/** Words as a shell cuts them, quotes taken away; nothing is expanded. The last one may be unfinished. */
function shellWords(line: string): readonly string[] {
  const words = [""];
  let quote = "";
  let isOpen = false;
  for (let at = 0; at < line.length; at += 1) {
    const letter = line.charAt(at);
    const last = words.length - 1;
    const isEscape = letter === "\\" && quote !== "'" && at + 1 < line.length;
    if (isEscape && (quote === "" || /["\\$`]/.test(line.charAt(at + 1)))) {
      at += 1;
      words[last] += line.charAt(at);
      isOpen = true;
    } else if (quote === "" && (letter === "'" || letter === '"')) {
      quote = letter;
      isOpen = true;
    } else if (letter === quote && quote !== "") {
      quote = "";
    } else if (quote === "" && /\s/.test(letter)) {
      if (isOpen) words.push("");
      isOpen = false;
    } else {
      words[last] += letter;
      isOpen = true;
    }
  }
  return words;
}

/** A name with a line end or another control character is for nobody's prompt: it is not offered. */
function isPlain(value: string): boolean {
  return !/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(value);
}

interface Place {
  readonly command: Command;
  /** The option whose value stands at the cursor. */
  readonly option: Option | null;
  /** Operands before the cursor. */
  readonly operands: readonly string[];
  /** `--` came before. */
  readonly isOpen: boolean;
}

async function answerFor(
  program: Command,
  words: readonly string[],
  invocation: Invocation,
): Promise<Answer> {
  const typed = words.at(-1) ?? "";
  const place = placeOf(program, words.slice(0, -1));
  if (place.option !== null) return valuesOf(place.option, place, invocation);
  if (!place.isOpen && typed.startsWith("-")) {
    const [, name = "", value] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
    if (value === undefined) return { kind: "words", candidates: optionsOf(place.command) };
    const option = optionsAround(place.command).find(({ long }) => long === name);
    if (option === undefined || option.isBoolean()) return NOTHING;
    const { kind, candidates } = await valuesOf(option, place, invocation);
    return {
      kind,
      candidates: candidates.map((each) => ({ ...each, value: `${name}=${each.value}` })),
    };
  }
  const commands = place.operands.length === 0 ? commandsOf(place.command) : [];
  const operand = operandAt(place);
  if (operand === null) return { kind: "words", candidates: commands };
  const { kind, candidates } = await operandsOf(operand, place, invocation);
  return { kind, candidates: [...commands, ...candidates] };
}

/** Follows the words as commander does. */
function placeOf(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | null = null;
  let isOpen = false;
  let operands: string[] = [];
  for (const word of words) {
    if (option !== null) {
      option = null;
    } else if (!isOpen && word === "--") {
      isOpen = true;
    } else if (!isOpen && word.startsWith("-") && word !== "-") {
      option = waiting(command, word);
    } else {
      const next = operands.length === 0 ? subcommand(command, word) : null;
      if (next === null) operands = [...operands, word];
      else command = next;
    }
  }
  return { command, option, operands, isOpen };
}

/** The option that takes the next word as its value. */
function waiting(command: Command, word: string): Option | null {
  const options = optionsAround(command);
  if (word.startsWith("--")) {
    return options.find((each) => each.long === word && each.required) ?? null;
  }
  // `-yn 3`: the last letter counts, and one before it that takes a value has it already.
  const letters = Array.from(word.slice(1)).map((letter) => `-${letter}`);
  const at = letters.findIndex((letter) =>
    options.some((each) => each.short === letter && each.required),
  );
  if (at === -1 || at < letters.length - 1) return null;
  return options.find(({ short }) => short === letters[at]) ?? null;
}

function subcommand(command: Command, word: string): Command | null {
  return command.commands.find((each) => each.name() === word) ?? null;
}

/** Options of the program stand behind its commands too. */
function optionsAround(command: Command): readonly Option[] {
  return command.parent === null
    ? command.options
    : [...command.options, ...optionsAround(command.parent)];
}

function optionsOf(command: Command): readonly Candidate[] {
  const help = command.createHelp();
  const above: readonly Option[] = command.parent === null ? [] : optionsAround(command.parent);
  const all = [...help.visibleOptions(command), ...above.filter(({ hidden }) => !hidden)];
  return all.flatMap(({ long, short, description }) => {
    const value = long ?? short;
    return value === undefined || value === null ? [] : [{ value, meaning: description }];
  });
}

function commandsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), meaning: each.description() }));
}

/** The operand at the cursor; of a command that stands for another one, that one's (`mmm sessions`). */
function operandAt({ command, operands }: Place): Argument | null {
  const all = command.registeredArguments;
  const last = all.at(-1);
  return all[operands.length] ?? (last?.variadic === true ? last : null);
}

function choices(values: readonly string[]): Answer {
  return { kind: "words", candidates: values.map((value) => ({ value, meaning: "" })) };
}

async function valuesOf(option: Option, place: Place, invocation: Invocation): Promise<Answer> {
  if (option.argChoices !== undefined) return choices(option.argChoices);
  const [, name = ""] = /[<[]([\w-]+)/.exec(option.flags) ?? [];
  if (name === "dir") return { kind: "directories", candidates: [] };
  if (["file", "pattern"].includes(name)) return { kind: "paths", candidates: [] };
  if (name === "session") return named("resumable", place, invocation);
  if (option.long === "--playbook") return named("shipped", place, invocation);
  if (option.long === "--commands") return named("commands", place, invocation);
  return NOTHING;
}

async function operandsOf(
  operand: Argument,
  place: Place,
  invocation: Invocation,
): Promise<Answer> {
  if (operand.argChoices !== undefined) return choices(operand.argChoices);
  switch (operand.name()) {
    case "PLAYBOOK":
      return named("playbooks", place, invocation);
    case "SESSION":
      return named("resumable", place, invocation);
    case "NAME":
    case "NAMES":
      if (place.command.parent?.name() !== "sessions") return NOTHING;
      return named(place.command.name() === "drop" ? "resumable" : "sessions", place, invocation);
    default:
      return NOTHING;
  }
}

type Named = "playbooks" | "shipped" | "commands" | "sessions" | "resumable";

/** What lies on the disk; each kind loads its own code. */
async function named(what: Named, { operands }: Place, invocation: Invocation): Promise<Answer> {
  const { playbooksToComplete, shippedToComplete, commandsToComplete, sessionsToComplete } =
    await import("../app/completion.ts");
  const candidates = async (): Promise<readonly Candidate[]> => {
    switch (what) {
      case "playbooks":
        return playbooksToComplete(invocation);
      case "shipped":
        return shippedToComplete(invocation);
      case "commands":
        return commandsToComplete(invocation);
      default:
        return sessionsToComplete(what === "resumable", invocation);
    }
  };
  const found = (await candidates()).filter(({ value }) => !operands.includes(value));
  return { kind: what === "playbooks" ? "files" : "words", candidates: found };
}
