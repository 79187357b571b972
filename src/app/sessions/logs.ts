/** `mmm sessions logs`: what there is, one step's whole, or what is running as it comes. */
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SessionRecord } from "../../engine/session-record.ts";
import { MmmError } from "../../errors.ts";
import { asNumber, asObject, asString, type JsonObject } from "../../lib/json.ts";
import { nearest } from "../../lib/nearest.ts";
import { say } from "../../report/line.ts";
import { cutToWidth, inline } from "../../report/safe-text.ts";
import { formatBytes, statusWords } from "../../report/sessions-wording.ts";
import { readSession, type SessionsPlace } from "../../session/history.ts";
import { JournalReader } from "../../session/journal-events.ts";
import type { Invocation } from "../cook-request.ts";
import { logBytes, type LogFile, logOf, LogReader } from "./log-files.ts";
import { findSession, openSessions } from "./place.ts";
import { openPrinter, snakeKeys } from "./print.ts";

export interface LogsRequest {
  readonly name: string | null;
  /** `3`, `3.on_failure.1`, an `id`, or a log's file name; `null`: all. */
  readonly step: string | null;
  readonly follow: boolean;
  readonly json: boolean;
}

export async function logsCommand(request: LogsRequest, invocation: Invocation): Promise<number> {
  const place = await openSessions(invocation);
  const record = await findSession(place, request.name);
  if (request.follow) return follow(request, { place, record, invocation });
  const logs = [...logsIn(journalOf(record), record)];
  const wanted = logs.filter((log) => isMeant(log, request.step));
  if (request.step !== null && wanted.length === 0) throw noLog(request.step, record, logs);
  if (request.json) {
    const listed = wanted.map((log) => snakeKeys({ ...log, bytes: logBytes(log) }));
    invocation.stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
    return 0;
  }
  if (request.step === null) list(wanted, record, invocation);
  else for (const log of wanted) print(log, wanted.length > 1, invocation);
  return 0;
}

function journalOf(record: SessionRecord): JournalReader {
  return new JournalReader(path.join(record.directory, "journal.jsonl"));
}

function* logsIn(reader: JournalReader, record: SessionRecord): Generator<LogFile> {
  for (const event of reader.events()) {
    if (event["type"] !== "attempt-started" && event["type"] !== "retry-started") continue;
    const log = logOf(event, record.directory);
    if (log !== null) yield log;
  }
}

function isMeant(log: LogFile, step: string | null): boolean {
  return step === null || [log.step, log.id, path.basename(log.file)].includes(step);
}

function noLog(step: string, record: SessionRecord, logs: readonly LogFile[]): MmmError {
  const known = new Set(logs.flatMap((log) => [log.step, ...(log.id === null ? [] : [log.id])]));
  const near = nearest(step, known);
  const hint = near === null ? "" : ` (did you mean ${near}?)`;
  return new MmmError("no-log", 2, {
    message: `${record.name} has no log of a step ${step.slice(0, 100)}${hint}`,
    next: [`mmm sessions logs ${record.name}`],
  });
}

function list(logs: readonly LogFile[], record: SessionRecord, invocation: Invocation): void {
  const printer = openPrinter(invocation);
  const name = ({ file }: LogFile): string => path.relative(record.directory, file);
  const width = logs.reduce((most, log) => Math.max(most, name(log).length), 0);
  if (logs.length === 0) {
    invocation.stderr.write(`${inline(record.name)} has no logs: no step of it has been run\n`);
    return;
  }
  printer.lines([
    say(inline(record.directory, 4000), "dim"),
    ...logs.map((log) => {
      const size = formatBytes(logBytes(log)).padStart(9);
      const text = `${name(log).padEnd(width)}  ${size}  ${words(log)}`;
      return say(printer.columns === null ? text : cutToWidth(text, printer.columns));
    }),
  ]);
}

/** `3 npm test (attempt 2, iteration 1)`. */
function words({ step, label, attempt, iteration, input }: LogFile): string {
  const more = [`attempt ${attempt}`, `iteration ${iteration}`];
  if (input !== null) more.push(`input ${input}`);
  return `${inline(step)} ${inline(label, 60)} (${more.join(", ")})`;
}

function print(log: LogFile, headed: boolean, { stdout, stderr }: Invocation): void {
  if (headed) stderr.write(`==> ${words(log)} <==\n`);
  const write = (text: string | Buffer): void => void stdout.write(text);
  new LogReader(log, { terminal: stdout.isTTY, write }).finish();
}

interface Followed {
  readonly place: SessionsPlace;
  readonly record: SessionRecord;
  readonly invocation: Invocation;
}

const PAUSE_MS = 150;
/** Looks at the lock each so many pauses; the journal tells an orderly end at once. */
const PAUSES_A_LOOK = 8;

/** Until the session ends or nobody reads any more; what is at work now is shown from its beginning. */
async function follow(
  request: LogsRequest,
  { place, record, invocation }: Followed,
): Promise<number> {
  const { stdout, stderr } = invocation;
  const unread = new AbortController();
  stdout.on("error", () => unread.abort());
  const shown = new Followers(request, record, invocation);
  const journal = journalOf(record);
  let now: SessionRecord | null = record;
  for (let round = 0; !unread.signal.aborted; round += 1) {
    // Looked at before reading: what it said last is not missed.
    if (round % PAUSES_A_LOOK === 0) now = await readSession(place, record.name);
    const over = now?.status !== "running";
    for (const event of journal.events()) shown.take(event);
    shown.read();
    if (over || shown.ended) break;
    await pause(PAUSE_MS);
  }
  shown.finish();
  const end = (await readSession(place, record.name)) ?? record;
  stderr.write(
    `${inline(record.name)}: ${shown.ended && end.status === "running" ? "ended" : statusWords(end)}\n`,
  );
  return 0;
}

/** The logs of the attempts that are at work, several with inputs in parallel. */
class Followers {
  ended = false;
  readonly #request: LogsRequest;
  readonly #record: SessionRecord;
  readonly #invocation: Invocation;
  readonly #open = new Map<string, LogReader>();
  #last: LogReader | null = null;
  #shown: LogReader | null = null;
  #live = false;

  constructor(request: LogsRequest, record: SessionRecord, invocation: Invocation) {
    this.#request = request;
    this.#record = record;
    this.#invocation = invocation;
  }

  take(event: JsonObject): void {
    switch (event["type"]) {
      case "attempt-started":
      case "retry-started":
        this.#begin(event);
        return;
      case "run-failed":
      case "attempt-finished": {
        const key = keyOf(event);
        const reader = this.#open.get(key);
        this.#open.delete(key);
        // What ended before anybody looked is not shown.
        if (reader !== undefined && this.#live) this.#show(reader, true);
        return;
      }
      case "session-resumed":
        this.ended = false;
        return;
      case "session-finished":
        this.ended = true;
        return;
      default:
    }
  }

  read(): void {
    this.#live = true;
    for (const reader of this.#open.values()) if (reader.hasMore) this.#show(reader, false);
  }

  /** Of a session that had ended before, the last log. */
  finish(): void {
    for (const reader of this.#open.values()) this.#show(reader, true);
    if (this.#shown === null && this.#last !== null) this.#show(this.#last, true);
  }

  #begin(event: JsonObject): void {
    const log = logOf(event, this.#record.directory);
    if (log === null || !isMeant(log, this.#request.step)) return;
    const { stdout } = this.#invocation;
    const write = (text: string | Buffer): void => void stdout.write(text);
    this.#last = new LogReader(log, { terminal: stdout.isTTY, write });
    this.#open.set(keyOf(event), this.#last);
  }

  #show(reader: LogReader, isOver: boolean): void {
    if (this.#shown !== reader) this.#invocation.stderr.write(`==> ${words(reader.log)} <==\n`);
    this.#shown = reader;
    if (isOver) reader.finish();
    else reader.read();
  }
}

function keyOf(event: JsonObject): string {
  const at = asObject(event["at"]);
  const attempt = asNumber(event["attempt"]) ?? 0;
  const lane = asNumber(at?.["input"]) ?? "";
  return `${lane}/${asNumber(at?.["iteration"]) ?? 0}/${asString(at?.["step"]) ?? ""}/${attempt}`;
}
