/**
 * What a later line needs of earlier events: a fold over the stream, nothing else (architecture 3).
 *
 * Bounded: steps are forgotten when they finish, inputs when they are over.
 */
import type { Event, FailureDetail, LiveEvent, StepPlace } from "../engine/events.ts";
import type { SessionResumed } from "../engine/resumed-event.ts";
import type { Limits } from "../playbook/model.ts";
import type { ClaudeUsage } from "../engine/ports.ts";
import { InputsAtWork } from "./inputs-at-work.ts";

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

type GateFinished = Event & { readonly type: "gate-finished" };

/** More verdicts than that nobody reads in a summary. */
const GATES = 50;

export class RunMemory {
  readonly #nowMs: () => number;
  readonly #running = new Map<string, RunningStep>();
  #isOpen = false;
  /** Recording that stands in for Claude. */
  replay: string | null = null;
  limits: Limits = { costUsd: null, tokens: null, durationMs: null };
  /** 0: a session without inputs. */
  inputs = 0;
  /** So many inputs at once. */
  parallel = 1;
  /** Monotonic: this process began with the session. */
  startedMs = 0;
  readonly atWork: InputsAtWork;
  /** Known cost of the session so far. */
  knownCostUsd = 0;
  /** Claude attempts whose cost nobody knows. */
  unknownCosts = 0;
  /** The latest answer to `until`. */
  until: { readonly label: string; readonly why: string | null } | null = null;
  /** The latest verdict of each gate at each step, in the order first given; at most {@link GATES}. */
  readonly gates = new Map<string, GateFinished>();
  /** The step that ended the run or its input. */
  failed: StepPlace | null = null;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.atWork = new InputsAtWork(nowMs);
  }

  /** Events of several inputs come mixed, and each line says whose it is. */
  get isParallel(): boolean {
    return this.parallel > 1;
  }

  /** Several at once, and the session is under way. */
  get isAtWork(): boolean {
    return this.#isOpen && this.isParallel;
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
  get runningCostUsd(): number {
    let sum = 0;
    for (const { attemptCostUsd } of this.#running.values()) sum += attemptCostUsd ?? 0;
    return sum;
  }

  /** The innermost step under way whose latest run has failed. */
  lastFailed(): RunningStep | null {
    return [...this.#running.values()].findLast(({ failed }) => failed !== null) ?? null;
  }

  /** Takes an event after its lines were said. */
  observe(event: Event): void {
    this.atWork.observe(event);
    switch (event.type) {
      case "session-started":
        this.#open(event, event.inputs);
        return;
      case "session-resumed":
        this.#resume(event);
        return;
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
      case "gate-finished":
        this.#judged(event);
        return;
      case "input-started":
        // A journal of before resumes told it: two at work say it too.
        this.parallel = Math.max(this.parallel, this.atWork.size);
        return;
      case "input-finished":
        this.#forget(event.input.index);
        return;
      case "step-finished":
        if (event.conclusion === "failed" && event.at.depth === 0) {
          this.failed = event.at;
        }
        this.#running.delete(keyOf(event.at));
        return;
      case "session-finished":
        this.#running.clear();
        this.#isOpen = false;
        return;
      default:
        return;
    }
  }

  #judged(event: GateFinished): void {
    if (event.when === "until") this.until = { label: event.at.label, why: event.why };
    if (event.verdict === "measured") return;
    const key = `${event.at.step} ${event.gate}`;
    if (this.gates.has(key) || this.gates.size < GATES) this.gates.set(key, event);
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

  #resume(event: SessionResumed): void {
    this.atWork.finished = event.inputs?.finished ?? 0;
    this.knownCostUsd = event.costUsd ?? 0;
    this.#open(event, event.inputs?.total ?? 0);
  }

  #open(
    event: SessionResumed | (Event & { readonly type: "session-started" }),
    inputs: number,
  ): void {
    this.replay = event.replay;
    this.limits = event.limits;
    this.inputs = inputs;
    this.parallel = event.parallel ?? 1;
    this.startedMs = this.#nowMs();
    this.#isOpen = true;
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
    if (step !== null) {
      step.unsaid = event.failure;
      step.failed = event.failure?.reason === "limit" ? null : event.failure;
      step.turns = event.turns;
      // From here on the session's sum has it.
      step.attemptCostUsd = null;
      step.doing = null;
    }
    // A prompt that was refused and a program that is missing cost nothing.
    const ran = event.end !== null && event.end.kind !== "not-started";
    if (event.at.kind === "claude" && ran) {
      this.#count(event.usage, step);
      this.atWork.count(event.at.input, event.usage);
    }
  }

  #count(usage: ClaudeUsage | null, step: RunningStep | null): void {
    if (usage === null || usage.costUsd === null) {
      this.unknownCosts += 1;
      return;
    }
    this.knownCostUsd += usage.costUsd;
    if (step !== null) {
      step.costUsd = (step.costUsd ?? 0) + usage.costUsd;
    }
  }
}

/** One step of one iteration of one input. */
export function keyOf(at: StepPlace): string {
  return `${at.input ?? "-"}/${at.iteration}/${at.step}`;
}
