/** What a line of `journal.jsonl` holds (spec 7). */
import type { Event } from "../engine/events.ts";

/** Of every line; a newer one is refused with a word. */
export const JOURNAL_VERSION = 1;

/** What the world answered to the engine; resume gives it once more instead of asking again. */
export interface AnswerRecord {
  readonly type: "answer";
  /** `""`: the session's own; `"2"`: of its second input. */
  readonly lane: string;
  /** Which question: `claude`, `commit`, ... */
  readonly call: string;
  /** Plain JSON. */
  readonly value: unknown;
}

/** `late`: told again after a resume, and known before. */
export type JournalRecord = (Event & { readonly late?: true }) | AnswerRecord;

/** The journal's own stamp on each line. */
interface JournalStamp {
  readonly v: number;
  /** From 1, without a gap, also across resumes. */
  readonly seq: number;
  /** ISO 8601 in UTC; clocks jump, so order is `seq`'s business alone. */
  readonly time: string;
}

export type JournalLine = JournalStamp & JournalRecord;
