import { arithmetic, continuesOperator } from "./scan-expansion.ts";
import { heredocBodies } from "./scan-heredoc.ts";
import { closers, keyword } from "./scan-keyword.ts";
import { type Level, newLevel } from "./scan-level.ts";
import { redirection } from "./scan-redirection.ts";
import { endCommand, needCommand, nextCommand } from "./scan-simple.ts";
import type { Command, Word } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";
import { assignmentLength, comment, readWord, skipBlanks } from "./scan-word.ts";

const DECLARES = new Set(["export", "readonly", "local", "declare", "typeset"]);
const SUBSCRIPT = /[A-Za-z_]\w*\[/y;

/** Commands up to `close`, or up to the current end when it is "". */
export function readCommands(scan: Scan, close: string): void {
  const level = newLevel(scan, close);
  const start = scan.pos;
  while (!scan.done) {
    skipBlanks(scan);
    if (scan.done) break;
    const char = scan.peek();
    if (char === "\n") newline(scan, level);
    else if (char === "#") comment(scan);
    else if (level.cases.at(-1)?.inPattern === true) casePattern(scan, level);
    else if (char === ")") {
      if (finishLevel(scan, level)) return;
    } else if (";&|".includes(char)) operator(scan, level);
    else if (char === "(") parenthesis(scan, level);
    else if (char === "<" || char === ">") redirection(scan, level);
    else word(scan, level);
  }
  endCommand(scan, level);
  if (scan.stopped !== null) return;
  if (close !== "") scan.stop("unterminated", "unterminated (", Math.max(0, start - 1));
  else if (level.pending.length > 0)
    scan.stop("heredoc-open", "a heredoc has no body", level.pending[0]?.at ?? start);
  else if (level.cases.length > 0) scan.stop("case", "case without esac", start);
}

function newline(scan: Scan, level: Level): void {
  scan.pos += 1;
  heredocBodies(scan, level.pending);
  const { command } = level;
  // `for i⏎in a b`: the line break is part of the head.
  if (command !== null && command.kind !== "simple" && command.words.length === 1) return;
  nextCommand(scan, level);
}

function finishLevel(scan: Scan, level: Level): boolean {
  if (level.close !== ")") scan.stop("paren", "unexpected )", scan.pos);
  else if (level.pending.length > 0)
    scan.stop("heredoc-open", "a heredoc is still open at )", scan.pos);
  else if (level.cases.length > 0) scan.stop("case", "case without esac before )", scan.pos);
  else {
    endCommand(scan, level);
    scan.pos += 1;
    return true;
  }
  return false;
}

function operator(scan: Scan, level: Level): void {
  const at = scan.pos;
  const inCase = level.cases.at(-1)?.inPattern === false;
  const found = [";;&", ";;", ";&", "&>>", "&>", "&&", "||", "|&", "|", ";", "&"].find((each) =>
    scan.startsWith(each),
  );
  const text = found ?? "";
  if (text.startsWith("&>")) return redirection(scan, level);
  scan.pos += text.length;
  if (continuesOperator(scan))
    return scan.stop("cont-op", "a line continuation inside an operator", at);
  if (text.startsWith(";;") || text === ";&") {
    if (!inCase) return scan.stop("case", `unexpected ${text}`, at);
    const block = level.cases.at(-1);
    if (block !== undefined) block.inPattern = true;
  }
  if (text === "|" || text === "|&") {
    endCommand(scan, level);
    level.piped = {
      from: level.pipeline,
      to: scan.sites.length,
      start: level.pipelineAt,
      end: at,
    };
    level.compound = false;
  } else nextCommand(scan, level);
}

function casePattern(scan: Scan, level: Level): void {
  const block = level.cases.at(-1);
  if (block === undefined) return;
  const char = scan.peek();
  if (char === "(" || char === "|") {
    block.begun = true;
    scan.pos += 1;
  } else if (char === ")" && block.begun) {
    scan.pos += 1;
    block.inPattern = false;
    block.begun = false;
    nextCommand(scan, level);
  } else {
    const word = readWord(scan, "pattern");
    if (word.start === scan.pos)
      return scan.stop("case", `unexpected ${char} in a case pattern`, scan.pos);
    if (word.literal === "esac" && !word.quoted) {
      if (block.begun)
        return scan.stop(
          "case",
          "a pattern named esac ends the case in one shell and not in another",
          word.start,
        );
      closers(scan, level, "esac");
    } else block.begun = true;
  }
}

function parenthesis(scan: Scan, level: Level): void {
  const { command } = level;
  const at = scan.pos;
  const isFor = command?.kind === "for" && command.words.length === 0;
  if (scan.peek(1) === "(" && (command === null || isFor)) {
    arithmetic(scan, 2);
    level.compound = true;
    level.command = null;
    // After `for ((…))` comes `do`, which is a command position as well.
    return;
  }
  scan.pos += 1;
  if (continuesOperator(scan)) return scan.stop("cont-op", "a line continuation after (", at);
  if (command === null && !level.compound) {
    if (level.piped !== null) scan.compoundPipes.push(level.piped);
    level.piped = null;
    scan.commandList(")");
    level.compound = true;
    return;
  }
  functionParentheses(scan, level, at);
}

function functionParentheses(scan: Scan, level: Level, at: number): void {
  const { command } = level;
  const name = command?.words[0];
  skipBlanks(scan);
  if (
    name === undefined ||
    command?.words.length !== 1 ||
    command.assignments.length > 0 ||
    scan.peek() !== ")"
  ) {
    return scan.stop("paren", "unexpected (", at);
  }
  scan.pos += 1;
  for (const site of name.sites)
    scan.refuseRaw(site.reference, "name", "stands in the name of a function; write a fixed name");
  level.command = null;
}

function word(scan: Scan, level: Level): void {
  const { command } = level;
  const first = command === null || (command.kind === "simple" && command.words.length === 0);
  const arrays = first || DECLARES.has(command.words[0]?.literal ?? "");
  const word = readWord(scan, first ? "command" : "argument", arrays);
  if (scan.stopped !== null || isDescriptor(scan, word)) return;
  if (first) firstWord(scan, level, word);
  else laterWord(level, { scan, word, command });
}

/** The number in `2>file` is no argument. */
function isDescriptor(scan: Scan, word: Word): boolean {
  if (word.quoted || word.end !== scan.pos || !/^\d+$/.test(word.literal)) return false;
  return scan.peek() === "<" || scan.peek() === ">";
}

function firstWord(scan: Scan, level: Level, word: Word): void {
  if (level.command === null && keyword(scan, level, word)) return;
  if (level.compound) {
    return scan.stop("paren", "a word after the end of a compound command", word.start);
  }
  const command = needCommand(scan, level);
  if (assignmentLength(scan, word) > 0) {
    word.role = "assignment";
    scan.assigned.add(/^\w+/.exec(word.literal)?.[0] ?? "");
    command.assignments.push(word);
    return;
  }
  subscript(scan, word);
  command.words.push(word);
}

function laterWord(level: Level, at: { scan: Scan; word: Word; command: Command }): void {
  const { scan, word, command } = at;
  if (command.kind !== "simple") return headWord(level, at);
  if (DECLARES.has(command.words[0]?.literal ?? "") && assignmentLength(scan, word) > 0) {
    word.role = "assignment";
  }
  command.words.push(word);
}

/** A word after for, select, case or function. */
function headWord(level: Level, at: { scan: Scan; word: Word; command: Command }): void {
  const { scan, word, command } = at;
  command.words.push(word);
  const count = command.words.length;
  if (command.kind === "case") {
    word.role = "case-subject";
    if (count === 1) return;
    if (word.literal !== "in" || word.quoted)
      return scan.stop("case", "case without in", word.start);
    level.cases.push({ inPattern: true, begun: false });
    return nextCommand(scan, level);
  }
  if (count === 1) {
    for (const site of word.sites)
      scan.refuseRaw(
        site.reference,
        "name",
        `stands where a ${command.kind} needs a name; write a fixed one`,
      );
    if (command.kind === "for") scan.assigned.add(word.literal);
    else functionHead(scan, level);
    return;
  }
  word.role = "for-word";
  if (count === 2 && word.literal === "do") return nextCommand(scan, level);
  if (count === 2 && word.literal !== "in") scan.stop("paren", "for without in", word.start);
}

/** What may follow `function NAME`: `()` and then a command. */
function functionHead(scan: Scan, level: Level): void {
  level.command = null;
  skipBlanks(scan);
  if (scan.peek() !== "(") return;
  scan.pos += 1;
  skipBlanks(scan);
  if (scan.peek() === ")") scan.pos += 1;
  else scan.stop("paren", "unexpected (", scan.pos);
}

/** `a[${x}]=1` and `a[ ${x} ]=1`: bash evaluates the subscript. */
function subscript(scan: Scan, word: Word): void {
  SUBSCRIPT.lastIndex = word.start;
  if (!SUBSCRIPT.test(scan.text)) return;
  for (const { reference } of word.sites) {
    scan.refuseRaw(
      reference,
      "subscript",
      "stands in an array subscript, which bash evaluates as arithmetic",
    );
  }
  if (!word.literal.includes("]"))
    scan.stop("subscript", "an array subscript that cannot be read", word.start);
}
