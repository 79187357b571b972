/** What `mmm worktree merge` tells: people, and the journal of the session that has ended (spec 7, 10). */
import path from "node:path";
import type { Event } from "../../engine/events.ts";
import type { WorktreeEvent } from "../../engine/worktree-event.ts";
import { noRedactor, type Redactor } from "../../lib/redact.ts";
import type { Reporter } from "../../report/reporter.ts";
import { chooseSymbols } from "../../report/symbols.ts";
import { worktreeWords } from "../../report/worktree-wording.ts";
import { type Journal, openJournal } from "../../session/journal.ts";
import type { Invocation } from "../cook-request.ts";
import { openReporter } from "../open-reporter.ts";
import { openPrinter } from "../sessions/print.ts";
import { systemClock } from "../world.ts";

export interface Told {
  readonly tell: (event: Event) => void;
  /** From now on these secrets are masked. */
  readonly mask: (redactor: Redactor) => void;
  readonly close: () => void;
}

/** @param directory of the session; its journal is opened only when something runs */
export function openTold(directory: string, invocation: Invocation): Told {
  const printer = openPrinter(invocation);
  const symbols = chooseSymbols(true);
  let redactor = noRedactor;
  let work: { readonly journal: Journal; readonly reporter: Reporter } | null = null;
  const atWork = (): NonNullable<typeof work> => {
    const now = (): Date => systemClock.now();
    work ??= {
      journal: openJournal(path.join(directory, "journal.jsonl"), now),
      reporter: openReporter({
        request: { reporter: null, verbosity: 0, emoji: true },
        invocation,
      }),
    };
    return work;
  };
  return {
    tell: (raw) => {
      const event = redactor.value(raw);
      if (event.type === "note") invocation.stderr.write(`mmm: ${event.message}\n`);
      else if (isWorktreeEvent(event)) {
        work?.journal.append(event);
        for (const line of worktreeWords(event, symbols))
          if (line.problem) invocation.stderr.write(`${line.text}\n`);
          else printer.lines([line]);
      } else {
        const { journal, reporter } = atWork();
        journal.append(event);
        reporter.event(event);
      }
    },
    mask: (found) => {
      redactor = found;
    },
    close: () => {
      work?.reporter.close();
      work?.journal.close();
    },
  };
}

function isWorktreeEvent(event: Event): event is WorktreeEvent {
  return event.type.startsWith("worktree-");
}
