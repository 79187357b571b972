/** `mmm sessions drop`: gives a stopped session up; what lies uncommitted in its tree is put aside (spec 7). */
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { restoreLine } from "../../engine/restore-line.ts";
import { isStopped, type SessionRecord } from "../../engine/session-record.ts";
import type { TimelineStart } from "../../engine/timeline-model.ts";
import { MmmError } from "../../errors.ts";
import { dirtThatStays, type Ready } from "../../git/ready.ts";
import { findRepository, type RepositoryStart } from "../../git/repository.ts";
import { createPlace } from "../../git/place.ts";
import { deleteRefs } from "../../git/session-refs.ts";
import { openTree } from "../../git/tree.ts";
import { ownChildren } from "../../process/children.ts";
import { say } from "../../report/line.ts";
import { statusWords } from "../../report/sessions-wording.ts";
import { listSessions, startMs } from "../../session/history.ts";
import { type Lock, takeLock } from "../../session/lock.ts";
import { JournalReader } from "../../session/journal-events.ts";
import { recordGone, writeDropped } from "../../session/state.ts";
import type { Invocation } from "../cook-request.ts";
import { lookAtLock } from "../look-at-lock.ts";
import { requestIn } from "../saved-request.ts";
import { gitFrom, lockFile, systemClock } from "../world.ts";
import { findSession, type OpenedSessions, openSessions } from "./place.ts";
import { openPrinter, snakeKeys } from "./print.ts";
import { openFold } from "./show.ts";

/** What became of the session's working tree. */
interface PutAside {
  /** Top of that tree; `null`: nobody knows it. */
  readonly root: string | null;
  /** The ref that holds what lay there; `null`: nothing did, or the tree was left alone. */
  readonly kept: string | null;
  /** The line that brings it back. */
  readonly restore: string | null;
  /** Why the tree was left as it is. */
  readonly leftAlone: string | null;
}

export async function dropCommand(
  { name, json }: { readonly name: string; readonly json: boolean },
  invocation: Invocation,
): Promise<number> {
  const opened = await openSessions(invocation);
  const record = await findSession(opened, name);
  const printer = openPrinter(invocation);
  const already = record.status === "dropped";
  if (!already) checkStopped(record);
  const aside = already ? NOTHING : await giveUp(opened, record, invocation);
  if (json) {
    const report = { name: record.name, alreadyDropped: already, ...aside };
    invocation.stdout.write(`${JSON.stringify(snakeKeys(report), null, 2)}\n`);
    return 0;
  }
  printer.lines([
    say(already ? `${record.name} was dropped before` : `dropped ${record.name}`, "strong"),
    ...(aside.leftAlone === null ? [] : [say(`  ${aside.leftAlone}`, "warn")]),
    ...(aside.kept === null
      ? []
      : [say(`  what lay uncommitted in ${aside.root ?? ""} is kept as ${aside.kept}`)]),
    ...(aside.restore === null
      ? []
      : [say("  to bring it back, whole or a path of it:"), say(`    ${aside.restore}`)]),
  ]);
  return 0;
}

const NOTHING: PutAside = { root: null, kept: null, restore: null, leftAlone: null };

function checkStopped(record: SessionRecord): void {
  if (isStopped(record) || record.status === "damaged") return;
  const running = record.status === "running";
  throw new MmmError("not-stopped", 3, {
    message: `${record.name} is ${statusWords(record)}: only a session that was stopped can be dropped`,
    next: running
      ? ["stop it with Ctrl-C where it runs"]
      : [`mmm sessions rm ${record.name} removes it`],
  });
}

async function giveUp(
  opened: OpenedSessions,
  record: SessionRecord,
  invocation: Invocation,
): Promise<PutAside> {
  const start = startOf(record);
  const where =
    start === null
      ? "its journal does not say in which tree it ran: nothing was put aside"
      : ((await laterSession(opened, record, start)) ?? (await treeOf(opened, start, invocation)));
  const now = systemClock.now();
  if (typeof where === "string") {
    noteDropped(opened, record, now);
    return { ...NOTHING, root: start?.root ?? null, leftAlone: where };
  }
  const lock = await holdTree(where, { record, now, invocation });
  try {
    const aside = await putAside({ where, record, invocation });
    // Held for a resume, which will not come.
    await deleteRefs(createPlace(where), [`refs/mmm/snap/${record.name}`]);
    noteDropped(opened, record, now);
    return aside;
  } finally {
    lock.release();
  }
}

/** What its journal says that it began with; `null`: nothing. */
function startOf(record: SessionRecord): TimelineStart | null {
  const fold = openFold();
  for (const event of new JournalReader(path.join(record.directory, "journal.jsonl")).events()) {
    fold.add(event);
    if (fold.start !== null) break;
  }
  return fold.start;
}

/** A session that began there since: what lies there now is not of this one; `null`: none did. */
async function laterSession(
  opened: OpenedSessions,
  record: SessionRecord,
  { root }: TimelineStart,
): Promise<string | null> {
  const began = startMs(record);
  for (const other of await listSessions(opened)) {
    if (other.name === record.name || startMs(other) <= began) break;
    if (startOf(other)?.root !== root) continue;
    return `${other.name} ran in ${root} after it: that tree is left as it is`;
  }
  return null;
}

/** The session's own tree, or why it is not to be touched. */
async function treeOf(
  { start: here }: OpenedSessions,
  { root, branch, commit }: TimelineStart,
  { env }: Invocation,
): Promise<RepositoryStart | string> {
  if (commit === "off") return `it ran without commits: what it did stays in ${root}`;
  if (!existsSync(root)) return `${root}, where it ran, is not there any more`;
  const found = realpathSync(root) === here.root ? here : await findRepository(root, env);
  if (found.commonDir !== here.commonDir || found.root !== realpathSync(root))
    return `${root}, where it ran, belongs to another repository now: it is left as it is`;
  if (found.branch === branch) return found;
  const [was, is] = [branch, found.branch].map((name) => name ?? "a detached HEAD");
  return `its tree has moved on from ${was ?? ""} to ${is ?? ""}: it is left as it is`;
}

/** Ends what a killed mmm has left running there, and keeps others out. */
async function holdTree(
  where: RepositoryStart,
  given: {
    readonly record: SessionRecord;
    readonly now: Date;
    readonly invocation: Invocation;
  },
): Promise<Lock> {
  const file = lockFile(where);
  await lookAtLock(where, given.invocation);
  const { record, now } = given;
  return takeLock(file, { session: record.name, owner: ownChildren.owner, now });
}

async function putAside(given: {
  readonly where: RepositoryStart;
  readonly record: SessionRecord;
  readonly invocation: Invocation;
}): Promise<PutAside> {
  const { where, record, invocation } = given;
  const own = await protectedFiles(where, record);
  const tree = await openTree({ start: where, session: record.name, ready: own });
  const look = await tree.look();
  if (look.changes.length === 0) return { ...NOTHING, root: where.root };
  const kept = await tree.keepFailed();
  await tree.rollback({ head: look.head, branch: look.branch, tree: null });
  const restore = restoreLine({
    kept,
    start: look.head,
    paths: look.changes.map((change) => change.path),
    git: gitFrom(invocation.cwd, where.root),
    input: null,
  });
  return { ...NOTHING, root: where.root, kept, restore };
}

/** What is none of the session's stays as it is (spec 5): its playbook, `.mmm/**`, `.claude/**`, `--allow-dirty`. */
async function protectedFiles(where: RepositoryStart, record: SessionRecord): Promise<Ready> {
  const asked = requestIn(record.directory);
  const playbook = path.resolve(asked?.from ?? where.root, asked?.request.playbook ?? "");
  const { protectedPaths } = await dirtThatStays(where, [playbook]);
  const saved = asked?.protectedFiles ?? [];
  return { protectedPaths: [...protectedPaths, ...saved.map((file) => file.path)], saved };
}

function noteDropped({ mmm }: OpenedSessions, record: SessionRecord, now: Date): void {
  writeDropped(path.join(record.directory, "session.json"), {
    name: record.name,
    stopReason: record.status,
    endedAt: now.toISOString(),
  });
  recordGone(path.join(mmm, "state.json"), { names: new Set([record.name]), dropped: true });
}
