/**
 * `mmm resume`: goes on where a session stopped (spec 7).
 *
 * The same loop over the same plan; what is finished is answered from the journal. Checks run in the
 * order of spec 1.1, and nothing is changed before all of them have passed.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import type { SessionResumed } from "../engine/resumed-event.ts";
import type { SessionRecord } from "../engine/session-record.ts";
import { MmmError } from "../errors.ts";
import { checkIdentity, dirtThatStays, type Ready } from "../git/ready.ts";
import { findRepository, headUnborn, type RepositoryStart } from "../git/repository.ts";
import type { Plan } from "../playbook/plan-model.ts";
import { openLandings } from "../session/open-landing.ts";
import { type JournalScan, scanJournal } from "../session/read-journal.ts";
import { reuse } from "../session/past.ts";
import { type Story, StoryReader } from "../session/story.ts";
import { readWorktreeRecord } from "../session/worktree-file.ts";
import { scoreOf } from "../session/state.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { chooseLimits, mergeLimits } from "./limits.ts";
import { lookAtLock } from "./look-at-lock.ts";
import { planAgain } from "./plan-again.ts";
import { ownFiles, workingDirectory } from "./planning.ts";
import type { Resumed } from "./play-engine.ts";
import { playSession } from "./play-session.ts";
import { checkTrees, inputsByHand, wordsOf } from "./resume-inputs.ts";
import { giveUpLine, worktreeGone } from "./resume-place.ts";
import { findResumable } from "./resumable.ts";
import { firstChange } from "./resume-plan.ts";
import { maskingErrors } from "./secrets.ts";
import { savedRequest, type SavedRequest } from "./saved-request.ts";
import { mainRootOf } from "./world.ts";
import { checkMergingGit } from "./worktree/merging-git.ts";

export interface ResumeRequest {
  /** `null`: the newest resumable one of this repository. */
  readonly session: string | null;
  /** Another place of the same playbook; `null`: where it lay. */
  readonly playbook: string | null;
  /** `--path`, as typed. */
  readonly path: string | null;
  /** Run again from the first step that has changed, and undo what came after it. */
  readonly force: boolean;
  /** What this run is to do differently; the rest is as it was asked. */
  readonly changes: Partial<CookRequest>;
}

/** Returns the exit code; throws `MmmError` for trouble that has no place in the playbook. */
export async function resume(asked: ResumeRequest, invocation: Invocation): Promise<number> {
  const cwd = workingDirectory(asked, invocation);
  const here = await findRepository(cwd, invocation.env);
  const session = await findResumable(asked.session, { ...invocation, cwd });
  const { name } = session;
  const mainRoot = mainRootOf(here);
  const directory = path.join(mainRoot, ".mmm", "sessions", name);
  const { content, story } = storyIn(directory);
  const saved = savedRequest(story.request);
  if (saved === null) throw nothingDone(name);
  const start = await treeOf(session, { story, here, saved });
  const from: Invocation = { ...invocation, cwd: saved.from };
  if (typeof saved.request.parallel === "number")
    await checkMergingGit(here, { isParallel: true, isMerged: false, bySteps: false });
  checkParallel(name, saved.request, asked.changes);
  const request = requestNow(saved.request, asked, invocation);
  const where = { root: start.root, userRoot: here.root, mainRoot, invocation, from };
  const planned = await orGone(name, planAgain(request, saved, where));
  if (typeof planned === "number") return planned;
  await lookAtLock(start, invocation, { name, children: story.children });
  const identity = planned.commit === "auto" ? checkIdentity(start) : Promise.resolve();
  identity.catch(() => undefined);
  const change = firstChange(story, planned.plan);
  if (change !== null && change.finished && !asked.force) throw changed(name, change);
  const worktree = saved.worktree === undefined ? null : readWorktreeRecord(directory);
  const branches = { session: name, target: worktree?.target ?? null };
  const byHand = await inputsByHand(start, story, branches);
  const again = reuse(story, change, byHand);
  const own = ownFiles(request, planned.file, from);
  const ready = await readyAgain(start, saved, own);
  const resuming = { session, story, reuse: again, cwd: invocation.cwd };
  await checkTrees(start, { ...resuming, ready, directory });
  if (planned.refusal !== null) return planned.refusal();
  const resumed: Resumed = {
    summary: summaryOf(name, { story, playbook: planned.file.shown }),
    content,
    reuse: again,
    landings: openLandings(story),
    words: wordsOf(byHand),
    told: {
      ...tell({ name, planned, again, why: change?.why ?? null, inputs: saved.inputs.length }),
      limits: chooseLimits({ request, plan: planned.plan, config: planned.config }),
      ...(typeof request.parallel === "number" ? { parallel: request.parallel } : {}),
    },
  };
  const prepared = {
    ...planned,
    invocation,
    request: absolute(request, saved.from),
    start,
    home: await homeOf(saved, here),
    mainRoot,
    worktree,
    ownFiles: own,
    ready,
    inputs: saved.inputs,
    identity,
  };
  return maskingErrors(planned.secrets.redactor, () => playSession(prepared, resumed));
}

function summaryOf(
  name: string,
  { story, playbook }: { readonly story: Story; readonly playbook: string },
): Resumed["summary"] {
  const startedAt = story.beganAt ?? new Date(0).toISOString();
  const score = story.outputs.map(scoreOf).findLast((each) => each !== undefined);
  return { name, playbook, startedAt, score };
}

/** Its journal, read once. */
function storyIn(directory: string): { readonly content: JournalScan; readonly story: Story } {
  const reader = new StoryReader();
  const content = scanJournal(path.join(directory, "journal.jsonl"), (line) => reader.see(line));
  return { content, story: reader.story() };
}

/**
 * Dirty files stay as they were when the session began; the playbook and the like are read as they are now,
 * so that is how they stay.
 */
async function readyAgain(
  start: RepositoryStart,
  { protectedFiles }: SavedRequest,
  own: readonly string[],
): Promise<Ready> {
  const { protectedPaths: now } = await dirtThatStays(start, own);
  const saved = protectedFiles.filter(({ path: file }) => !now.includes(file));
  return { protectedPaths: [...saved.map(({ path: file }) => file), ...now], saved };
}

/** Recordings lie where they were named from. */
function absolute(request: CookRequest, from: string): CookRequest {
  const at = (file: string | null): string | null =>
    file === null ? null : path.resolve(from, file);
  return { ...request, record: at(request.record), replay: at(request.replay) };
}

/** The session's own tree: in place, or a linked worktree of the same repository. */
async function treeOf(
  session: SessionRecord,
  { story, here, saved }: { story: Story; here: RepositoryStart; saved: SavedRequest },
): Promise<RepositoryStart> {
  // Killed right at its start, it has told its worktree and nothing else.
  const root = saved.worktree?.root ?? story.started?.root ?? null;
  if (root === null || root === here.root) return here;
  const gone = new MmmError("session-elsewhere", 3, {
    message: `${session.name} was begun in ${root}, and this is ${here.root}`,
    next: [existsSync(root) ? "resume it there" : `put it back at ${root}`, giveUpLine(session)],
  });
  if (saved.worktree !== undefined && !existsSync(root))
    throw await worktreeGone(here, session, root);
  if (!existsSync(root) || !existsSync(saved.from)) throw gone;
  const there = await findRepository(root, here.env).catch((error: unknown) => {
    const last = story.place?.head ?? null;
    // Without a reflog only the journal knows where it stood.
    const isUnborn = error instanceof MmmError && error.code === "no-commit" && last !== null;
    throw isUnborn ? headUnborn(root, { branch: session.name, last }) : error;
  });
  // A copy of a repository has copies of its sessions: they belong to the original.
  if (there.commonDir !== here.commonDir) throw gone;
  return there;
}

/** As it was asked at first, but for what is asked now. */
function requestNow(
  before: CookRequest,
  { changes, playbook }: ResumeRequest,
  { cwd }: Invocation,
): CookRequest {
  return {
    ...before,
    ...changes,
    limits: mergeLimits(changes.limits, before.limits),
    ...(playbook === null ? {} : { playbook: path.resolve(cwd, playbook) }),
  };
}

/** How many at once may change; whether inputs have trees of their own may not. */
function checkParallel(
  name: string,
  before: CookRequest,
  { parallel }: Pick<Partial<CookRequest>, "parallel">,
): void {
  if (typeof parallel !== "number" || typeof before.parallel === "number") return;
  throw new MmmError("resume-excludes", 2, {
    message: `${name} was begun without --parallel: its inputs run one after the other`,
    next: [`mmm resume ${name}`],
  });
}

/** The tree the user stood in; where that is gone, the one he stands in now. */
async function homeOf({ from }: SavedRequest, here: RepositoryStart): Promise<RepositoryStart> {
  const there = existsSync(from) ? await findRepository(from, here.env).catch(() => null) : null;
  return there?.commonDir === here.commonDir ? there : here;
}

function tell(of: {
  readonly name: string;
  readonly planned: {
    readonly plan: Plan;
    readonly file: { readonly shown: string };
    readonly replay: string | null;
  };
  readonly again: ReturnType<typeof reuse>;
  readonly why: string | null;
  readonly inputs: number;
}): Omit<SessionResumed, "limits"> {
  const { name, planned, again, why, inputs } = of;
  const { steps } = planned.plan;
  const last = again.steps.at(-1);
  const sameIteration = again.steps.filter(
    ({ at }) => at.iteration === last?.at.iteration && at.input === last.at.input,
  );
  const { knownCostUsd, isCostUnknown } = again.spent;
  const costs = again.steps.map(({ costUsd }) => costUsd);
  const isUnknown = isCostUnknown || costs.includes(null);
  const finished = [...again.past.lanes.values()].filter(({ records }) => {
    const end = records.at(-1);
    return end?.type === "event" && end.event.type === "input-finished";
  }).length;
  return {
    type: "session-resumed",
    session: name,
    playbook: planned.file.shown,
    segment: again.past.segment,
    reused: again.steps,
    inFlight: again.inFlight,
    ...(again.alsoInFlight.length === 0 ? {} : { alsoInFlight: again.alsoInFlight }),
    why,
    left: Math.max(0, steps.length - sameIteration.length),
    inputs: inputs === 0 ? null : { finished, total: inputs },
    costUsd: isUnknown
      ? null
      : costs.reduce<number>((sum, cost) => sum + (cost ?? 0), knownCostUsd),
    kept: again.kept,
    replay: planned.replay,
  };
}

function nothingDone(name: string): MmmError {
  return new MmmError("session-empty", 3, {
    message: `${name} was stopped before anything was done`,
    next: ["cook again"],
  });
}

/** What else lies here, or is shipped, is of no use to this session. */
async function orGone<T>(name: string, planned: Promise<T>): Promise<T> {
  try {
    return await planned;
  } catch (error) {
    if (!(error instanceof MmmError) || error.code !== "playbook-missing") throw error;
    throw new MmmError(error.code, error.exitCode, {
      message: `the playbook of ${name} is gone: ${error.message}`,
      next: ["put it back", `or say where it lies now: mmm cook FILE --resume ${name}`],
    });
  }
}

function changed(name: string, { why }: { readonly why: string }): MmmError {
  return new MmmError("playbook-changed", 3, {
    message: `the playbook of ${name} has changed: ${why}`,
    next: [
      `mmm resume ${name} --force   (runs again from there; what came after is kept under refs/mmm/failed and undone)`,
      "or put the playbook back as it was",
    ],
  });
}
