/** `.mmm/state.json` and `session.json`: small, readable, replaced whole (spec 7). */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import writeFileAtomic from "write-file-atomic";
import type { Event } from "../engine/events.ts";
import type { Amount } from "../engine/ledger.ts";
import { MmmError } from "../errors.ts";
import { writing } from "./disk.ts";
import { underLock } from "./state-lock.ts";

/** Version of both files; a newer one is refused with a word. */
const STATE_VERSION = 1;

interface State {
  readonly version: number;
  readonly project_id: string;
  readonly total_runs: number;
  readonly last_run: string | null;
  readonly score: number | null;
  readonly running: readonly string[];
  readonly last_session: Readonly<Record<string, unknown>> | null;
}

/** What the caller knows of the session from its start. */
export interface SessionSummary {
  readonly name: string;
  readonly playbook: string;
  readonly startedAt: string;
  /** Latest output called `score` or `health_score`; absent: none yet. */
  readonly score?: number | undefined;
}

/**
 * Says that the session runs, and that `gone` (killed, its lock was stale) does not; returns a word when
 * a damaged file was set aside, else `null`.
 *
 * @param again it was counted when it began
 */
export function recordStart(
  file: string,
  session: SessionSummary,
  { gone, again }: { readonly gone: string | null; readonly again: boolean },
): string | null {
  return underLock(lockOf(file), () => {
    const { state, note } = readState(file);
    const others = state.running.filter((name) => name !== gone && name !== session.name);
    const total_runs = state.total_runs + (again ? 0 : 1);
    const running = [...others, session.name];
    replace(file, { ...state, total_runs, last_run: session.startedAt, running });
    return note;
  });
}

/** Says how it ended. */
export function recordEnd(
  file: string,
  session: SessionSummary,
  end: Extract<Event, { type: "session-finished" }>,
  endedAt: string,
): void {
  close(file, session, sessionRecord(session, end, endedAt));
}

/** The session's output `score`, when this event tells it; what is no number is none. */
export function scoreOf(event: Event): number | undefined {
  if (event.type !== "output-captured") return undefined;
  if (event.name !== "score" && event.name !== "health_score") return undefined;
  const score = Number(event.value.trim() === "" ? "none" : event.value);
  return Number.isFinite(score) ? score : undefined;
}

function lockOf(file: string): string {
  return file.replace(/\.json$/, ".lock");
}

function close(file: string, session: SessionSummary, last_session: State["last_session"]): void {
  underLock(lockOf(file), () => {
    const { state } = readState(file);
    const running = state.running.filter((name) => name !== session.name);
    replace(file, { ...state, running, score: session.score ?? state.score, last_session });
  });
}

/** The content of `session.json`; `null` end: still running. */
export function writeSession(
  file: string,
  session: SessionSummary,
  end: Extract<Event, { type: "session-finished" }> | null,
  endedAt: string | null,
): void {
  const content =
    end === null || endedAt === null
      ? {
          name: session.name,
          status: "running",
          playbook: session.playbook,
          started_at: session.startedAt,
        }
      : sessionRecord(session, end, endedAt);
  replace(file, { version: STATE_VERSION, ...content }, end !== null);
}

/** Says that the surroundings broke off the session (disk, git) or a bug did: it is not running any more. */
export function recordBreak(
  files: { readonly state: string; readonly session: string },
  session: SessionSummary,
  broken: { readonly message: string; readonly endedAt: string },
): void {
  const record = {
    name: session.name,
    status: "failed",
    stop_reason: "error",
    error: broken.message,
    playbook: session.playbook,
    started_at: session.startedAt,
    ended_at: broken.endedAt,
  };
  replace(files.session, { version: STATE_VERSION, ...record });
  close(files.state, session, record);
}

function sessionRecord(
  session: SessionSummary,
  end: Extract<Event, { type: "session-finished" }>,
  endedAt: string,
): Record<string, unknown> {
  return {
    name: session.name,
    status: end.status,
    stop_reason: end.stop,
    exit_code: end.exitCode,
    playbook: session.playbook,
    iterations: end.totals.iterations,
    steps: end.totals.steps,
    commits: end.totals.commits,
    files_changed: end.totals.filesChanged,
    cost_usd: end.totals.costUsd,
    known_cost_usd: end.totals.knownCostUsd,
    unknown_costs: end.totals.unknownCosts,
    tokens: end.totals.tokens,
    limit: end.limit && {
      kind: end.limit.kind,
      limit: end.limit.limit,
      spent: end.limit.spent,
      resets_at: end.limit.resetsAt,
    },
    models: end.spending.models.map(({ model, ...each }) => ({ model, ...amountRecord(each) })),
    claude_steps: end.spending.steps.map(({ step, label, ...each }) => ({
      step,
      label,
      ...amountRecord(each),
    })),
    duration_ms: Math.round(end.totals.durationMs),
    worked_ms: Math.round(end.workedMs),
    started_at: session.startedAt,
    ended_at: endedAt,
  };
}

function amountRecord(amount: Amount): Record<string, number> {
  return {
    runs: amount.runs,
    known_cost_usd: amount.costUsd,
    unknown_costs: amount.unknownCosts,
    cut_short: amount.cutShort,
    tokens: amount.tokens,
    duration_ms: Math.round(amount.durationMs),
  };
}

function readState(file: string): { readonly state: State; readonly note: string | null } {
  const fresh: State = {
    version: STATE_VERSION,
    project_id: randomUUID(),
    total_runs: 0,
    last_run: null,
    score: null,
    running: [],
    last_session: null,
  };
  if (!existsSync(file)) return { state: fresh, note: null };
  const found = parse(file);
  if (found === null) {
    const aside = `${file}.damaged`;
    writing(`set ${file} aside`, () => renameSync(file, aside));
    return {
      state: fresh,
      note: `${file} was damaged; it is kept as ${aside}, and counting starts anew`,
    };
  }
  if (found.version > STATE_VERSION) {
    throw new MmmError("state-newer", 3, {
      message: `${file} has version ${found.version}, and this mmm knows ${STATE_VERSION}`,
      next: ["use the newer mmm that wrote it"],
    });
  }
  return { state: { ...fresh, ...found }, note: null };
}

function parse(file: string): State | null {
  try {
    if (!statSync(file).isFile()) return null;
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value !== "object" || value === null) return null;
    const state = value as State; // Its fields are checked here, the rest is only copied.
    const sound =
      typeof state.version === "number" &&
      typeof state.total_runs === "number" &&
      Array.isArray(state.running);
    return sound ? state : null;
  } catch {
    // Damaged; the caller sets it aside and says so.
    return null;
  }
}

/** @param fsync `false`: what only says "running" may be lost in a power cut, like the run itself. */
function replace(file: string, content: object, fsync = true): void {
  writing(`write ${file}`, () =>
    writeFileAtomic.sync(file, `${JSON.stringify(content, null, 2)}\n`, { fsync }),
  );
}
