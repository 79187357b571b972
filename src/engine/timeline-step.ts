/** A step whose end the journal has not told yet; see `timeline.ts`. Texts are cut: a timeline is no log. */
import { asArray, asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";
import type { CommitInfo } from "./ports.ts";
import { addSpend, NOTHING_SPENT } from "./spend.ts";
import { itemOf, short, withItemSpends } from "./timeline-item.ts";
import type { AttemptEntry, Spend, StepEntry, StepPart } from "./timeline-model.ts";

export class OpenStep {
  readonly step: string;
  readonly id: string | null;
  readonly label: string;
  readonly kind: string;
  readonly place: string;
  readonly depth: number;
  readonly iteration: number;
  readonly input: number | null;
  readonly startedAt: string | null;
  readonly parts: StepPart[] = [];
  readonly commits = new Map<string, CommitInfo>();
  conclusion: StepEntry["conclusion"] = "unfinished";
  why: string | null = null;
  failure: string | null = null;
  durationMs: number | null = null;
  files = 0;
  kept: string | null = null;
  late = false;
  /** A gate was begun whose process was not told yet. */
  #gate = false;
  /** Claude was started, and nothing was told since. */
  #calls = false;
  /** Finished, and its rollback may still be told. */
  waits = false;

  constructor(at: JsonObject, time: string | null) {
    this.step = asString(at["step"]) ?? "";
    this.id = asString(at["id"]);
    this.label = short(at["label"]) ?? "";
    this.kind = asString(at["kind"]) ?? "";
    this.place = short(at["place"]) ?? "";
    this.depth = asNumber(at["depth"]) ?? 0;
    this.iteration = asNumber(at["iteration"]) ?? 0;
    this.input = asNumber(at["input"]);
    this.startedAt = time;
  }

  get finished(): boolean {
    return this.conclusion !== "unfinished";
  }

  /** Any event of the step itself: is Claude at work? A gate has processes of its own. */
  see(type: string): void {
    if (type === "process-started" && !this.#gate) this.#calls = this.kind === "claude";
    else this.#calls = false;
    this.#gate = type === "gate-started";
  }

  /** mmm was killed here: Claude too, before it could say what it cost. @returns what to add to the sums */
  cutShort(): Spend {
    const index = this.parts.findLastIndex(
      (part) => part.type === "attempt" && part.result === "unfinished",
    );
    const part = this.parts[index];
    if (!this.#calls || part?.type !== "attempt") return NOTHING_SPENT;
    const spend: Spend = { ...NOTHING_SPENT, calls: 1, cutShort: 1 };
    this.parts[index] = { ...part, spend };
    this.#calls = false;
    return spend;
  }

  beginAttempt(event: JsonObject): void {
    this.parts.push({
      ...NO_ATTEMPT,
      attempt: asNumber(event["attempt"]) ?? 0,
      run: asNumber(event["run"]) ?? 1,
      maxAttempts: asNumber(event["maxAttempts"]) ?? 1,
      startedAt: asString(event["time"]),
      log: asString(event["log"]),
      late: event["late"] === true,
    });
  }

  endAttempt(event: JsonObject, spend: Spend): void {
    const attempt = asNumber(event["attempt"]) ?? 0;
    const index = this.parts.findLastIndex(
      (part) => part.type === "attempt" && part.result === "unfinished" && part.attempt === attempt,
    );
    const begun = this.parts[index];
    const failure = asObject(event["failure"]);
    const ended: AttemptEntry = {
      ...(begun?.type === "attempt" ? begun : { ...NO_ATTEMPT, attempt }),
      result: failure === null ? "succeeded" : "failed",
      failure: short(failure?.["message"]),
      durationMs: asNumber(event["durationMs"]),
      model: asString(event["model"]),
      turns: asNumber(event["turns"]),
      spend,
      late: event["late"] === true,
    };
    if (index === -1) this.parts.push(ended);
    else this.parts[index] = ended;
  }

  #endHandler(ok: boolean): void {
    const index = this.parts.findLastIndex((part) => part.type === "handler" && part.ok === null);
    const begun = this.parts[index];
    if (begun?.type === "handler") this.parts[index] = { ...begun, ok };
  }

  /** What stands around the steps in it: handlers and items. */
  tellAround(type: string, event: JsonObject): void {
    if (type === "handler-started")
      this.parts.push({ type: "handler", handler: asString(event["handler"]) ?? "", ok: null });
    else if (type === "handler-finished") this.#endHandler(event["ok"] === true);
    else if (type === "item-started") this.parts.push(itemOf(event, asString(event["time"])));
    else if (type === "item-finished") this.#endItem(event);
  }

  #endItem(event: JsonObject): void {
    const ended = itemOf(event, null);
    const index = this.parts.findLastIndex(
      (part) => part.type === "item" && part.index === ended.index,
    );
    const begun = this.parts[index];
    if (begun?.type !== "item" || begun.conclusion !== "unfinished") this.parts.push(ended);
    else this.parts[index] = { ...ended, startedAt: begun.startedAt };
  }

  finish(event: JsonObject, commits: readonly (CommitInfo | null)[]): void {
    this.conclusion = conclusionOf(event["conclusion"]);
    this.why = short(event["why"]);
    this.failure = short(asObject(event["failure"])?.["message"]);
    this.durationMs = asNumber(event["durationMs"]);
    this.files = asArray(event["files"]).length;
    for (const commit of commits) if (commit !== null) this.commits.set(commit.sha, commit);
  }
}

const NO_ATTEMPT: AttemptEntry = {
  type: "attempt",
  attempt: 0,
  run: 1,
  maxAttempts: 1,
  result: "unfinished",
  failure: null,
  startedAt: null,
  durationMs: null,
  model: null,
  turns: null,
  spend: NOTHING_SPENT,
  log: null,
  late: false,
};

/** Of any event with an `at`. */
export function openEntry(event: JsonObject, time: string | null): OpenStep {
  return new OpenStep(asObject(event["at"]) ?? {}, time);
}

export function sealed(step: OpenStep): StepEntry {
  const spends = step.parts.map((part) =>
    // What an item has spent its steps tell.
    part.type === "attempt" || part.type === "step" ? part.spend : NOTHING_SPENT,
  );
  return {
    type: "step",
    step: step.step,
    id: step.id,
    label: step.label,
    kind: step.kind,
    place: step.place,
    depth: step.depth,
    iteration: step.iteration,
    input: step.input,
    conclusion: step.conclusion,
    why: step.why,
    failure: step.failure,
    startedAt: step.startedAt,
    durationMs: step.durationMs,
    spend: spends.reduce(addSpend, NOTHING_SPENT),
    commits: [...step.commits.values()],
    files: step.files,
    kept: step.kept,
    late: step.late,
    parts: withItemSpends(step.parts),
  };
}

function conclusionOf(value: unknown): StepEntry["conclusion"] {
  switch (value) {
    case "succeeded":
    case "failed":
    case "tolerated":
    case "skipped":
      return value;
    default:
      return "unfinished";
  }
}
