/** What earlier sessions of a playbook took, in time and money; bounded: the newest twenty (spec 1, `--dry-run`). */
import { statSync } from "node:fs";
import path from "node:path";
import type { SessionRecord } from "../engine/session-record.ts";
import type { StepEntry } from "../engine/timeline-model.ts";
import { asNumber, asObject, asString, type JsonObject } from "../lib/json.ts";
import type { Expected } from "../report/plan-report.ts";
import { listSessions, type SessionsPlace } from "../session/history.ts";
import { JournalReader } from "../session/journal-events.ts";
import type { PlaybookFile } from "./playbook-file.ts";
import { openFold } from "./sessions/show.ts";

export interface Expectations {
  readonly sessions: number;
  /** By the short meaning of a top-level step. */
  readonly steps: ReadonlyMap<string, Expected>;
  readonly session: Expected;
}

const MAX_SESSIONS = 20;
/** A longer journal takes longer to read than its medians are worth. */
const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;

/** Of one step or session, a run each. */
class Samples {
  #count = 0;
  readonly #durations: number[] = [];
  readonly #costs: number[] = [];

  add(durationMs: number | null, costUsd: number | null): void {
    this.#count += 1;
    if (durationMs !== null) this.#durations.push(durationMs);
    if (costUsd !== null) this.#costs.push(costUsd);
  }

  get expected(): Expected {
    const [durationMs, costUsd] = [median(this.#durations), median(this.#costs)];
    return { samples: this.#count, durationMs, costUsd };
  }
}

export const NOTHING_EXPECTED: Expectations = {
  sessions: 0,
  steps: new Map(),
  session: { samples: 0, durationMs: null, costUsd: null },
};

interface Wanted {
  readonly file: Pick<PlaybookFile, "absolute" | "shown" | "shipped">;
  /** Top of the working tree: another tree of the repository has the playbook at the same place in it. */
  readonly root: string;
  /** How many this run has: a session with more or fewer takes longer or shorter. */
  readonly inputs: number;
}

export async function expectations(place: SessionsPlace, wanted: Wanted): Promise<Expectations> {
  const steps = new Map<string, Samples>();
  const whole = new Samples();
  let sessions = 0;
  for (const record of await listSessions(place)) {
    if (sessions === MAX_SESSIONS) break;
    if (!mayBeOf(record, wanted)) continue;
    const read = readSession(record, wanted);
    if (read === null) continue;
    sessions += 1;
    for (const { meaning, entry } of read.steps) {
      const samples = steps.get(meaning) ?? new Samples();
      steps.set(meaning, samples);
      samples.add(entry.durationMs, costOf(entry.spend));
    }
    if (record.status === "completed" && read.inputs === wanted.inputs)
      whole.add(read.durationMs, costOf(read.spend));
  }
  const expected = new Map([...steps].map(([meaning, samples]) => [meaning, samples.expected]));
  return { sessions, steps: expected, session: whole.expected };
}

/** By what is in the small file; the journal decides. */
function mayBeOf({ playbook, status }: SessionRecord, { file }: Wanted): boolean {
  if (playbook === null || status === "damaged" || status === "newer") return false;
  return path.basename(playbook) === path.basename(file.absolute);
}

interface ReadSession {
  readonly steps: readonly { readonly meaning: string; readonly entry: StepEntry }[];
  readonly inputs: number;
  readonly durationMs: number | null;
  readonly spend: StepEntry["spend"];
}

/** `null`: of another playbook, a replay, or not to be read. */
function readSession({ directory }: SessionRecord, wanted: Wanted): ReadSession | null {
  const journal = path.join(directory, "journal.jsonl");
  if (!(bytesOf(journal) <= MAX_JOURNAL_BYTES)) return null;
  const fold = openFold();
  const meanings = new Map<string, string>();
  const steps: { meaning: string; entry: StepEntry }[] = [];
  let request: JsonObject | null = null;
  let inputs = 0;
  for (const event of new JournalReader(journal).events()) {
    if (event["type"] === "request") request = asObject(event["value"]);
    if (event["type"] === "session-started") {
      if (asString(event["replay"]) !== null || !isOf(event, request, wanted)) return null;
      inputs = asNumber(event["inputs"]) ?? 0;
    }
    if (event["type"] === "step-started") noteMeaning(meanings, event);
    for (const entry of fold.add(event)) {
      if (entry.type !== "step" || !RAN.has(entry.conclusion)) continue;
      const meaning = meanings.get(keyOf(entry.input, entry.iteration, entry.step));
      if (meaning !== undefined) steps.push({ meaning, entry });
    }
  }
  if (fold.start === null) return null;
  const { durationMs, ...spend } = fold.totals();
  return { steps, inputs, durationMs, spend };
}

/** A step that failed took its time, too. */
const RAN: ReadonlySet<string> = new Set(["succeeded", "failed", "tolerated"]);

function noteMeaning(meanings: Map<string, string>, event: JsonObject): void {
  const meaning = asString(event["meaning"]);
  const at = asObject(event["at"]);
  if (meaning === null || at === null) return;
  const [input, iteration] = [asNumber(at["input"]), asNumber(at["iteration"]) ?? 0];
  meanings.set(keyOf(input, iteration, asString(at["step"]) ?? ""), meaning);
}

function keyOf(input: number | null, iteration: number, step: string): string {
  return `${input ?? ""}/${iteration}/${step}`;
}

function isOf(started: JsonObject, request: JsonObject | null, { file, root }: Wanted): boolean {
  if (file.shipped) return started["playbook"] === file.shown;
  const then = asString(started["root"]) ?? "";
  return placeIn(then, playbookOf(request)) === placeIn(root, file.absolute);
}

/** Absolute; empty when nobody knows. */
function playbookOf(value: JsonObject | null): string {
  const typed = asString(asObject(value?.["request"])?.["playbook"]);
  const from = asString(value?.["from"]);
  return typed === null || from === null ? "" : path.resolve(from, typed);
}

/** The same in every working tree; a playbook outside of it has only its own path. */
function placeIn(root: string, file: string): string {
  const relative = path.relative(root, file);
  return relative.startsWith("..") || path.isAbsolute(relative) ? file : relative;
}

/** `null`: unknown, or nothing was to be paid. */
function costOf({ calls, unknownCosts, knownCostUsd }: StepEntry["spend"]): number | null {
  return calls === 0 || unknownCosts > 0 ? null : knownCostUsd;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** NaN: there is none. */
function bytesOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return Number.NaN;
  }
}
