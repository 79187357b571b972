/** What each input of a session has cost that is done again, and the time at work on it (spec 8.4). */
import type { InputSpent, SpentByInput } from "../engine/input-results.ts";
import { ownerOf } from "../engine/owner.ts";
import type { JournalLine } from "./journal-line.ts";

export class InputSpending {
  readonly #spent: Map<number, InputSpent>;
  /** From when to when each was at work in the process whose lines are seen; ISO 8601. */
  readonly #at = new Map<number, { readonly first: string; last: string }>();

  constructor(before: SpentByInput = new Map()) {
    this.#spent = new Map(before);
  }

  /** Of each line, in order. */
  see(line: JournalLine): void {
    if (line.type === "request") return;
    const input = line.type === "answer" ? inputOf(line.lane) : ownerOf(line);
    if (input === null) return;
    // Its worktree is still made: the time of an input begins with its work.
    if (line.type === "input-started" || (line.type === "answer" && line.call === "place")) return;
    if (line.type === "input-finished") {
      // It has counted what came before.
      this.#at.delete(input);
      this.#spent.set(input, { ...this.#of(input), durationMs: line.durationMs });
      return;
    }
    const at = this.#at.get(input);
    if (at === undefined) this.#at.set(input, { first: line.time, last: line.time });
    else at.last = line.time;
  }

  /** That process has ended. */
  pause(): void {
    for (const [input, { first, last }] of this.#at) {
      const ms = Date.parse(last) - Date.parse(first);
      const { durationMs, ...cost } = this.#of(input);
      // As for the session: clocks jump, and a line may be damaged.
      this.#spent.set(input, { ...cost, durationMs: durationMs + (ms > 0 ? ms : 0) });
    }
    this.#at.clear();
  }

  /** @param usd `null`: nobody knows */
  pay(lane: string, usd: number | null): void {
    const input = inputOf(lane);
    if (input === null) return;
    const { knownCostUsd, isCostUnknown, durationMs } = this.#of(input);
    this.#spent.set(input, {
      knownCostUsd: knownCostUsd + (usd ?? 0),
      isCostUnknown: isCostUnknown || usd === null,
      durationMs,
    });
  }

  spent(): SpentByInput {
    return new Map(this.#spent);
  }

  #of(input: number): InputSpent {
    return this.#spent.get(input) ?? { knownCostUsd: 0, isCostUnknown: false, durationMs: 0 };
  }
}

/** `null`: the lane is none of an input. */
function inputOf(lane: string): number | null {
  const found = /^input-(\d+)$/.exec(lane);
  return found === null ? null : Number(found[1]);
}
