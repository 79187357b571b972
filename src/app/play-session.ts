/** A checked request becomes a session: folder, lock, journal, reporters, signals, engine (spec 4, 7). */
import path from "node:path";
import type { Event } from "../engine/events.ts";
import { mergeGates } from "../playbook/plan-merge-gates.ts";
import type { RepositoryStart } from "../git/repository.ts";
import { openTree } from "../git/tree.ts";
import { ownChildren } from "../process/children.ts";
import { Reserve } from "../process/reserve.ts";
import { watchSignals } from "../process/signals.ts";
import { writing } from "../session/disk.ts";
import { openJournal } from "../session/journal.ts";
import { type Claim, claimSession } from "../session/claim.ts";
import { type Lock, takeLock } from "../session/lock.ts";
import { recordEnd, recordStart, type SessionSummary, writeSession } from "../session/state.ts";
import type { WorktreeRecord } from "../session/worktree-file.ts";
import { chooseClaude, type ChosenClaude } from "./choose-claude.ts";
import type { Prepared } from "./prepared.ts";
import { keptFor, noteBreak, tellLeft } from "./broken-session.ts";
import { openReporter } from "./open-reporter.ts";
import { type Opened, play, type Resumed } from "./play-engine.ts";
import { worktreeOf } from "./run-of.ts";
import { ABOUT_THE_PROCESS, recorderOf } from "./recorder.ts";
import type { SavedRequest } from "./saved-request.ts";
import { buildPorts, lockFile, systemClock } from "./world.ts";
import type { InputTreesSetting } from "./worktree/input-trees.ts";
import type { Closing } from "./worktree/close.ts";
import type { OpenWorktree } from "./worktree/open.ts";

/** @param resumed `null`: a new session */
export async function playSession(asked: Prepared, resumed: Resumed | null): Promise<number> {
  const now = systemClock.now();
  // From here on a signal ends nothing by itself: what was made has to be put away first.
  const watch = watchSignals(() => {
    void ownChildren.endAll(true);
  });
  let claim: Claim | null = null;
  let held: Held;
  try {
    claim = resumed === null ? await claimName(asked, now) : null;
    held = await hold(asked, { claim, now, resumed, signal: watch.aborted });
  } catch (error) {
    claim?.drop();
    watch.stop();
    throw error;
  }
  const { prepared, made, name, directory, claude, lock, reserve } = held;
  const { start, file, request, plan } = prepared;
  let trees: Awaited<ReturnType<typeof inputTrees>> = null;
  try {
    const { tree, ports } = await worldOf(held, watch.aborted);
    const words = [
      ...(lock.note === null ? [] : [lock.note]),
      ...(resumed?.words ?? []),
      ...(file.shipped
        ? [`${request.playbook ?? ""} is not here; taking the one that mmm ships`]
        : []),
      ...claude.notes,
      ...(made?.notes ?? []),
      ...prepared.lookup.warnings,
    ];
    const saved: SavedRequest = {
      request,
      from: prepared.invocation.cwd,
      inputs: prepared.inputs,
      protectedFiles: tree.protectedFiles(),
      ...(made === null ? {} : { worktree: { root: start.root, cwd: prepared.cwd } }),
    };
    const { gone } = lock;
    const isResumed = resumed !== null;
    const merged = resumed?.reuse.merged ?? new Set();
    if (resumed !== null) await tidy(start, resumed);
    trees = await inputTrees(prepared, { session: name, directory, ports, isResumed, merged });
    const parallel = trees && { trees, atOnce: request.parallel ?? 1, gates: mergeGates(plan) };
    // The snapshots of a session without commits are all that tells its steps apart.
    const isHeld = prepared.commit === "auto";
    const release = async (): Promise<void> => (isHeld ? tree.release(isResumed) : undefined);
    const opened = { ports, name, words, now, gone, saved, resumed, watch, release, parallel };
    return await record(prepared, opened, reserve);
  } finally {
    watch.stop();
    trees?.release();
    // Finishing throws when the recording cannot be put in its place.
    await claude.finish().finally(() => lock.release());
  }
}

/** `null`: one input after the other, in the session's tree. */
async function inputTrees(prepared: Prepared, of: Omit<InputTreesSetting, "prepared">) {
  if ((prepared.request.parallel ?? null) === null) return null;
  const { openInputTrees } = await import("./worktree/input-trees.ts");
  return openInputTrees({ prepared, ...of });
}

/** A merge into the session's tree that was cut short is made again. */
async function tidy(start: RepositoryStart, { landings }: Resumed): Promise<void> {
  if (landings.length === 0) return;
  const { undoHalfMove } = await import("../git/half-moved.ts");
  for (const landing of landings) await undoHalfMove(start, landing);
}

/** The tree and the ports of a session. */
async function worldOf({ prepared, made, name, directory, claude }: Held, signal: AbortSignal) {
  const { start, request, mainRoot, secrets, cwd, config, invocation } = prepared;
  const { ready } = prepared;
  // A look takes long in a fresh worktree: git compares each file again.
  const seen = made === null ? {} : { status: made.status, isUntouched: made.isUntouched };
  const tree = await openTree({ start, session: name, ready, signal, ...seen });
  await tree.exclude();
  const ports = await buildPorts({
    start,
    tree,
    children: ownChildren,
    claude: claude.port,
    directory,
    mainRoot,
    stdout: invocation.stdout,
    skipAnalysis: request.skipAnalysis,
    redactor: secrets.redactor,
    cwd,
    project: config.project,
    version: invocation.version,
  });
  return { tree, ports };
}

async function claimName(asked: Prepared, now: Date): Promise<Claim> {
  if (asked.worktree === "wanted") {
    const { claimWorktreeName } = await import("./worktree/open.ts");
    return claimWorktreeName(asked, now);
  }
  const sessions = path.join(asked.mainRoot, ".mmm", "sessions");
  return claimSession(sessions, asked.file.absolute, { now });
}

interface Held {
  readonly name: string;
  /** Of the session. */
  readonly directory: string;
  readonly claude: ChosenClaude;
  /** With the tree that steps run in. */
  readonly prepared: Prepared;
  /** The worktree that was made for it now. */
  readonly made: OpenWorktree | null;
  readonly lock: Lock;
  readonly reserve: Reserve;
}

/** Claude and the tree, or neither. */
async function hold(
  asked: Prepared,
  of: {
    readonly claim: Claim | null;
    readonly now: Date;
    readonly resumed: Resumed | null;
    readonly signal: AbortSignal;
  },
): Promise<Held> {
  const { claim, now, resumed, signal } = of;
  const name = resumed?.summary.name ?? claim?.name ?? "";
  const directory = path.join(asked.mainRoot, ".mmm", "sessions", name);
  const reserve = new Reserve(path.join(directory, "reserve"));
  const claude = await chooseClaude(asked, { directory, resumed: resumed !== null, reserve });
  let made: OpenWorktree | null = null;
  let prepared = asked;
  if (asked.worktree === "wanted" && claim !== null) {
    const { openWorktree } = await import("./worktree/open.ts");
    made = await openWorktree(asked, claim, signal);
    const { start, ready, cwd, record: worktree } = made;
    prepared = { ...asked, start, ready, cwd, worktree };
  }
  const session = { session: name, owner: ownChildren.owner, now };
  const lock = await takeLock(lockFile(prepared.start), session);
  return { name, directory, claude, prepared, made, lock, reserve };
}

/** Keeps journal, state and reporters around the run. */
async function record(prepared: Prepared, opened: Opened, reserve: Reserve): Promise<number> {
  const { resumed } = opened;
  const mmm = path.join(prepared.mainRoot, ".mmm");
  const directory = path.join(mmm, "sessions", opened.name);
  let summary: SessionSummary = resumed?.summary ?? {
    name: opened.name,
    playbook: prepared.file.shown,
    startedAt: opened.now.toISOString(),
  };
  const files = filesOf(mmm, directory);
  const { redactor } = prepared.secrets;
  const journal = openJournal(path.join(directory, "journal.jsonl"), () => systemClock.now(), {
    redactor,
    reserve,
    ...(resumed === null ? {} : { content: resumed.content }),
  });
  const reporter = openReporter(prepared);
  const recorder = recorderOf({ journal, reporter, redactor }, (score) => {
    summary = { ...summary, score };
  });
  const tell = (event: Event): void => recorder.event(event, ABOUT_THE_PROCESS);
  const warn = (message: string | null): void => {
    if (message !== null) tell({ type: "note", severity: "warning", message });
  };
  const worktree = worktreeOf(prepared);
  let isOver = false;
  let broken: Event | null = null;
  const onBroken = (event: Event): void => void (broken = event);
  try {
    writing(`keep some room in ${directory}`, () => reserve.fill());
    const damaged = recordStart(files.state, summary, {
      gone: opened.gone,
      again: resumed !== null,
    });
    const replaced = writeSession(files.session, summary, null, null);
    if (resumed !== null) tell(resumed.told);
    else {
      journal.append({ type: "request", value: opened.saved });
      if (worktree !== null) tell(worktreeCreated(worktree));
    }
    [...opened.words, journal.note, damaged, replaced].forEach(warn);
    const end = redactor.value(
      await play(prepared, { ...opened, recorder, warn, onBroken, directory }),
    );
    noteEnd(files, summary, end);
    // Its worktree may be gone after the next lines.
    if (end.status === "completed") await opened.release();
    isOver = true;
    const { aborted: signal } = opened.watch;
    return await closed(prepared, { worktree, directory, end, tell, signal });
  } catch (error) {
    reserve.release();
    noteBreak(error, { files, summary, redactor });
    if (!isOver) tellLeft([broken, worktree && keptFor(worktree)], { tell, reporter, redactor });
    throw error;
  } finally {
    reporter.close();
    journal.close();
    reserve.drop();
  }
}

type Files = ReturnType<typeof filesOf>;

function noteEnd(files: Files, summary: SessionSummary, end: Closing["end"]): void {
  const endedAt = systemClock.now().toISOString();
  writeSession(files.session, summary, end, endedAt);
  recordEnd(files.state, summary, end, endedAt);
}

function filesOf(
  mmm: string,
  directory: string,
): { readonly [file in "state" | "session"]: string } {
  return { state: path.join(mmm, "state.json"), session: path.join(directory, "session.json") };
}

/** The exit code: of the run, or of a merge that went wrong. */
async function closed(
  prepared: Prepared,
  { worktree, ...closing }: Omit<Closing, "record"> & { readonly worktree: WorktreeRecord | null },
): Promise<number> {
  if (worktree === null) return closing.end.exitCode;
  const { closeWorktree } = await import("./worktree/close.ts");
  return closeWorktree(prepared, { ...closing, record: worktree });
}

function worktreeCreated({ name, path: place, target, base }: WorktreeRecord): Event {
  return { type: "worktree-created", session: name, path: place, target, base };
}
