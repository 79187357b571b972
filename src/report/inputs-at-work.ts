/**
 * Where each input of a run with several at once stands: a fold over the stream (spec 8.4, 10).
 *
 * Bounded: an input that is over is forgotten, whatever their number.
 */
import type { Event, InputValue } from "../engine/events.ts";
import type { ClaudeUsage } from "../engine/ports.ts";

export interface InputAtWork {
  readonly input: InputValue;
  /** `opening`: no iteration has begun; `between`: none runs, the next one or the merge is to come. */
  phase: "opening" | "iterating" | "between" | "merging";
  /** Monotonic: the phase began. */
  sinceMs: number;
  iteration: number;
  maxIterations: number;
  /** While `merging`: the branch. */
  into: string;
  /** While `merging`: the gate that judges the merge. */
  gate: string | null;
  /** Known cost so far. */
  costUsd: number;
  /** Runs of Claude whose cost nobody knows. */
  unknownCosts: number;
}

/** What a summary can show: more rows than that are cut there. */
const KEPT = 50;

export class InputsAtWork {
  readonly #nowMs: () => number;
  readonly #atWork = new Map<number, InputAtWork>();
  /** First line to type of each input whose worktree was kept; at most {@link KEPT}. */
  readonly kept = new Map<number, string>();
  /** Over, those that failed included. */
  finished = 0;
  failed = 0;
  /** An earlier process has begun the session: an input that starts may stand anywhere. */
  isResumed = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** In the order they began. */
  get all(): readonly InputAtWork[] {
    return [...this.#atWork.values()];
  }

  get size(): number {
    return this.#atWork.size;
  }

  observe(event: Event): void {
    switch (event.type) {
      case "input-started":
        this.#atWork.set(event.input.index, this.#begun(event.input));
        return;
      case "iteration-started": {
        const { iteration, maxIterations } = event;
        this.#turn(event.input, { phase: "iterating", iteration, maxIterations });
        return;
      }
      case "iteration-finished":
        this.#turn(event.input, { phase: "between" });
        return;
      case "input-merging":
        this.#turn(event.input.index, { phase: "merging", into: event.into, gate: null });
        return;
      case "gate-started":
      case "gate-finished":
        this.#judge(event.at.input, event.type === "gate-started" ? event.gate : null);
        return;
      case "input-kept":
        if (this.kept.size < KEPT && event.next[0] !== undefined)
          this.kept.set(event.input.index, event.next[0]);
        return;
      case "input-finished":
        this.#atWork.delete(event.input.index);
        // One that was stopped is to go on.
        if (event.stop === "interrupted") return;
        this.finished += 1;
        if (!event.ok) this.failed += 1;
        return;
      case "session-finished":
      case "session-broken":
        this.#atWork.clear();
        return;
      default:
        return;
    }
  }

  /** A run of Claude has ended. */
  count(input: number | null, usage: ClaudeUsage | null): void {
    const at = input === null ? undefined : this.#atWork.get(input);
    if (at === undefined) return;
    if (usage === null || usage.costUsd === null) at.unknownCosts += 1;
    else at.costUsd += usage.costUsd;
  }

  #begun(input: InputValue): InputAtWork {
    return {
      input,
      phase: "opening",
      sinceMs: this.#nowMs(),
      iteration: 0,
      maxIterations: 0,
      into: "",
      gate: null,
      costUsd: 0,
      unknownCosts: 0,
    };
  }

  #judge(input: number | null, gate: string | null): void {
    const at = input === null ? undefined : this.#atWork.get(input);
    if (at !== undefined) at.gate = gate;
  }

  #turn(input: number | null, to: Partial<InputAtWork>): void {
    const at = input === null ? undefined : this.#atWork.get(input);
    if (at !== undefined) Object.assign(at, to, { sinceMs: this.#nowMs() });
  }
}
