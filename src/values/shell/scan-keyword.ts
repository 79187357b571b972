import type { Level } from "./scan-level.ts";
import { endCommand, needCommand, openBlock } from "./scan-simple.ts";
import type { Word } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";
import { readWord, skipBlanks } from "./scan-word.ts";

const OPENERS = new Set(["if", "while", "until", "{"]);
const BETWEEN = new Set(["then", "elif", "else", "do", "!"]);
const CLOSERS = new Set(["fi", "done", "esac", "}"]);

/** Treats a word at command position as a reserved word, if it is one. */
export function keyword(scan: Scan, level: Level, word: Word): boolean {
  if (word.quoted || word.sites.length > 0) return false;
  const { literal } = word;
  if (CLOSERS.has(literal)) closers(scan, level, literal);
  else if (BETWEEN.has(literal)) level.compound = false;
  else if (level.compound) return false;
  else if (OPENERS.has(literal)) openBlock(scan, level);
  else if (literal === "for" || literal === "select") head(scan, level, "for");
  else if (literal === "case" || literal === "function") head(scan, level, literal);
  else if (literal === "[[") conditional(scan, level, word);
  else if (literal === "time") timeOptions(scan);
  else if (literal === "coproc") scan.stop("paren", "coproc is read by bash only", word.start);
  else return false;
  return true;
}

/** The end of a compound command. */
export function closers(scan: Scan, level: Level, literal: string): void {
  endCommand(scan, level);
  if (literal === "esac") level.cases.pop();
  const { pipeline, pipelineAt } = level.blocks.pop() ?? level;
  level.pipeline = pipeline;
  level.pipelineAt = pipelineAt;
  level.compound = true;
}

function head(scan: Scan, level: Level, kind: "for" | "case" | "function"): void {
  if (kind !== "function") openBlock(scan, level);
  needCommand(scan, level).kind = kind;
}

function timeOptions(scan: Scan): void {
  skipBlanks(scan);
  while (scan.peek() === "-") {
    readWord(scan, "argument");
    skipBlanks(scan);
  }
}

/** `[[ … ]]`. Where it is no keyword, what follows `||` inside is a command: a reference there is refused. */
function conditional(scan: Scan, level: Level, open: Word): void {
  const command = needCommand(scan, level);
  command.kind = "conditional";
  command.words.push(open);
  let operator = "";
  while (!scan.done) {
    skipBlanks(scan, level.pending.length === 0);
    const char = scan.peek();
    if (char === "\n" || char === "#") return scan.stop("paren", "unreadable [[", open.start);
    if ("()<>&|;".includes(char)) {
      if ("&|;".includes(char)) operator = char;
      scan.pos += 1;
      continue;
    }
    const word = readWord(scan, "pattern");
    if (word.literal === "]]" && !word.quoted) {
      endCommand(scan, level);
      level.compound = true;
      return;
    }
    if (operator === "|" || operator === ";") refuseAfterOperator(scan, word);
    operator = "";
    command.words.push(word);
  }
  scan.stop("unterminated", "unterminated [[", open.start);
}

function refuseAfterOperator(scan: Scan, word: Word): void {
  for (const { reference } of word.sites) {
    const why =
      "stands after an operator inside [[ ]], where a sh that is not bash runs it as a command; write [[ … ]] || [[ … ]]";
    scan.refuseRaw(reference, "command", why);
  }
}
