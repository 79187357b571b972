import { continuesOperator } from "./scan-expansion.ts";
import { heredocDelimiter } from "./scan-heredoc.ts";
import type { Level } from "./scan-level.ts";
import { needCommand } from "./scan-simple.ts";
import { type Role, UNKNOWN } from "./scan-model.ts";
import type { Scan } from "./scan-state.ts";
import { readWord, skipBlanks } from "./scan-word.ts";

const OPERATORS = ["&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"];

/** Reads one redirection with its target; the position is at its operator. */
export function redirection(scan: Scan, level: Level): void {
  const at = scan.pos;
  if (scan.peek(1) === "(") return processSubstitution(scan, level);
  const operator = OPERATORS.find((each) => scan.startsWith(each)) ?? ">";
  scan.pos += operator.length;
  if (continuesOperator(scan))
    return scan.stop("cont-op", "a line continuation inside an operator", at);
  const compound = level.compound && level.command === null;
  const command = needCommand(scan, level);
  if (operator === "<<" || operator === "<<-") {
    const heredoc = heredocDelimiter(scan, command, at);
    command.hasHeredoc = true;
    if (heredoc !== null) level.pending.push(heredoc);
  } else {
    skipBlanks(scan);
    const role: Role = operator === "<<<" ? "here-string" : "redirection";
    const read = (): void => {
      const word = readWord(scan, role);
      if (word.start === scan.pos) return scan.stop("paren", `${operator} without a target`, at);
      // To bash `>&1<(:)${x}` is one target with a value in it, which it expands twice (seen to run).
      if (scan.startsWith("<(") || scan.startsWith(">("))
        return scan.stop(
          "paren",
          `${operator} with a target that goes on in a process substitution`,
          at,
        );
      (operator === "<<<" ? command.inputs : command.targets).push(word);
      if (operator === "<<<" && word.sites.length > 0) scan.inputs.push({ at, word, command });
    };
    const why = `stands after ${operator}, where shells read a file name or a number; write > file 2>&1`;
    if (operator === "<&" || operator === ">&") scan.refusing("redir-dup", why, read);
    else read();
  }
  if (compound) finishCompound(scan, level);
}

/** A redirection of a compound command: its own command must not swallow the words that follow. */
function finishCompound(scan: Scan, level: Level): void {
  const { command } = level;
  if (command !== null) scan.commands.push(command);
  level.command = null;
}

function processSubstitution(scan: Scan, level: Level): void {
  const start = scan.pos;
  const command = needCommand(scan, level);
  const before = scan.sites.length;
  scan.pos += 2;
  scan.commandList(")");
  const sites = scan.sites.slice(before);
  command.words.push({
    start,
    end: scan.pos,
    literal: UNKNOWN,
    quoted: false,
    role: "argument",
    sites,
  });
}
