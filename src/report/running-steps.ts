/** Steps under way, of all inputs at work: a fold that forgets each when it finishes. */
import type { Event, FailureDetail, LiveEvent, StepPlace } from "../engine/events.ts";

/** A step under way. */
export interface RunningStep {
  readonly at: StepPlace;
  /** Monotonic, of the attempt that runs. */
  startedMs: number;
  attempt: number;
  maxAttempts: number;
  /** Inside the attempt (`retry`), from 1. */
  run: number;
  maxRuns: number;
  /** Monotonic: when the next run begins; `null`: the first one. */
  againMs: number | null;
  turns: number | null;
  /** Tokens of this attempt so far; `null`: nothing was said yet. */
  tokens: number | null;
  /** What this attempt has cost so far; `null`: not said yet. */
  attemptCostUsd: number | null;
  /** Last tool call, for the live line. */
  doing: string | null;
  /** A usage limit is waited for until then, ISO 8601; `null`: none. */
  waitsUntil: string | null;
  /** Output of this attempt went by live. */
  seenLive: boolean;
  /** A handler has run after a failure. */
  handled: boolean;
  /** Of a failed attempt nothing has been said about yet. */
  unsaid: FailureDetail | null;
  /** Of the latest run that has ended; `null`: it succeeded, or a limit cut it short. */
  failed: FailureDetail | null;
  /** Of all attempts; `null`: none had a known cost. */
  costUsd: number | null;
}

export class RunningSteps {
  readonly #nowMs: () => number;
  readonly #running = new Map<string, RunningStep>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  step(at: StepPlace): RunningStep | null {
    return this.#running.get(keyOf(at)) ?? null;
  }

  /** The step that started last and still runs: innermost, when handlers nest. */
  innermost(): RunningStep | null {
    return [...this.#running.values()].at(-1) ?? null;
  }

  /** The same of one input. */
  innermostOf(input: number): RunningStep | null {
    return [...this.#running.values()].findLast(({ at }) => at.input === input) ?? null;
  }

  /** What the running attempts have said that they cost so far: the sum has it when they end. */
  get costUsd(): number {
    let sum = 0;
    for (const { attemptCostUsd } of this.#running.values()) sum += attemptCostUsd ?? 0;
    return sum;
  }

  /** The innermost step under way whose latest run has failed. */
  lastFailed(): RunningStep | null {
    return [...this.#running.values()].findLast(({ failed }) => failed !== null) ?? null;
  }

  observe(event: Event): void {
    switch (event.type) {
      case "step-started":
        this.#start(event.at);
        return;
      case "attempt-started":
        this.#attempt(event.at, event);
        return;
      case "run-failed":
      case "attempt-finished":
        this.#finishRun(event);
        return;
      case "retry-started":
        this.#retry(event);
        return;
      case "wait-started":
        this.#wait(event);
        return;
      case "handler-started": {
        const step = this.step(event.at);
        if (step !== null) {
          step.unsaid = null;
          step.handled ||= event.handler !== "on_success";
        }
        return;
      }
      case "input-finished":
        this.#forget(event.input.index);
        return;
      case "step-finished":
        this.#running.delete(keyOf(event.at));
        return;
      case "session-finished":
      case "session-broken":
        this.#running.clear();
        return;
      default:
        return;
    }
  }

  observeLive(event: LiveEvent): void {
    const step = this.step(event.at);
    if (step === null) {
      return;
    }
    if (event.type === "output") {
      step.seenLive = true;
      return;
    }
    if (event.activity.type === "turns") {
      step.turns = event.activity.turns;
    } else if (event.activity.type === "usage") {
      step.tokens = event.activity.tokens;
      step.attemptCostUsd = event.activity.costUsd;
    } else if (event.activity.type === "tool") {
      step.doing = `${event.activity.name} ${event.activity.detail}`;
    }
  }

  #wait(event: Event & { readonly type: "wait-started" }): void {
    const step = this.step(event.at);
    if (step === null) return;
    step.waitsUntil = event.until;
    step.startedMs = this.#nowMs();
    // Cut short, not failed: the line about the wait has said it.
    step.unsaid = null;
  }

  /** Steps of it that were stopped in the middle. */
  #forget(input: number): void {
    for (const [key, { at }] of this.#running) if (at.input === input) this.#running.delete(key);
  }

  #start(at: StepPlace): RunningStep {
    const step: RunningStep = {
      at,
      startedMs: this.#nowMs(),
      attempt: 1,
      maxAttempts: 1,
      run: 1,
      maxRuns: 1,
      againMs: null,
      turns: null,
      tokens: null,
      attemptCostUsd: null,
      doing: null,
      waitsUntil: null,
      seenLive: false,
      handled: false,
      unsaid: null,
      failed: null,
      costUsd: null,
    };
    this.#running.set(keyOf(at), step);
    return step;
  }

  #attempt(at: StepPlace, of: { readonly attempt: number; readonly maxAttempts: number }): void {
    const step = this.step(at) ?? this.#start(at);
    step.startedMs = this.#nowMs();
    step.attempt = of.attempt;
    step.maxAttempts = of.maxAttempts;
    step.run = 1;
    step.maxRuns = 1;
    step.againMs = null;
    step.turns = null;
    step.tokens = null;
    step.attemptCostUsd = null;
    step.doing = null;
    step.waitsUntil = null;
    step.seenLive = false;
    step.unsaid = null;
  }

  #retry(event: Event & { readonly type: "retry-started" }): void {
    const { attempt, maxAttempts } = this.step(event.at) ?? this.#start(event.at);
    this.#attempt(event.at, { attempt, maxAttempts });
    const step = this.step(event.at);
    if (step === null) return;
    step.run = event.run;
    step.maxRuns = event.maxRuns;
    step.againMs = this.#nowMs() + event.delayMs;
    step.startedMs = step.againMs;
  }

  #finishRun(event: Event & { readonly type: "attempt-finished" | "run-failed" }): void {
    const step = this.step(event.at);
    if (step === null) return;
    step.unsaid = event.failure;
    step.failed = event.failure?.reason === "limit" ? null : event.failure;
    step.turns = event.turns;
    // From here on the session's sum has it.
    step.attemptCostUsd = null;
    step.doing = null;
    const costUsd = hasRunClaude(event) ? (event.usage?.costUsd ?? null) : null;
    if (costUsd !== null) step.costUsd = (step.costUsd ?? 0) + costUsd;
  }
}

/** A prompt that was refused and a program that is missing cost nothing. */
export function hasRunClaude({
  at,
  end,
}: Event & { readonly type: "attempt-finished" | "run-failed" }): boolean {
  return at.kind === "claude" && end !== null && end.kind !== "not-started";
}

/** One step of one iteration of one input. */
export function keyOf(at: StepPlace): string {
  return `${at.input ?? "-"}/${at.iteration}/${at.step}`;
}
