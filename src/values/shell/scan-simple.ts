import { SHELLS } from "./lint-program.ts";
import { nameOf } from "./lint-words.ts";
import type { Level } from "./scan-level.ts";
import { HOLE, type Command } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";

const NAMES_ALL = new Set([
  "read",
  "export",
  "readonly",
  "local",
  "declare",
  "typeset",
  "mapfile",
  "readarray",
]);
const NAMED = /^([A-Za-z_]\w*)(?:\+?=|\[|$)/;

/** The command that the next word belongs to, made when there is none. */
export function needCommand(scan: Scan, level: Level): Command {
  level.command ??= {
    kind: "simple",
    words: [],
    assignments: [],
    inputs: [],
    targets: [],
    piped: level.piped,
    firstSite: scan.sites.length,
    hasHeredoc: false,
  };
  return level.command;
}

/** Closes the current command and keeps it for the checks when a reference can concern it. */
export function endCommand(scan: Scan, level: Level): void {
  const { command } = level;
  level.command = null;
  level.piped = null;
  if (command === null) return;
  noteNames(scan, command);
  const piped = command.piped !== null && command.piped.to > command.piped.from;
  const kept = piped || command.hasHeredoc || changesMode(command);
  if (kept || scan.sites.length > command.firstSite || usesSites(command)) {
    scan.commands.push(command);
  }
}

/** Closes the current command; what follows is not fed by a pipe. */
export function nextCommand(scan: Scan, level: Level): void {
  endCommand(scan, level);
  level.compound = false;
  level.pipeline = scan.sites.length;
  level.pipelineAt = scan.pos;
}

/** The start of a compound command. */
export function openBlock(scan: Scan, level: Level): void {
  const { pipeline, pipelineAt } = level;
  level.blocks.push({ pipeline, pipelineAt });
  if (level.piped !== null) scan.compoundPipes.push(level.piped);
  level.piped = null;
}

/** `set -x`, `declare -i n`: commands without a reference that matter to those with one. */
function changesMode(command: Command): boolean {
  const name = command.words[0]?.literal ?? "";
  return (
    name === "set" ||
    // A shell that reads its program from what a compound command is given.
    (command.words.length < 9 && command.words.some((word) => SHELLS.has(nameOf(word)))) ||
    (NAMES_ALL.has(name) && command.words[1]?.literal.startsWith("-") === true)
  );
}

function usesSites(command: Command): boolean {
  return (
    command.inputs.length > 0 ||
    [...command.words, ...command.assignments, ...command.targets].some(
      (word) => word.sites.length > 0,
    )
  );
}

/** The plain names that a builtin sets. */
function noteNames(scan: Scan, command: Command): void {
  const name = command.words[0]?.literal ?? "";
  if (name !== "printf" && name !== "getopts" && !NAMES_ALL.has(name)) return;
  const words = command.words.slice(1).map((word) => word.literal);
  if (name === "printf") words.splice(0, words.length, words[0] === "-v" ? (words[1] ?? "") : "");
  if (name === "getopts") words.shift();
  for (const word of words) {
    const found = NAMED.exec(word)?.[1];
    if (found !== undefined && !word.startsWith(HOLE)) scan.assigned.add(found);
  }
}
