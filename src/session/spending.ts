import type { Event } from "../engine/events.ts";
import type { PastRecord } from "../engine/lane.ts";
import type { ClaudeReport, ClaudeUsage } from "../engine/ports.ts";
import type { Spent } from "../engine/totals.ts";
import type { JournalLine } from "./journal-line.ts";

/** What has been paid for and is done again, and the time at work. */
export class Spending {
  #knownCostUsd: number;
  #isCostUnknown: boolean;
  #tokens: number;
  #cutShort: number;
  #durationMs: number;
  /** Claude was started, and its end is not told yet. */
  #atWork = false;
  #segment: { readonly first: string; last: string } | null = null;

  constructor(before?: Spent) {
    this.#knownCostUsd = before?.knownCostUsd ?? 0;
    this.#isCostUnknown = before?.isCostUnknown ?? false;
    this.#tokens = before?.tokens ?? 0;
    this.#cutShort = before?.cutShort ?? 0;
    this.#durationMs = before?.durationMs ?? 0;
  }

  /** Of each line, in order. */
  see(entry: JournalLine): void {
    this.#segment ??= { first: entry.time, last: entry.time };
    this.#segment.last = entry.time;
    if (entry.type === "process-started") this.#atWork = entry.at.kind === "claude";
    else if (entry.type === "attempt-finished") this.#atWork = false;
    else if (entry.type === "answer" && entry.call === "claude") this.#atWork = false;
  }

  /** A process of the session is over; what lies between two of them is no work. */
  pause(): void {
    if (this.#segment !== null) {
      const ms = Date.parse(this.#segment.last) - Date.parse(this.#segment.first);
      // Clocks jump, and a line may be damaged: a segment never takes less than no time.
      this.#durationMs += ms > 0 ? ms : 0;
    }
    this.#segment = null;
    // mmm was killed under it: what that cost, nobody was told.
    if (this.#atWork) this.#pay(null);
    this.#atWork = false;
  }

  late(event: Event): void {
    if (event.type !== "attempt-finished" || event.at.kind !== "claude") return;
    // One that ended by itself stands in its answer.
    if (event.end?.kind === "cancelled") this.#pay(event.usage);
  }

  /** A run that a limit cut short was paid for, and is made again. */
  aside(event: Event): void {
    if (event.type === "attempt-finished" && event.at.kind === "claude") this.#pay(event.usage);
  }

  drop(records: readonly PastRecord[]): void {
    for (const record of records)
      if (record.type === "answer" && record.call === "claude")
        this.#pay((record.value as ClaudeReport).usage); // The answer of that name.
  }

  spent(): Spent {
    this.pause();
    return {
      knownCostUsd: this.#knownCostUsd,
      isCostUnknown: this.#isCostUnknown,
      tokens: this.#tokens,
      cutShort: this.#cutShort,
      durationMs: this.#durationMs,
    };
  }

  #pay(usage: ClaudeUsage | null): void {
    if (usage === null) {
      this.#cutShort += 1;
      return;
    }
    this.#isCostUnknown ||= usage.costUsd === null;
    this.#knownCostUsd += usage.costUsd ?? 0;
    this.#tokens +=
      usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  }
}
