/** Inputs, one after the other or several at once (spec 8.4, 10). */
import type { Event, InputValue } from "../engine/events.ts";
import type { InputEvent } from "../engine/input-events.ts";
import { unreachable } from "../lib/unreachable.ts";
import { formatDuration } from "./format.ts";
import { complain, say, type Line } from "./line.ts";
import { inline } from "./safe-text.ts";
import type { Symbols } from "./symbols.ts";

const LABEL_COLUMNS = 100;
const PATH_COLUMNS = 4000;

export function inputWords(
  event: InputEvent | (Event & { readonly type: "input-started" | "input-finished" }),
  symbols: Symbols,
): readonly Line[] {
  const words = `Input ${nameOf(event.input, symbols)}`;
  switch (event.type) {
    case "input-started":
      return [say(""), say(`${symbols.input} ${words}`, "strong")];
    case "input-opened": {
      const where = `${inline(event.name)} at ${inline(event.path, PATH_COLUMNS)}`;
      return [say(`   ${symbols.worktree} Created worktree: ${where}`, "plain", 1)];
    }
    case "input-merging":
      return [say(`   merging into ${inline(event.into)}`, "dim", 1)];
    case "input-merged":
      return [
        say(
          `   merged into ${inline(event.into)} at ${inline(event.commit.slice(0, 7))}`,
          "plain",
          1,
        ),
      ];
    case "input-left":
      return [];
    case "input-kept": {
      const where = `${inline(event.name)} at ${inline(event.path, PATH_COLUMNS)}`;
      const next = event.next.map((line) =>
        complain(`     ${inline(line, PATH_COLUMNS)}`, "plain"),
      );
      const what = event.gone
        ? `Preserved branch: ${inline(event.name)}, without its worktree`
        : `Preserved worktree: ${where}`;
      return [complain(`${symbols.warning} ${what}`, "warn"), ...next];
    }
    case "input-finished": {
      const time = formatDuration(event.durationMs);
      if (event.ok) return [say(`${symbols.done} ${words} completed (${time})`, "good")];
      // Nobody looks for a fault in what he stopped himself.
      if (event.stop === "interrupted")
        return [complain(`${symbols.stopped} ${words} stopped (${time})`, "warn")];
      const why = event.message === null ? [] : [complain(`   ${inline(event.message, 300)}`)];
      return [complain(`${symbols.failed} ${words} failed (${time})`), ...why];
    }
    default:
      return unreachable(event);
  }
}

function nameOf(input: InputValue, symbols: Symbols): string {
  const name = inline(input.file ?? input.arg, LABEL_COLUMNS, symbols.ellipsis);
  return `${input.index}/${input.total}: ${name}`;
}
