import type { Event, StepPlace } from "../engine/events.ts";
import type { PastRecord } from "../engine/lane.ts";
import type { ClaudeReport, ClaudeUsage } from "../engine/ports.ts";
import type { Spent } from "../engine/totals.ts";
import { InputSpending } from "./input-spending.ts";
import type { JournalLine } from "./journal-line.ts";

/** What has been paid for and is done again, and the time at work. */
export class Spending {
  #knownCostUsd: number;
  #isCostUnknown: boolean;
  #tokens: number;
  #cutShort: number;
  #durationMs: number;
  #segment: { readonly first: string; last: string } | null = null;
  /** Lanes in which a gate has been begun whose process was not told yet. */
  readonly #gates = new Set<string>();
  /** Lanes in which Claude was started, and no end of it was told. */
  readonly #running = new Set<string>();
  readonly #inputs: InputSpending;

  constructor(before?: Spent) {
    this.#inputs = new InputSpending(before?.inputs);
    this.#knownCostUsd = before?.knownCostUsd ?? 0;
    this.#isCostUnknown = before?.isCostUnknown ?? false;
    this.#tokens = before?.tokens ?? 0;
    this.#cutShort = before?.cutShort ?? 0;
    this.#durationMs = before?.durationMs ?? 0;
  }

  /** Of each line, in order. */
  see(line: JournalLine): void {
    this.#segment ??= { first: line.time, last: line.time };
    this.#segment.last = line.time;
    this.#inputs.see(line);
    switch (line.type) {
      case "gate-started":
        this.#gates.add(laneOf(line.at));
        return;
      case "process-started":
        if (!this.#gates.delete(laneOf(line.at)) && line.at.kind === "claude")
          this.#running.add(laneOf(line.at));
        return;
      case "answer":
        if (line.call === "claude") this.#running.delete(line.lane);
        return;
      case "attempt-finished":
      case "run-failed":
        this.#running.delete(laneOf(line.at));
        return;
      default:
    }
  }

  /** What lies between two processes of a session is no work; what has not ended then was killed with mmm. */
  pause(): void {
    this.#cutShort += this.#running.size;
    for (const lane of this.#running) this.#inputs.pay(lane, null);
    this.#inputs.pause();
    this.#running.clear();
    this.#gates.clear();
    if (this.#segment !== null) {
      const ms = Date.parse(this.#segment.last) - Date.parse(this.#segment.first);
      // Clocks jump, and a line may be damaged: a segment never takes less than no time.
      this.#durationMs += ms > 0 ? ms : 0;
    }
    this.#segment = null;
  }

  late(event: Event): void {
    if (event.type !== "attempt-finished" || event.at.kind !== "claude") return;
    // One that ended by itself stands in its answer.
    if (event.end?.kind === "cancelled") this.#pay(laneOf(event.at), event.usage);
  }

  /** A run that a limit cut short was paid for, and is made again. */
  aside(event: Event): void {
    if (event.type === "attempt-finished" && event.at.kind === "claude")
      this.#pay(laneOf(event.at), event.usage);
  }

  drop(lane: string, records: readonly PastRecord[]): void {
    for (const record of records)
      if (record.type === "answer" && record.call === "claude")
        this.#pay(lane, (record.value as ClaudeReport).usage); // The answer of that name.
  }

  spent(): Spent {
    this.pause();
    return {
      knownCostUsd: this.#knownCostUsd,
      isCostUnknown: this.#isCostUnknown,
      tokens: this.#tokens,
      cutShort: this.#cutShort,
      durationMs: this.#durationMs,
      inputs: this.#inputs.spent(),
    };
  }

  #pay(lane: string, usage: ClaudeUsage | null): void {
    this.#inputs.pay(lane, usage?.costUsd ?? null);
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

/** Where something happens, one thing after the other. */
function laneOf({ input }: StepPlace): string {
  return input === null ? "main" : `input-${input}`;
}
