/** One input in a tree of its own: its steps, then its way home (spec 8.4). */
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import type { PlannedGate } from "../playbook/plan-model.ts";
import type { Run } from "./context.ts";
import type { InputValue } from "./events.ts";
import type { InputPlace, InputTrees, InputWorld } from "./input-trees.ts";
import { frameOf, iterate, type IterationsEnd } from "./iterations.ts";
import type { Lane } from "./lane.ts";
import { judgeMerge } from "./merge-gates.ts";
import type { MergeTurns, Release } from "./merge-turns.ts";
import type { StopReason } from "./outcome.ts";
import type { TreePoint, TreePort } from "./ports.ts";
import { putBack } from "./put-back.ts";
import { warn } from "./warn.ts";

/** What all inputs of a session share. */
export interface InputsShare {
  readonly trees: InputTrees;
  readonly turns: MergeTurns;
  readonly gates: readonly PlannedGate[];
  /** A recording stands in for Claude: it has to hear of each call that was made. */
  readonly isReplayed: boolean;
  /** Of the session. */
  readonly session: string;
  /** At work on the input in earlier processes. */
  readonly earlierMs: (input: InputValue) => number;
  readonly lane: (name: string) => Lane;
  readonly strand: (lane: Lane, world: InputWorld) => Run;
}

/** How it went with the branch; `kept`: it failed, and its worktree stays. */
interface Home {
  readonly ok: boolean;
  readonly stop: StopReason;
  readonly message: string | null;
  readonly kept: boolean;
  /** Its steps have removed their tree; there is the branch only. */
  readonly gone?: true;
  /** Lines to type before it is merged again. */
  readonly next?: readonly string[];
}

interface AtWork {
  readonly share: InputsShare;
  readonly lane: Lane;
  readonly run: Run;
  readonly input: InputValue;
  readonly place: InputPlace;
  /** As it is, whatever the lane has journalled. */
  readonly tree: TreePort;
}

/** Its work is done and, if it went well, merged; what is left is to put its tree away. */
export interface Played {
  readonly end: IterationsEnd;
  /** Its last events are written, and its tree is gone if it can go. */
  readonly settled: Promise<void>;
}

export async function playInput(share: InputsShare, input: InputValue): Promise<Played> {
  const lane = share.lane(`input-${input.index}`);
  const release = (): void => lane.release();
  try {
    const { end, settled } = await playIn(lane, share, input);
    return { end, settled: settled.finally(release) };
  } catch (error) {
    release();
    throw error;
  }
}

async function playIn(lane: Lane, share: InputsShare, input: InputValue): Promise<Played> {
  const { over } = lane;
  // It is merged, or has failed: nothing of it is looked at again, whatever the playbook says now.
  if (over !== null && !share.isReplayed) {
    lane.passAll();
    return settled({ status: over.ok ? "completed" : "failed", stop: over.stop, limit: null });
  }
  lane.event({ type: "input-started", input });
  const place = await lane.answer<InputPlace | null>("place", {
    live: () => share.trees.open(input, lane.signal),
    isDefinite: (found) => found !== null,
  });
  if (place === null) return settled(INTERRUPTED);
  const { name, path, base, notes } = place;
  const world = share.trees.world(place);
  const run = share.strand(lane, world);
  for (const message of notes) warn({ run, input }, message);
  lane.event({ type: "input-opened", input, name, path, base });
  const { clock } = run.ports;
  const began = clock.monotonicMs();
  const at = { share, lane, run, input, place, tree: world.ports.tree };
  const found = await homeOf(at).catch(async (error: unknown): Promise<Home> => {
    const missing = error instanceof MmmError ? await share.trees.missing(place) : [];
    if (missing.length === 0) throw error;
    // What was done to its own tree is no trouble of the others.
    return withoutSome(place, missing);
  });
  // It has not finished: a resume goes on in the middle of it.
  if ("status" in found) {
    await tellLeft(at);
    return settled(found);
  }
  // What is done while mmm stops is not journalled: a resume would look for a tree that is gone.
  const home = found.ok && run.signal.aborted ? STOPPED : found;
  const { stop } = home;
  if (stop === "interrupted") await tellLeft(at);
  const durationMs = share.earlierMs(input) + clock.monotonicMs() - began;
  const end: IterationsEnd =
    stop === "interrupted"
      ? INTERRUPTED
      : { status: home.ok ? "completed" : "failed", stop, limit: null };
  return { end, settled: putAway(at, home, durationMs) };
}

/** @param durationMs of its work */
async function putAway(at: AtWork, home: Home, durationMs: number): Promise<void> {
  const { share, lane, input, place } = at;
  const { ok, stop, message } = home;
  const isKept = ok
    ? (await lane.answer("close", { live: () => share.trees.close(place) })) === "kept"
    : home.kept;
  if (isKept) tellKept(at, home);
  lane.event({ type: "input-finished", input, ok, stop, message, durationMs });
}

function settled(end: IterationsEnd): Played {
  return { end, settled: Promise.resolve() };
}

/** What somebody does in its tree from now on is his: a resume has to see it (spec 7). */
async function tellLeft({ lane, input, tree }: AtWork): Promise<void> {
  const left = await look(tree).catch((error: unknown) => {
    // Gone, or not to be read: nobody knows then, as after a kill.
    if (error instanceof MmmError) return null;
    throw error;
  });
  if (left !== null) lane.aside({ type: "input-left", input, left });
}

async function look(tree: TreePort): Promise<TreePoint> {
  return tree.mark(await tree.look());
}

function withoutSome({ name, path }: InputPlace, missing: readonly string[]): Home {
  const isTreeGone = missing.includes("worktree");
  const isAllGone = isTreeGone && missing.includes("branch");
  const what = isAllGone
    ? `its worktree and its branch are gone: ${path}`
    : isTreeGone
      ? `its worktree is gone: ${path}`
      : `its branch is gone: ${name}`;
  const home = { ok: false, stop: "step-failed", message: what, kept: !isAllGone } as const;
  return isTreeGone ? { ...home, gone: true } : home;
}

async function homeOf(at: AtWork): Promise<Home | IterationsEnd> {
  const worked = await iterate({ run: at.run, input: at.input, stays: true });
  const { status, stop } = worked;
  if (status === "suspended") return worked;
  if (status === "completed") return bringHome(at, stop);
  return { ok: false, stop, message: null, kept: status === "failed" };
}

const INTERRUPTED: IterationsEnd = { status: "interrupted", stop: "interrupted", limit: null };
const STOPPED: Home = { ok: false, stop: "interrupted", message: null, kept: false };

/** Merges until the session's branch has it; another input may always have been faster after a resume. */
async function bringHome(at: AtWork, stop: StopReason): Promise<Home> {
  const { share, lane, run, input, place } = at;
  for (;;) {
    let release: Release | null = null;
    const myTurn = async (): Promise<boolean> => {
      if (!lane.isLive || release !== null) return true;
      release = await share.turns.take({ index: input.index, branch: place.name }, run.signal);
      return release !== null;
    };
    try {
      const merged = await merge(at, myTurn);
      if (merged === "moved") continue;
      if (merged !== null) return merged;
    } finally {
      letGo(release);
    }
    return { ok: true, stop, message: null, kept: false };
  }
}

function letGo(release: Release | null): void {
  release?.();
}

/**
 * `null`: the session's branch has all of it.
 *
 * @param myTurn before each thing of which only one may be done at a time, wherever a resume goes on; false: mmm was
 * told to stop
 */
async function merge(
  { share, lane, run, input, place }: AtWork,
  myTurn: () => Promise<boolean>,
): Promise<Home | "moved" | null> {
  const { trees, gates } = share;
  if (!(await myTurn())) return STOPPED;
  lane.event({ type: "input-merging", input, into: trees.into });
  if (!(await myTurn())) return STOPPED;
  const made = await lane.answer("merge", { live: () => trees.merge(place) });
  if (run.signal.aborted) return STOPPED;
  if (made.kind === "nothing") {
    if (made.already) warn({ run, input }, `${place.name} is merged already: it is taken as it is`);
    return null;
  }
  if (made.kind === "conflict") {
    const message = `it and ${trees.into} changed the same lines: ${listed(made.files)}`;
    return { ok: false, stop: "merge-conflict", message, kept: true };
  }
  if (gates.length > 0) {
    if (!(await myTurn())) return STOPPED;
    const trouble = await lane.answer("show", { live: () => trees.show(place, made.commit) });
    if (trouble !== null) {
      const message = `merged into ${trees.into}, its gates cannot be run: ${trouble}`;
      return { ok: false, stop: "merge-gate", message, kept: true };
    }
    const shown = await run.ports.tree.look();
    const frame = await frameOf(run, { iteration: 1, input, look: shown });
    const failed = await judgeMerge(frame, gates);
    await putBack(frame, frame.start.point, "a gate of the merge");
    if (run.signal.aborted) return STOPPED;
    const stays = await lane.answer("unshow", { live: () => trees.unshow(place) });
    if (failed !== null) {
      const message = `merged into ${trees.into}, the gate \`${failed.gate}\` failed: ${failed.trouble.message}`;
      return { ok: false, stop: "merge-gate", message, kept: true };
    }
    if (stays !== null) {
      const message = `the gates hold on the merge, but its branch does not go back into its tree: ${stays}`;
      return { ok: false, stop: "merge-refused", message, kept: true };
    }
  }
  if (!(await myTurn())) return STOPPED;
  const landed = await lane.answer("land", { live: () => trees.land(made) });
  if (landed === null) return "moved";
  if (typeof landed === "object") {
    const message = `${trees.into} does not take the merge: ${landed.refused}`;
    return { ok: false, stop: "merge-refused", message, kept: true, next: landed.next };
  }
  lane.event({ type: "input-merged", input, into: trees.into, commit: made.commit });
  return null;
}

const MOST_LISTED = 5;

function listed(files: readonly string[]): string {
  const more = files.length - MOST_LISTED;
  return `${files.slice(0, MOST_LISTED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function tellKept(
  { share, lane, input, place }: AtWork,
  { ok, stop, gone, next: first = [] }: Home,
): void {
  const { name, path } = place;
  const look = gone ? `git log ${name}` : `cd ${shellWord(path)}`;
  const again = `mmm resume ${share.session}`;
  const next = ok
    ? [`${look}   (there are uncommitted changes)`, `mmm worktree clean ${name} --force`]
    : stop === "merge-conflict"
      ? [`${look} && git merge ${share.trees.into}   (resolve it, then ${again})`]
      : [...first, look, again, `mmm worktree clean ${name} --force`];
  lane.event({ type: "input-kept", input, name, path, ...(gone && { gone }), next });
}
