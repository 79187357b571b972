/** `session.json`: what a session was asked, and how it went (spec 7). */
import { type Holder, holderIn, isAlive, ownHolder } from "./holder.ts";
import { setAside } from "./set-aside.ts";
import { writing } from "./disk.ts";
import {
  type Format,
  type Found,
  type Migration,
  readVersioned,
  writeVersioned,
} from "./versioned-file.ts";

export const SESSION_VERSION = 1;

/** As it lies on disk; what is not there yet is absent. */
export interface SessionRecord {
  readonly name: string;
  /** `running`, `completed`, `failed`, `interrupted`, `suspended`, `dropped`. */
  readonly status: string;
  readonly playbook: string;
  readonly started_at: string;
  /** While it runs: who runs it. */
  readonly process?: Holder;
  readonly stop_reason?: string;
  /** What broke it off: disk, git, a bug. */
  readonly error?: string;
  readonly exit_code?: number;
  readonly iterations?: number;
  readonly steps?: number;
  readonly commits?: number;
  readonly files_changed?: number;
  /** `null`: the cost of a step is unknown. */
  readonly cost_usd?: number | null;
  /** What is known of it even when the whole is not. */
  readonly known_cost_usd?: number;
  /** How many runs of Claude did not say what they cost. */
  readonly unknown_costs?: number;
  readonly tokens?: number;
  /** Of a suspended session. */
  readonly limit?: object | null;
  readonly models?: readonly object[];
  readonly claude_steps?: readonly object[];
  readonly worked_ms?: number;
  readonly duration_ms?: number;
  readonly ended_at?: string;
}

/** There is one version so far. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map();

/** Throws `MmmError` (exit 3) when a newer mmm wrote it. Changes nothing. */
export function readSession(
  file: string,
  migrations: ReadonlyMap<number, Migration> = MIGRATIONS,
): Found<SessionRecord> {
  return readVersioned(file, { ...FORMAT, migrations });
}

/** It says that it runs, and its process is there; on another host it is believed. */
export function isRunning(session: SessionRecord): boolean {
  if (session.status !== "running") return false;
  return session.process === undefined || isAlive(session.process);
}

/**
 * Replaces the file. Returns a word when what was there was damaged and is set aside, else `null`.
 * Throws `MmmError` (exit 3).
 */
export function replaceSession(file: string, record: SessionRecord): string | null {
  const found = readSession(file);
  const aside =
    found.kind === "damaged" ? writing(`set ${file} aside`, () => setAside(file)) : null;
  const running = record.status === "running";
  const content = {
    version: SESSION_VERSION,
    ...record,
    ...(running ? { process: ownHolder() } : {}),
  };
  writeVersioned(file, content, !running);
  return aside === null ? null : `${file} was damaged; it is kept as ${aside}`;
}

const KINDS: Readonly<Record<string, "string" | "number">> = {
  stop_reason: "string",
  error: "string",
  exit_code: "number",
  iterations: "number",
  steps: "number",
  commits: "number",
  files_changed: "number",
  cost_usd: "number",
  known_cost_usd: "number",
  unknown_costs: "number",
  worked_ms: "number",
  tokens: "number",
  duration_ms: "number",
  ended_at: "string",
};

const FORMAT: Format<SessionRecord> = {
  version: SESSION_VERSION,
  migrations: MIGRATIONS,
  read: (content) => {
    const { version: _, ...record } = content;
    const named = ["name", "status", "playbook", "started_at"].every(
      (key) => typeof record[key] === "string",
    );
    const kinds = Object.entries(KINDS).every(([key, kind]) => {
      const value = record[key];
      if (key === "cost_usd" && value === null) return true;
      return value === undefined || typeof value === kind;
    });
    const holder = record["process"] === undefined || holderIn(record["process"]) !== null;
    // Each field was looked at; fields of a later version of this mmm are kept as they are.
    return named && kinds && holder ? (record as unknown as SessionRecord) : null;
  },
};
