/**
 * What a later line needs of earlier events: a fold over the stream, nothing else (architecture 3).
 *
 * Bounded: steps are forgotten when they finish, inputs when they are over.
 */
import type { Event, StepPlace } from "../engine/events.ts";
import type { SessionResumed } from "../engine/resumed-event.ts";
import type { Limits } from "../playbook/model.ts";
import type { ClaudeUsage } from "../engine/ports.ts";
import { InputsAtWork } from "./inputs-at-work.ts";
import { hasRunClaude, RunningSteps } from "./running-steps.ts";

type GateFinished = Event & { readonly type: "gate-finished" };

/** More verdicts than that nobody reads in a summary. */
const GATES = 50;

export class RunMemory {
  readonly #nowMs: () => number;
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
  readonly steps: RunningSteps;
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
    this.steps = new RunningSteps(nowMs);
  }

  /** Events of several inputs come mixed, and each line says whose it is. */
  get isParallel(): boolean {
    return this.parallel > 1;
  }

  /** Several at once, and the session is under way. */
  get isAtWork(): boolean {
    return this.#isOpen && this.isParallel;
  }

  /** Takes an event after its lines were said. */
  observe(event: Event): void {
    this.steps.observe(event);
    this.atWork.observe(event);
    switch (event.type) {
      case "session-started":
        this.#open(event, event.inputs);
        return;
      case "session-resumed":
        this.#resume(event);
        return;
      case "run-failed":
      case "attempt-finished":
        if (hasRunClaude(event)) this.#count(event.at.input, event.usage);
        return;
      case "gate-finished":
        this.#judged(event);
        return;
      case "input-started":
        // A journal of before resumes told it: two at work say it too.
        this.parallel = Math.max(this.parallel, this.atWork.size);
        return;
      case "step-finished":
        if (event.conclusion === "failed" && event.at.depth === 0) {
          this.failed = event.at;
        }
        return;
      case "session-finished":
      case "session-broken":
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

  #resume(event: SessionResumed): void {
    this.atWork.finished = event.inputs?.finished ?? 0;
    this.atWork.isResumed = true;
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

  #count(input: number | null, usage: ClaudeUsage | null): void {
    this.atWork.count(input, usage);
    if (usage === null || usage.costUsd === null) this.unknownCosts += 1;
    else this.knownCostUsd += usage.costUsd;
  }
}
