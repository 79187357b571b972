/** What a line of `journal.jsonl` holds (spec 7). */
import type { Event } from "../engine/events.ts";
import type { Answer } from "../engine/lane.ts";

/** Of every line; a newer one is refused with a word. */
export const JOURNAL_VERSION = 1;

/** What an event says about itself; see `EventMark` for what that means. */
interface JournalMark {
  /** `session`, `main`, `input-2`; absent: about the process, not about the work. */
  readonly lane?: string;
  /** Told while the session was being stopped. */
  readonly late?: true;
  /** Of the end of an iteration. */
  readonly units?: number;
}

/** What was asked, whole, so that `mmm resume` needs no words: the first line of a journal. */
interface RequestRecord {
  readonly type: "request";
  readonly value: unknown;
}

export type JournalRecord = (Event & JournalMark) | Answer | RequestRecord;

/** The journal's own stamp on each line. */
interface JournalStamp {
  readonly v: number;
  /** From 1, without a gap, also across resumes. */
  readonly seq: number;
  /** ISO 8601 in UTC; clocks jump, so order is `seq`'s business alone. */
  readonly time: string;
}

export type JournalLine = JournalStamp & JournalRecord;
