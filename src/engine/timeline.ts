/**
 * A session's journal as a person reads it: a fold over its lines, in the order of time, which holds one
 * top-level step a lane at most. What it does not know it leaves out; nothing is believed to be well-formed.
 */
import { asArray, asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";
import type { CommitInfo } from "./ports.ts";
import { addSpend, NOTHING_SPENT, spendOf } from "./spend.ts";
import { inputOf, inputStateOf } from "./timeline-input.ts";
import { restartOf, startOf } from "./timeline-read.ts";
import { openEntry, type OpenStep, sealed } from "./timeline-step.ts";
import type { Spend, TimelineItem, TimelineStart, TimelineTotals } from "./timeline-model.ts";

/** What is told after a Ctrl-C is told again by a resume: it counts only when there is none. */
interface Sums {
  readonly models: Map<string | null, Spend>;
  readonly commits: Set<string>;
  steps: number;
}

/** Milliseconds from one ISO 8601 time to another; NaN when one of them is none. */
export type ElapsedMs = (from: string, to: string) => number;

export class TimelineFold {
  #start: TimelineStart | null = null;
  /** Open steps of each input, outermost first. */
  readonly #lanes = new Map<number | null, OpenStep[]>();
  readonly #sums: Sums = noSums();
  #late: Sums = noSums();
  /** Of a merge, which comes after the end that was told. */
  #after: Spend = NOTHING_SPENT;
  #iterations = new Set<string>();
  #told: JsonObject | null = null;
  #lastTime: string | null = null;
  #segmentStart: string | null = null;
  #earlierMs = 0;
  readonly #elapsedMs: ElapsedMs;

  constructor(elapsedMs: ElapsedMs) {
    this.#elapsedMs = elapsedMs;
  }

  /** `null`: no `session-started` so far. */
  get start(): TimelineStart | null {
    return this.#start;
  }

  /** Has the session told its end (and was not resumed since)? */
  get finished(): boolean {
    return this.#told !== null;
  }

  /** Takes a line of the journal; the items that it completes. */
  add(event: JsonObject): readonly TimelineItem[] {
    const time = asString(event["time"]);
    const type = asString(event["type"]) ?? "";
    if (type === "session-resumed") return this.#resumed(time);
    if (time !== null) this.#clock(time);
    switch (type) {
      case "session-started":
        this.#start ??= startOf(event);
        return [];
      case "unit-restarted":
        return restartOf(event, time);
      case "session-finished":
        this.#told = asObject(event["totals"]);
        return this.#closeAll();
      case "input-started":
        return inputOf(event, time);
      case "input-opened":
      case "input-merged":
      case "input-kept":
      case "input-finished":
        return this.#inputState(event, time);
      case "iteration-started":
        return this.#iteration(event, time);
      default:
        return asObject(event["at"]) === null ? [] : this.#inStep(type, event, time);
    }
  }

  /** What is still open when the journal ends. @param isKilled nobody is at work on it any more */
  end(isKilled: boolean): readonly TimelineItem[] {
    if (isKilled) this.#killed();
    return this.#closeAll();
  }

  totals(): TimelineTotals {
    const models = new Map(this.#sums.models);
    for (const [model, spend] of this.#late.models)
      models.set(model, addSpend(models.get(model) ?? NOTHING_SPENT, spend));
    const commits = new Set([...this.#sums.commits, ...this.#late.commits]);
    const sum = [...models.values()].reduce(addSpend, NOTHING_SPENT);
    // The session itself knows more: what was rolled back, run again, or paid for and never told.
    const told = this.#told ?? {};
    const number = (field: string, counted: number): number => asNumber(told[field]) ?? counted;
    const paid = (field: keyof Spend): number =>
      asNumber(told[field]) === null ? sum[field] : number(field, 0) + this.#after[field];
    const isKnown = asNumber(told["costUsd"]) !== null;
    return {
      ...sum,
      knownCostUsd: paid("knownCostUsd"),
      unknownCosts: isKnown
        ? this.#after.unknownCosts
        : Math.max(sum.unknownCosts, told["costUsd"] === null ? 1 : 0),
      tokens: paid("tokens"),
      cutShort: paid("cutShort"),
      iterations: number("iterations", this.#iterations.size),
      steps: number("steps", this.#sums.steps + this.#late.steps),
      commits: number("commits", commits.size),
      durationMs: asNumber(told["durationMs"]) ?? this.#elapsed(),
      models: [...models]
        .map(([model, spend]) => ({ model, ...spend }))
        .sort((a, b) => b.knownCostUsd - a.knownCostUsd || b.tokens - a.tokens),
    };
  }

  #clock(time: string): void {
    this.#segmentStart ??= time;
    this.#lastTime = time;
  }

  /** Time at work: what lies between a stop and its resume does not count. */
  #elapsed(): number | null {
    if (this.#segmentStart === null || this.#lastTime === null) return null;
    const ms = this.#elapsedMs(this.#segmentStart, this.#lastTime);
    // A clock that was put back measures nothing.
    return this.#earlierMs + (ms > 0 ? ms : 0);
  }

  #resumed(time: string | null): readonly TimelineItem[] {
    this.#earlierMs = this.#elapsed() ?? 0;
    this.#segmentStart = time;
    this.#lastTime = time;
    this.#late = noSums();
    this.#told = null;
    this.#after = NOTHING_SPENT;
    this.#killed();
    return [...this.#closeAll(), { type: "resumed", at: time }];
  }

  /** No step of it runs then: what is open is told first, and of one that is over nothing is held. */
  #inputState(event: JsonObject, time: string | null): readonly TimelineItem[] {
    const input = asNumber(asObject(event["input"])?.["index"]);
    const left = this.#closeDown(input, 0);
    if (event["type"] === "input-finished") this.#lanes.delete(input);
    return [...left, ...inputStateOf(event, time)];
  }

  #iteration(event: JsonObject, at: string | null): readonly TimelineItem[] {
    const input = asNumber(event["input"]);
    const iteration = asNumber(event["iteration"]) ?? 0;
    const maxIterations = asNumber(event["maxIterations"]) ?? iteration;
    this.#iterations.add(`${input ?? ""}/${iteration}`);
    const left = this.#closeDown(input, 0);
    return [...left, { type: "iteration", iteration, maxIterations, input, at }];
  }

  #inStep(type: string, event: JsonObject, time: string | null): readonly TimelineItem[] {
    const open = openEntry(event, time);
    const lane = this.#lanes.get(open.input) ?? [];
    this.#lanes.set(open.input, lane);
    if (type === "step-started") {
      const left = this.#closeDown(open.input, open.depth);
      lane.push(open);
      return left;
    }
    const known = lane.findLast(({ step }) => step === open.step);
    // Told about a step that an earlier segment has begun; a rollback comes after its end.
    if (known === undefined && (type === "rolled-back" || !TOLD_IN_STEP.has(type))) return [];
    const left = known === undefined ? [...this.#closeDown(open.input, open.depth)] : [];
    if (known === undefined) lane.push(open);
    const step = known ?? open;
    while (lane.at(-1) !== step) left.push(...this.#closeLast(lane));
    step.see(type);
    this.#tell(step, type, event);
    if (type === "step-finished" || (type === "rolled-back" && step.finished))
      step.waits = type === "step-finished" && step.conclusion === "failed";
    return step.finished && !step.waits ? [...left, ...this.#closeLast(lane)] : left;
  }

  #tell(step: OpenStep, type: string, event: JsonObject): void {
    const sums = event["late"] === true ? this.#late : this.#sums;
    step.late ||= event["late"] === true;
    switch (type) {
      case "attempt-started":
      case "retry-started":
        step.beginAttempt(event);
        return;
      case "run-failed":
      case "attempt-finished":
        this.#pay(step, event, sums);
        return;
      case "commit-made": {
        const commit = commitOf(event["commit"]);
        if (commit === null) return;
        sums.commits.add(commit.sha);
        step.commits.set(commit.sha, commit);
        return;
      }
      case "step-finished":
        step.finish(event, asArray(event["commits"]).map(commitOf));
        if (step.depth === 0 && step.conclusion !== "skipped") sums.steps += 1;
        return;
      case "rolled-back":
        step.kept = asString(event["kept"]);
        return;
      default:
        step.tellAround(type, event);
    }
  }

  #pay(step: OpenStep, event: JsonObject, sums: Sums): void {
    const spend = spendOf(event, step.kind);
    step.endAttempt(event, spend);
    if (spend.calls === 0) return;
    if (this.#told !== null) this.#after = addSpend(this.#after, spend);
    const model = asString(event["model"]);
    // One that a signal has ended was paid for and is not told again.
    const isEnded = asObject(event["end"])?.["kind"] === "cancelled";
    const { models } = isEnded ? this.#sums : sums;
    models.set(model, addSpend(models.get(model) ?? NOTHING_SPENT, spend));
  }

  /** Calls that died with mmm; a session that ended in order has told the end of each. */
  #killed(): void {
    const { models } = this.#sums;
    for (const step of [...this.#lanes.values()].flat()) {
      const spend = step.cutShort();
      if (spend.calls > 0) models.set(null, addSpend(models.get(null) ?? NOTHING_SPENT, spend));
    }
  }

  #closeAll(): readonly TimelineItem[] {
    return [...this.#lanes.keys()].flatMap((lane) => this.#closeDown(lane, 0));
  }

  /** Ends what is open at this depth and deeper. */
  #closeDown(lane: number | null, depth: number): readonly TimelineItem[] {
    const open = this.#lanes.get(lane) ?? [];
    const items: TimelineItem[] = [];
    while ((open.at(-1)?.depth ?? -1) >= depth) items.push(...this.#closeLast(open));
    return items;
  }

  #closeLast(lane: OpenStep[]): readonly TimelineItem[] {
    const step = lane.pop();
    if (step === undefined) return [];
    const entry = sealed(step);
    const parent = lane.at(-1);
    if (parent === undefined) return [entry];
    parent.parts.push(entry);
    return [];
  }
}

const TOLD_IN_STEP: ReadonlySet<string> = new Set([
  "attempt-started",
  "attempt-finished",
  "run-failed",
  "retry-started",
  "handler-started",
  "handler-finished",
  "item-started",
  "item-finished",
  "commit-made",
  "step-finished",
]);

function noSums(): Sums {
  return { models: new Map(), commits: new Set(), steps: 0 };
}

function commitOf(value: unknown): CommitInfo | null {
  const commit = asObject(value);
  const sha = asString(commit?.["sha"]);
  return sha === null
    ? null
    : { sha, subject: (asString(commit?.["subject"]) ?? "").slice(0, 200) };
}
