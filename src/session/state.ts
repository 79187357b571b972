/** `.mmm/state.json` and `session.json`: small, readable, replaced whole (spec 7). */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Event, SessionTotals } from "../engine/events.ts";
import type { Amount, Spending } from "../engine/ledger.ts";
import type { LimitReached } from "../engine/budget.ts";
import { writing } from "./disk.ts";
import { isRunning, readSession, replaceSession, type SessionRecord } from "./session-file.ts";
import { setAside } from "./set-aside.ts";
import { underLock } from "./state-lock.ts";
import { type Format, type Migration, readVersioned, writeVersioned } from "./versioned-file.ts";

const STATE_VERSION = 1;
/** There is one version so far. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map();

interface State {
  readonly version: number;
  readonly project_id: string;
  readonly total_runs: number;
  readonly last_run: string | null;
  readonly score: number | null;
  readonly running: readonly string[];
  readonly last_session: SessionRecord | null;
}

/** What the caller knows of the session from its start. */
export interface SessionSummary {
  readonly name: string;
  readonly playbook: string;
  readonly startedAt: string;
  /** Latest output called `score` or `health_score`; absent: none yet. */
  readonly score?: number | undefined;
}

/** How a session ended: its last event. Statuses and reasons are the engine's. */
export interface SessionEnd {
  readonly status: string;
  readonly stop: string;
  readonly exitCode: number;
  readonly totals: SessionTotals;
  readonly limit: LimitReached | null;
  readonly spending: Spending;
  readonly workedMs: number;
}

/** The two files that tell of a session. */
export interface SessionFiles {
  readonly state: string;
  readonly session: string;
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
  migrations = MIGRATIONS,
): string | null {
  return underLock(lockOf(file), () => {
    const { state, note } = readState(file, migrations);
    const others = state.running.filter((name) => name !== gone && name !== session.name);
    const running = [...stillRunning(file, others), session.name];
    const total_runs = state.total_runs + (again ? 0 : 1);
    writeVersioned(file, { ...state, total_runs, last_run: session.startedAt, running });
    return note;
  });
}

/** Says how it ended. */
export function recordEnd(
  file: string,
  session: SessionSummary,
  end: SessionEnd,
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
    const score = session.score ?? state.score;
    writeVersioned(file, { ...state, running, score, last_session });
  });
}

/**
 * The content of `session.json`; `null` end: still running. Returns a word when a damaged file was set
 * aside, else `null`.
 */
export function writeSession(
  file: string,
  session: SessionSummary,
  end: SessionEnd | null,
  endedAt: string | null,
): string | null {
  const record: SessionRecord =
    end === null || endedAt === null
      ? {
          name: session.name,
          status: "running",
          playbook: session.playbook,
          started_at: session.startedAt,
        }
      : sessionRecord(session, end, endedAt);
  return replaceSession(file, record);
}

/** Says that the surroundings broke off the session (disk, git) or a bug did: it is not running any more. */
export function recordBreak(
  files: SessionFiles,
  session: SessionSummary,
  broken: { readonly message: string; readonly endedAt: string },
): void {
  const record: SessionRecord = {
    name: session.name,
    status: "failed",
    stop_reason: "error",
    error: broken.message,
    playbook: session.playbook,
    started_at: session.startedAt,
    ended_at: broken.endedAt,
  };
  try {
    const found = readSession(files.session);
    // It has ended, and only its record broke: how it ended stays the truth.
    const isOver = found.kind === "sound" && found.value.status !== "running";
    if (!isOver) replaceSession(files.session, record);
  } finally {
    // One of the two may be writable still.
    close(files.state, session, record);
  }
}

/** Says that these sessions are given up or removed; a `state.json` that does not name them stays as it is. */
export function recordGone(
  file: string,
  { names, dropped }: { readonly names: ReadonlySet<string>; readonly dropped: boolean },
): void {
  if (!existsSync(file)) return;
  underLock(lockOf(file), () => {
    const { state } = readState(file);
    const running = state.running.filter((name) => !names.has(name));
    const last = state.last_session;
    const isLast = dropped && last !== null && names.has(last.name);
    if (running.length === state.running.length && !isLast) return;
    const last_session = isLast ? { ...last, status: "dropped" } : last;
    writeVersioned(file, { ...state, running, last_session });
  });
}

/** More has become known of a session that has ended; a `state.json` that names another one as its last stays. */
export function recordLast(file: string, session: SessionRecord): void {
  if (!existsSync(file)) return;
  underLock(lockOf(file), () => {
    const { state } = readState(file);
    if (state.last_session?.name !== session.name) return;
    writeVersioned(file, { ...state, last_session: session });
  });
}

/** Gives a session up: what its `session.json` says stays, but for the status. Throws `MmmError` (exit 3). */
export function writeDropped(
  file: string,
  session: { readonly name: string; readonly stopReason: string; readonly endedAt: string },
): void {
  const found = readSession(file);
  const { process: _, ...known } = found.kind === "sound" ? found.value : UNKNOWN;
  replaceSession(file, {
    stop_reason: session.stopReason,
    ended_at: session.endedAt,
    ...known,
    name: session.name,
    status: "dropped",
  });
}

/** Of a session whose file tells nothing. */
const UNKNOWN: SessionRecord = { name: "", status: "dropped", playbook: "", started_at: "" };

function sessionRecord(session: SessionSummary, end: SessionEnd, endedAt: string): SessionRecord {
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

export function amountRecord(amount: Amount): Record<string, number> {
  return {
    runs: amount.runs,
    known_cost_usd: amount.costUsd,
    unknown_costs: amount.unknownCosts,
    cut_short: amount.cutShort,
    tokens: amount.tokens,
    duration_ms: Math.round(amount.durationMs),
  };
}

function readState(
  file: string,
  migrations = MIGRATIONS,
): { readonly state: State; readonly note: string | null } {
  const fresh: State = {
    version: STATE_VERSION,
    project_id: randomUUID(),
    total_runs: 0,
    last_run: null,
    score: null,
    running: [],
    last_session: null,
  };
  const found = readVersioned(file, { ...FORMAT, migrations });
  if (found.kind === "sound") return { state: { ...fresh, ...found.value }, note: null };
  if (found.kind === "none") return { state: fresh, note: null };
  const aside = writing(`set ${file} aside`, () => setAside(file));
  return {
    state: fresh,
    note: `${file} was damaged; it is kept as ${aside}, and counting starts anew`,
  };
}

const FORMAT: Format<State> = {
  version: STATE_VERSION,
  migrations: MIGRATIONS,
  read: (content) => {
    const state = content as unknown as State; // Its fields are checked here, the rest is only copied.
    const sound = typeof state.total_runs === "number" && Array.isArray(state.running);
    return sound ? state : null;
  },
};

/** Without those whose process is gone and who could not say so: a full disk, a power cut. */
function stillRunning(file: string, names: readonly unknown[]): readonly string[] {
  return names.filter((name): name is string => {
    if (typeof name !== "string" || !/^[a-z0-9-]+$/.test(name)) return false;
    const own = path.join(path.dirname(file), "sessions", name, "session.json");
    const found = readVersionedSession(own);
    return found === null || isRunning(found);
  });
}

/** `null`: it says nothing (yet). */
function readVersionedSession(file: string): SessionRecord | null {
  try {
    const found = readSession(file);
    return found.kind === "sound" ? found.value : null;
  } catch {
    // A newer mmm's: it is its business.
    return null;
  }
}
