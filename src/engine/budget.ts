/**
 * The limits of a whole session (spec 6.5): looked at before each run of a step, never in the middle of one.
 * What is reached suspends the session; nothing is ended for money.
 */
import type { Limits } from "../playbook/model.ts";
import type { Event, StepPlace } from "./events.ts";
import { Ledger, NO_SPENDING, type Spending } from "./ledger.ts";
import { shownAmount } from "./limit-words.ts";
import { isInHandler } from "./place.ts";
import type { Clock } from "./ports.ts";
import type { Spent } from "./totals.ts";

/** What the command line, the playbook and the config say together. */
export interface SessionLimits extends Limits {
  /** Goes on, although a run of Claude did not tell its cost. */
  readonly allowUnknownCost: boolean;
  /** At a usage limit: sleep until the reset. */
  readonly wait: boolean;
}

/** What suspended a session. */
export interface LimitReached {
  /** `usage`: the service's own; `unknown-cost`: nobody knows any more what is left of the money. */
  readonly kind: "cost" | "tokens" | "duration" | "unknown-cost" | "usage";
  /** US dollars, tokens or milliseconds; `null` for `usage`. */
  readonly limit: number | null;
  /** In the same unit; what is over the limit is `spent - limit`. */
  readonly spent: number | null;
  /** Of `cost`, with something left: US dollars that a run of Claude had, and was stopped at; no more than that is left. */
  readonly stoppedAt?: number;
  /** ISO 8601; of `usage`, where the service said it. */
  readonly resetsAt: string | null;
}

export const NO_LIMITS: SessionLimits = {
  costUsd: null,
  tokens: null,
  durationMs: null,
  allowUnknownCost: false,
  wait: false,
};

/** Of one run of Claude. */
export interface Allotment {
  /** US dollars; `null`: no limit. */
  readonly usd: number | null;
  readonly release: () => void;
}

type Bound = "cost" | "tokens" | "duration";

/** From here on a warning is given, once for each limit. */
const WARNING_SHARE = 0.8;
/** A millionth of a dollar: sums of floating point numbers miss by less. */
const LEAST_USD = 1e-6;

export class Budget {
  readonly limits: SessionLimits;
  readonly ledger: Ledger;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #warned = new Set<Bound>();
  /** Monotonic; time before it was worked in earlier parts of the session, `#earlierMs`. */
  readonly #began: number;
  readonly #earlierMs: number;
  #restedMs = 0;
  /** Lanes that sleep now, and since when one of them does. */
  #resting = 0;
  #restsSince = 0;
  #atOnce: number;
  /** What runs of Claude that are at work may still spend. */
  readonly #allotted = new Set<{ readonly usd: number }>();
  /** Those that wait for a run of another lane to end. */
  readonly #waiting = new Set<() => void>();

  /**
   * @param earlier of a resumed session: its time at work, and what it spent that is not told again
   * @param atOnce so many runs of Claude may be at work together
   */
  constructor(
    limits: SessionLimits,
    clock: Pick<Clock, "monotonicMs">,
    { earlier, atOnce }: { readonly earlier: Spent; readonly atOnce: number },
  ) {
    this.#atOnce = atOnce;
    this.limits = limits;
    this.ledger = new Ledger({
      ...NO_SPENDING,
      costUsd: earlier.knownCostUsd,
      unknownCosts: earlier.isCostUnknown ? 1 : 0,
      cutShort: earlier.cutShort,
      tokens: earlier.tokens,
    });
    this.#clock = clock;
    this.#began = clock.monotonicMs();
    this.#earlierMs = earlier.durationMs;
  }

  /** Time at work, resumes included; waiting for a usage limit is none. */
  get workedMs(): number {
    return this.#earlierMs + this.#clock.monotonicMs() - this.#began - this.#restedMs;
  }

  /** Takes time that is slept out of the time at work, once for all that sleep together; call the result at its end. */
  rest(): () => void {
    if (this.#resting === 0) this.#restsSince = this.#clock.monotonicMs();
    this.#resting += 1;
    return () => {
      this.#resting -= 1;
      if (this.#resting === 0) this.#restedMs += this.#clock.monotonicMs() - this.#restsSince;
    };
  }

  /** What keeps this step from being run (again) now; `null`: nothing. */
  reached({ kind, step }: Pick<StepPlace, "kind" | "step">): LimitReached | null {
    const isClaude = kind === "claude";
    const bounds: readonly Bound[] = isClaude ? ["cost", "tokens", "duration"] : ["duration"];
    for (const bound of bounds) {
      const { limit, spent } = this.#stand(bound);
      if (limit !== null && spent > limit - (bound === "cost" ? LEAST_USD : 0.5))
        return { kind: bound, limit, spent, resetsAt: null };
    }
    // What belongs to the step that cost it is finished first: its shell handlers.
    if (!isClaude && isInHandler({ step })) return null;
    const { costUsd, allowUnknownCost } = this.limits;
    const { unknownCosts, costUsd: spent } = this.ledger.total;
    return costUsd !== null && !allowUnknownCost && unknownCosts > 0
      ? { kind: "unknown-cost", limit: costUsd, spent, resetsAt: null }
      : null;
  }

  /** As `reached`; while others have all that is left of the money in hand, it waits for what they leave. */
  async reachedInTurn(
    at: Pick<StepPlace, "kind" | "step">,
    signal: AbortSignal,
  ): Promise<LimitReached | null> {
    if (at.kind === "claude") {
      const hasNone = (): boolean => this.#left() < LEAST_USD && this.#allotted.size > 0;
      while (!signal.aborted && hasNone()) await this.#freed(signal);
    }
    return this.reached(at);
  }

  /**
   * The CLI itself stopped at what it was handed down. `null`: more than that is left for another run (or mmm
   * was told to stop); waits for what others have in hand.
   *
   * @param had US dollars
   */
  async stoppedByCost(had: number, signal: AbortSignal): Promise<LimitReached | null> {
    const isMore = (): boolean => this.#left() > had + LEAST_USD;
    while (!signal.aborted && !isMore() && this.#allotted.size > 0) await this.#freed(signal);
    const { limit, spent } = this.#stand("cost");
    const goesOn = signal.aborted || isMore();
    if (limit === null || goesOn) return null;
    const stopped = spent > limit - LEAST_USD ? {} : { stoppedAt: had };
    return { kind: "cost", limit, spent, ...stopped, resetsAt: null };
  }

  /** From now on no more than so many runs of Claude are at work together. */
  atMost(lanes: number): void {
    this.#atOnce = Math.max(1, Math.min(this.#atOnce, lanes));
  }

  /** US dollars that are neither spent nor in anybody's hand. */
  #left(): number {
    const { limit, spent } = this.#stand("cost");
    const taken = [...this.#allotted].reduce((sum, { usd }) => sum + usd, 0);
    return limit === null ? Number.POSITIVE_INFINITY : limit - spent - taken;
  }

  /** What a run has cost is counted before it lets go. */
  async #freed(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  /**
   * What one run may cost: an equal share of what is left for those that may be at work beside it, so that
   * together they stay within the limit. `release` it when the run has ended.
   *
   * @param wasCut its share was too small for it: it gets all that is left, and the others wait
   */
  allot(wasCut = false): Allotment {
    if (this.limits.costUsd === null) return { usd: null, release: () => undefined };
    const free = wasCut ? 1 : Math.max(1, this.#atOnce - this.#allotted.size);
    const share = this.#left() / free;
    const usd = Math.max(LEAST_USD, Math.floor(share / LEAST_USD) * LEAST_USD);
    const held = { usd };
    this.#allotted.add(held);
    const release = (): void => {
      this.#allotted.delete(held);
      // The end of a run of the past is not counted again: nothing else would wake them.
      for (const wake of this.#waiting) wake();
    };
    return { usd, release };
  }

  /** For the end of the session. */
  get account(): { readonly spending: Spending; readonly workedMs: number } {
    return { spending: this.ledger.spending, workedMs: this.workedMs };
  }

  /** Counts an event; the warnings that are due after it. */
  add(event: Event): readonly Event[] {
    this.ledger.add(event);
    if (event.type !== "attempt-finished" && event.type !== "run-failed") return [];
    return this.due();
  }

  /** Warnings for what is spent now, each once. */
  due(): readonly Event[] {
    const due: Event[] = [];
    for (const bound of ["cost", "tokens", "duration"] as const) {
      const limit = this.#limitOf(bound);
      if (limit === null || this.#warned.has(bound)) continue;
      const { spent } = this.#stand(bound);
      if (spent < limit * WARNING_SHARE) continue;
      this.#warned.add(bound);
      const amounts = `${shownAmount(bound, spent)} of ${shownAmount(bound, limit)}`;
      const message = `${amounts} spent, the limit of this session`;
      due.push({ type: "note", severity: "warning", message });
    }
    return due;
  }

  #limitOf(bound: Bound): number | null {
    const { costUsd, tokens, durationMs } = this.limits;
    return { cost: costUsd, tokens, duration: durationMs }[bound];
  }

  #stand(bound: Bound): { readonly limit: number | null; readonly spent: number } {
    const limit = this.#limitOf(bound);
    if (bound === "duration") return { limit, spent: this.workedMs };
    const { costUsd, tokens } = this.ledger.total;
    return { limit, spent: bound === "cost" ? costUsd : tokens };
  }
}
