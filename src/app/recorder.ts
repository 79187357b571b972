/** Where what happens goes: the journal first, then people. */
import type { Recorder } from "../engine/lane.ts";
import type { Redactor } from "../lib/redact.ts";
import type { Reporter } from "../report/reporter.ts";
import type { Journal } from "../session/journal.ts";
import { scoreOf } from "../session/state.ts";

/** Of an event that belongs to no lane. */
export const ABOUT_THE_PROCESS = { lane: null, late: false } as const;

export function recorderOf(
  to: { readonly journal: Journal; readonly reporter: Reporter; readonly redactor: Redactor },
  onScore: (score: number) => void,
): Recorder {
  const { journal, reporter, redactor } = to;
  return {
    event: (raw, { lane, late, units }) => {
      const event = redactor.value(raw);
      const score = scoreOf(event);
      if (score !== undefined) onScore(score);
      const mark = {
        ...(lane === null ? {} : { lane }),
        ...(late ? LATE : {}),
        ...(units === undefined ? {} : { units }),
      };
      journal.append({ ...event, ...mark });
      reporter.event(event);
    },
    answer: (answer) => journal.append(answer),
    recalled: (event) => reporter.event(event),
    live: (event) => reporter.live(redactor.value(event)),
  };
}

const LATE = { late: true } as const;
