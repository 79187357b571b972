/** The sessions of a repository as their small files tell them (spec 7): nothing is opened but `session.json`. */
import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { RecordedStatus, SessionRecord } from "../engine/session-record.ts";
import { asNumber, asObject, asString, type JsonObject, parseJson } from "../lib/json.ts";
import { liveSession } from "./lock.ts";
import { SESSION_VERSION } from "./session-file.ts";

/** Where the sessions of a repository lie, and who may be at work on them. */
export interface SessionsPlace {
  /** Absolute path of `.mmm/sessions`. */
  readonly folder: string;
  /** Lock files of all its working trees. */
  readonly locks: readonly string[];
}

/** No file that mmm writes there is larger. */
const MAX_BYTES = 1024 * 1024;

/** Newest first; a folder without a readable `session.json` is in it too. */
export async function listSessions(place: SessionsPlace): Promise<readonly SessionRecord[]> {
  const found = folders(place.folder).map((name) => readRecord(place.folder, name));
  const live = await liveAmong(place, found);
  return found
    .map((record) => judged(record, live))
    .map((record) => ({ record, time: startMs(record) }))
    .sort((a, b) => b.time - a.time || (a.record.name < b.record.name ? 1 : -1))
    .map(({ record }) => record);
}

/** One of them, read anew; `null`: there is no such folder. */
export async function readSession(
  place: SessionsPlace,
  name: string,
): Promise<SessionRecord | null> {
  if (!folders(place.folder).includes(name)) return null;
  const record = readRecord(place.folder, name);
  return judged(record, await liveAmong(place, [record]));
}

/** Names of the sessions that are at work in its trees right now. */
export async function sessionsAtWork({ locks }: SessionsPlace): Promise<ReadonlySet<string>> {
  const found = locks.map(liveSession);
  return Promise.resolve(new Set(found.filter((session) => session !== null)));
}

/** When it began, milliseconds since 1970: as it says, else by its name; 0: nobody knows. */
export function startMs({ startedAt, name }: SessionRecord): number {
  const told = startedAt === null ? Number.NaN : Date.parse(startedAt);
  if (Number.isFinite(told)) return told;
  return Number(/-(\d{9,11})(?:-\d+)?$/.exec(name)?.[1] ?? 0) * 1000;
}

function folders(folder: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** The locks are asked only when some session says that it runs, or does not say. */
async function liveAmong(
  place: SessionsPlace,
  records: readonly SessionRecord[],
): Promise<ReadonlySet<string>> {
  const unsure = records.some(({ status }) => status === "running" || status === "damaged");
  return unsure ? sessionsAtWork(place) : new Set();
}

function judged(record: SessionRecord, live: ReadonlySet<string>): SessionRecord {
  if (live.has(record.name)) return { ...record, status: "running", resumable: false };
  if (record.status !== "running") return record;
  return { ...record, status: "killed", resumable: true };
}

function readRecord(folder: string, name: string): SessionRecord {
  const directory = path.join(folder, name);
  const content = asObject(parseJson(textOf(path.join(directory, "session.json"))));
  const number = (field: string): number | null => asNumber(content?.[field]);
  const text = (field: string): string | null => asString(content?.[field]);
  const status = statusOf(content);
  return {
    name,
    status,
    resumable: status === "interrupted" || status === "suspended" || status === "failed",
    stopReason: text("stop_reason"),
    error: text("error"),
    exitCode: number("exit_code"),
    playbook: text("playbook"),
    iterations: number("iterations"),
    steps: number("steps"),
    commits: number("commits"),
    filesChanged: number("files_changed"),
    costUsd: number("cost_usd"),
    knownCostUsd: number("known_cost_usd") ?? number("cost_usd"),
    tokens: number("tokens"),
    durationMs: number("duration_ms"),
    startedAt: text("started_at"),
    endedAt: text("ended_at"),
    directory,
  };
}

function statusOf(content: JsonObject | null): RecordedStatus {
  const version = asNumber(content?.["version"]);
  if (version === null) return "damaged";
  if (version > SESSION_VERSION) return "newer";
  switch (content?.["status"]) {
    case "running":
      return "running";
    case "completed":
      return "completed";
    case "failed":
      return "failed";
    case "interrupted":
      return "interrupted";
    case "suspended":
      return "suspended";
    case "dropped":
      return "dropped";
    default:
      return "damaged";
  }
}

/** Empty when it is not there, no file, too large or not to be read. */
function textOf(file: string): string {
  try {
    const { size } = statSync(file);
    // Reading a pipe would wait for ever; its size is 0.
    return size > 0 && size <= MAX_BYTES ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}
