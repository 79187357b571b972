/** `mmm sessions rm`: folders and refs of sessions that nobody needs any more; safe to repeat. */
import { lstatSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { isStopped, type SessionRecord } from "../../engine/session-record.ts";
import { MmmError } from "../../errors.ts";
import { createPlace, type Place } from "../../git/place.ts";
import { deleteRefs, sessionRefs } from "../../git/session-refs.ts";
import { formatCount } from "../../report/format.ts";
import { say } from "../../report/line.ts";
import { formatBytes } from "../../report/sessions-wording.ts";
import { listSessions, sessionsAtWork, startMs } from "../../session/history.ts";
import { recordGone } from "../../session/state.ts";
import type { Invocation } from "../cook-request.ts";
import { type OpenedSessions, openSessions, unknownWords } from "./place.ts";
import { openPrinter, type Printer, snakeKeys } from "./print.ts";
import { type WorktreeLeft, worktreeLeft, worktreeWords } from "./worktree-left.ts";

export interface RemoveRequest {
  /** Whole names. */
  readonly names: readonly string[];
  readonly olderThanMs: number | null;
  readonly dryRun: boolean;
  /** Also those that can be resumed. */
  readonly force: boolean;
  readonly json: boolean;
}

interface Removed {
  readonly name: string;
  readonly bytes: number;
  readonly refs: readonly string[];
  /** It stays. */
  readonly worktree: WorktreeLeft | null;
}

interface Kept {
  readonly name: string;
  readonly reason: string;
  /** Lines to type. */
  readonly next: readonly string[];
}

export async function removeCommand(
  request: RemoveRequest,
  invocation: Invocation,
): Promise<number> {
  checkRequest(request);
  const opened = await openSessions(invocation);
  const place = createPlace(opened.start);
  const records = await listSessions(opened);
  const refs = await sessionRefs(place);
  const chosen = choose(request, records);
  const lefts = new Map<string, WorktreeLeft | null>();
  for (const { name } of chosen) lefts.set(name, await worktreeLeft(opened, name));
  const kept = chosen.flatMap((record) =>
    reasonToKeep(record, request, lefts.get(record.name) ?? null),
  );
  // Asked for by name: nothing is removed when one of them must stay.
  if (request.names.length > 0 && kept.length > 0) throw refusal(kept);
  const keptNames = new Set(kept.map(({ name }) => name));
  const doomed = [
    ...chosen.filter(({ name }) => !keptNames.has(name)),
    ...leftRefs(request, records, refs),
  ];
  const removed: Removed[] = [];
  const printer = openPrinter(invocation);
  for (const { name } of doomed) {
    const own = refs.get(name) ?? [];
    const bytes = bytesIn(path.join(opened.folder, name));
    if (!request.dryRun) await removeOne({ opened, place, name, refs: own });
    const one = { name, bytes, refs: own, worktree: lefts.get(name) ?? null };
    removed.push(one);
    if (!request.json) tellOne(one, request, printer);
  }
  const absent = request.names.filter((name) => !doomed.some((each) => each.name === name));
  if (request.json) {
    const reasons = kept.map(({ name, reason }) => ({ name, reason }));
    const report = { dryRun: request.dryRun, removed, kept: reasons, absent };
    invocation.stdout.write(`${JSON.stringify(snakeKeys(report), null, 2)}\n`);
    return 0;
  }
  for (const name of new Set(absent))
    printer.lines([say(`${unknownWords(name, records)}: nothing to remove`, "warn")]);
  tellSum(removed, kept, { request, printer });
  return 0;
}

function checkRequest({ names, olderThanMs }: RemoveRequest): void {
  if (names.length > 0 !== (olderThanMs !== null)) return;
  throw new MmmError("what-to-remove", 2, {
    message:
      names.length === 0
        ? "mmm sessions rm was not told which sessions"
        : "names and --older-than exclude each other",
    next: ["mmm sessions rm NAME...", "mmm sessions rm --older-than 30d --dry-run"],
  });
}

function choose(
  { names, olderThanMs }: RemoveRequest,
  records: readonly SessionRecord[],
): readonly SessionRecord[] {
  if (olderThanMs === null) return records.filter(({ name }) => names.includes(name));
  const before = Date.now() - olderThanMs;
  return records.filter((record) => {
    const ended = record.endedAt === null ? Number.NaN : Date.parse(record.endedAt);
    // A clock that was put back meanwhile makes nothing older.
    const last = Math.max(Number.isFinite(ended) ? ended : 0, startMs(record));
    // Of unknown age: it takes its name to remove it.
    return last > 0 && last < before;
  });
}

function reasonToKeep(
  record: SessionRecord,
  { force }: RemoveRequest,
  left: WorktreeLeft | null,
): readonly Kept[] {
  const { name } = record;
  if (record.status === "running") return [running(name)];
  if (force) return [];
  const next = ["--force removes it all the same"];
  if (isStopped(record))
    return [{ name, reason: `it is ${record.status}, and mmm resume can go on with it`, next }];
  if (record.status === "newer") return [{ name, reason: "a newer mmm has written it", next }];
  // Its record knows where that is to be merged.
  if (left === null) return [];
  return [
    {
      name,
      reason: `${worktreeWords(left)} is still there`,
      next: [
        `mmm worktree merge ${name}`,
        `mmm worktree clean ${name}   (refuses what is not merged)`,
        "--force removes the session all the same, and leaves them as they are",
      ],
    },
  ];
}

function running(name: string): Kept {
  const next = ["wait for its end, or stop it with Ctrl-C"];
  return { name, reason: IS_RUNNING, next };
}

const IS_RUNNING = "it is running";

function refusal(kept: readonly Kept[]): MmmError {
  const first = kept.find(({ reason }) => reason === IS_RUNNING) ?? kept[0];
  return new MmmError("session-needed", 3, {
    message: `${first?.name ?? ""} is not removed, and nothing else: ${first?.reason ?? ""}`,
    next: first?.next ?? [],
  });
}

/** Of names whose folder is gone: an earlier rm was cut short. */
function leftRefs(
  { names }: RemoveRequest,
  records: readonly SessionRecord[],
  refs: ReadonlyMap<string, readonly string[]>,
): readonly Pick<SessionRecord, "name">[] {
  const known = new Set(records.map(({ name }) => name));
  return [...new Set(names)]
    .filter((name) => !known.has(name) && refs.has(name))
    .map((name) => ({ name }));
}

async function removeOne(doomed: {
  readonly opened: OpenedSessions;
  readonly place: Place;
  readonly name: string;
  readonly refs: readonly string[];
}): Promise<void> {
  const { opened, place, name, refs } = doomed;
  // Somebody may have resumed it a moment ago.
  if ((await sessionsAtWork(opened)).has(name)) throw refusal([running(name)]);
  await deleteRefs(place, refs);
  await rm(path.join(opened.folder, name), { recursive: true, force: true, maxRetries: 3 });
  recordGone(path.join(opened.mmm, "state.json"), { names: new Set([name]), dropped: false });
}

function bytesIn(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + lstatSync(path.join(entry.parentPath, entry.name)).size, 0);
  } catch {
    // Not there, or not to be read: nothing is known to be freed.
    return 0;
  }
}

function tellOne(removed: Removed, { dryRun }: RemoveRequest, printer: Printer): void {
  const { name, bytes, refs, worktree } = removed;
  const kept = refs.length === 0 ? "" : `, ${formatCount(refs.length, "ref")}`;
  const what = dryRun ? "would remove" : "removed";
  printer.lines([
    say(`${what} ${name} (${formatBytes(bytes)}${kept})`),
    ...(worktree === null
      ? []
      : [say(`  ${worktreeWords(worktree)} stays; mmm worktree clean ${name} removes it`, "warn")]),
  ]);
}

function tellSum(
  removed: readonly Removed[],
  kept: readonly Kept[],
  { request, printer }: { readonly request: RemoveRequest; readonly printer: Printer },
): void {
  const bytes = removed.reduce((sum, each) => sum + each.bytes, 0);
  const count = formatCount(removed.length, "session");
  const freed = request.dryRun ? "would free" : "freed";
  printer.lines([
    ...kept.map(({ name, reason }) => say(`kept ${name}: ${reason}`, "warn")),
    say(`${count}, ${freed} ${formatBytes(bytes)}`, "strong"),
  ]);
}
