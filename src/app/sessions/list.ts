/** `mmm sessions ls`: what there is, newest first; reads one small file a session. */
import { MmmError } from "../../errors.ts";
import { nearest } from "../../lib/nearest.ts";
import { sessionLines } from "../../report/sessions-wording.ts";
import { listSessions } from "../../session/history.ts";
import type { Invocation } from "../cook-request.ts";
import { openSessions } from "./place.ts";
import { openPrinter, snakeKeys } from "./print.ts";

/** @param words what stood after `mmm sessions [ls]`: `shwo` lands here, as it is no command */
export async function listCommand(
  { json, words }: { readonly json: boolean; readonly words: readonly string[] },
  invocation: Invocation,
): Promise<number> {
  checkNoWords(words);
  const records = await listSessions(await openSessions(invocation));
  if (json) {
    invocation.stdout.write(`${JSON.stringify(records.map(snakeKeys), null, 2)}\n`);
    return 0;
  }
  const printer = openPrinter(invocation);
  printer.lines(sessionLines(records, printer.columns));
  if (records.length === 0)
    invocation.stderr.write("no sessions in this repository yet; mmm cook makes one\n");
  return 0;
}

const COMMANDS = ["ls", "show", "logs", "drop", "rm"];

function checkNoWords([word]: readonly string[]): void {
  if (word === undefined) return;
  const near = nearest(word, COMMANDS);
  const hint = near === null ? "" : ` (did you mean ${near}?)`;
  throw new MmmError("unknown-command", 2, {
    message: `mmm sessions does not know ${word.slice(0, 100)}${hint}`,
    next: [`mmm sessions ${COMMANDS.join("|")}`],
  });
}
