/** A session's own worktree: made, filled, prepared (spec 8.1). */
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { MmmError } from "../../errors.ts";
import type { Ready } from "../../git/ready.ts";
import { readyAsItIs, uncommittedSettings } from "../../git/ready.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import type { RawStatus } from "../../git/status.ts";
import { addWorktree, branchesOf, deleteBranch, removeWorktree } from "../../git/worktree.ts";
import type { WorktreeSetup } from "../../playbook/model.ts";
import { ownChildren } from "../../process/children.ts";
import { interruptCode, watchSignals } from "../../process/signals.ts";
import { type Claim, claimSession } from "../../session/claim.ts";
import { writing } from "../../session/disk.ts";
import { inTurn } from "../../session/turn.ts";
import { type WorktreeRecord, writeWorktreeRecord } from "../../session/worktree-file.ts";
import type { Prepared } from "../prepared.ts";
import { systemClock } from "../world.ts";
import { carryNamed, carrySettings } from "./carry.ts";
import { needsOf } from "./merge-context.ts";
import { makingLock, projectFolder } from "./place.ts";
import { prepareWorktree } from "./prepare.ts";

/** The worktree of a session that is about to run. */
export interface OpenWorktree {
  readonly record: WorktreeRecord;
  readonly start: RepositoryStart;
  readonly ready: Ready;
  /** The look at it: nothing has run in it since. */
  readonly status: RawStatus;
  /** Has still nothing run? */
  readonly isUntouched: () => boolean;
  /** The same subdirectory as the one the user stands in. */
  readonly cwd: string;
  /** For people: what was asked for and is not there. */
  readonly notes: readonly string[];
}

/** Making one takes seconds in a large repository, and others wait. */
const PATIENCE_MS = 10 * 60_000;

/** A name that no session, branch or folder has, and of which no input's name is taken either. */
export async function claimWorktreeName(prepared: Prepared, now: Date): Promise<Claim> {
  const folder = projectFolder(prepared.start, prepared.mainRoot, prepared.invocation);
  const taken = [...(await branchesOf(prepared.start, "mmm-")), ...namesIn(folder)];
  const owners = new Set(taken.flatMap((name) => [name, name.replace(INPUT, "")]));
  const isUsed = (name: string): boolean => owners.has(name);
  const sessions = path.join(prepared.mainRoot, ".mmm", "sessions");
  return claimSession(sessions, prepared.file.absolute, { now, isUsed });
}

/** As {@link inputName} ends. */
const INPUT = /-i\d+$/;

/** Broken links included. */
function namesIn(folder: string): readonly string[] {
  return writing(`look into ${folder}`, () => readdirSync(folder));
}

/**
 * One that does not come about leaves nothing. Throws `MmmError` (exit 3).
 *
 * @param claim the session's name and folder
 * @param signal ends the wait for others
 */
export async function openWorktree(
  prepared: Prepared,
  claim: Claim,
  signal: AbortSignal,
): Promise<OpenWorktree> {
  const { start: here, invocation, mainRoot } = prepared;
  const place = path.join(projectFolder(here, mainRoot, invocation), claim.name);
  const record: WorktreeRecord = {
    name: claim.name,
    path: place,
    target: here.branch,
    base: here.head,
    createdAt: systemClock.now().toISOString(),
    mergedAt: null,
    needs: needsOf(prepared.plan),
  };
  // Inputs at once have trees of their own to work in: those are filled and prepared, and this one is
  // only merged into. What lay here would be in the way of an input that has committed it.
  const isEmpty = (prepared.request.parallel ?? null) !== null;
  // It takes a look at all files: as well while git makes the others.
  const settings = isEmpty ? null : uncommittedSettings(here);
  settings?.catch(() => undefined); // Said below, if it comes to that.
  const start = await inTurn(
    {
      file: makingLock(here),
      what: "another mmm that makes a worktree in this repository",
      waitMs: PATIENCE_MS,
      tell: (message) => invocation.stderr.write(`mmm: ${message}\n`),
      signal,
    },
    () => addWorktree(here, { path: place, branch: claim.name, commit: here.head }),
  );
  try {
    writeWorktreeRecord(claim.directory, record);
    const setup = isEmpty ? NO_SETUP : setupOf(prepared);
    const carried = settings === null ? [] : await carry(prepared, start, { setup, settings });
    const notes = here.branch === null ? [NO_TARGET, ...carried] : carried;
    const cwd = path.join(start.root, path.relative(here.root, prepared.cwd));
    mkdirSync(cwd, { recursive: true });
    if (setup.run.length > 0) await prepare(prepared, claim, { root: start.root, run: setup.run });
    const { started } = ownChildren;
    // Inputs at once are merged into it, and that is not done by children.
    const isUntouched = (): boolean => !isEmpty && ownChildren.started === started;
    // What lies there before the first step is nobody's work: it is in no commit.
    const { ready, status } = await readyAsItIs(start);
    const opened = { ...start, prefix: here.prefix };
    return { record, start: opened, ready, status, isUntouched, cwd, notes };
  } catch (error) {
    await removeWorktree(here, place).catch(() => undefined);
    await deleteBranch(here, claim.name).catch(() => undefined);
    claim.forget();
    throw error;
  }
}

async function carry(
  { start: here, inputs, ownFiles }: Prepared,
  to: RepositoryStart,
  what: { readonly setup: WorktreeSetup; readonly settings: Promise<readonly string[]> },
): Promise<readonly string[]> {
  const mapped = inputs.flatMap(({ file }) => (file === null ? [] : [path.join(here.root, file)]));
  const settings = await what.settings;
  const files = [...ownFiles, ...mapped];
  await carrySettings({ from: here, to: to.root, settings, files });
  return carryNamed({ from: here, to: to.root }, what.setup);
}

/** What cannot be done is said before anything starts. */
const NO_TARGET =
  "HEAD is detached: there is no branch to merge this session into, and its worktree will stay";

const NO_SETUP: WorktreeSetup = { copy: [], link: [], run: [] };

/** A key of the playbook beats the same key of the config. */
export function setupOf({ plan, config }: Pick<Prepared, "plan" | "config">): WorktreeSetup {
  return { ...NO_SETUP, ...config.worktree, ...plan.playbook.worktree.setup };
}

async function prepare(
  { request, invocation, secrets }: Prepared,
  claim: Claim,
  { root, run }: { readonly root: string; readonly run: readonly string[] },
): Promise<void> {
  const watch = watchSignals(() => ownChildren.killAllNow());
  const tell = (message: string): void => {
    if (request.verbosity >= 0) invocation.stderr.write(`${message}\n`);
  };
  const { name: session, directory } = claim;
  const { redactor } = secrets;
  try {
    const of = { run, root, session, directory, redactor, tell };
    const preparing = { ...of, unit: "0000-prepare", goesOn: "cook again" };
    if (await prepareWorktree(preparing, watch.aborted)) return;
    throw stopped(interruptCode(watch.aborted) ?? 143);
  } finally {
    await ownChildren.endAll(watch.aborted.aborted);
    watch.stop();
  }
}

function stopped(exitCode: 130 | 143): MmmError {
  return new MmmError("interrupted", exitCode, {
    message: "stopped while the worktree was prepared; nothing of it is left",
  });
}
