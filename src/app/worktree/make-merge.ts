/** A merge that git does not make alone, in a scratch worktree: made by steps, judged by git, checked by gates (spec 8.3). */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Event } from "../../engine/events.ts";
import { MergeRun, type MergeTrouble } from "../../engine/merge.ts";
import type { ClaudePort } from "../../engine/ports.ts";
import type { Spent } from "../../engine/totals.ts";
import { MmmError } from "../../errors.ts";
import { checkReady, uncommittedSettings } from "../../git/ready.ts";
import { findRepository, type RepositoryStart } from "../../git/repository.ts";
import { openTree, type SessionTree } from "../../git/tree.ts";
import { addWorktree, removeWorktree } from "../../git/worktree.ts";
import { mergeGates } from "../../playbook/plan-merge-gates.ts";
import type { PlannedStep } from "../../playbook/plan-model.ts";
import { ownChildren } from "../../process/children.ts";
import { interruptCode, watchSignals } from "../../process/signals.ts";
import { recordMergeCost } from "../../session/merge-record.ts";
import { inTurn } from "../../session/turn.ts";
import type { WorktreeRecord } from "../../session/worktree-file.ts";
import { chooseLimits } from "../limits.ts";
import { runOf } from "../run-of.ts";
import { buildPorts } from "../world.ts";
import { carryNamed, carrySettings } from "./carry.ts";
import type { Made, MergeMaker } from "./merge.ts";
import type { MergeContext, NoContext } from "./merge-context.ts";
import { claudeMergeStep } from "./merge-step.ts";
import { claudeFor } from "./merge-claude.ts";
import { nextMerge } from "./merge-unit.ts";
import { conflictsOf, judge, type Judged } from "./merge-verdict.ts";
import { makingLock, projectFolder } from "./place.ts";
import { setupOf } from "./open.ts";
import { prepareWorktree } from "./prepare.ts";

export interface Making {
  readonly here: RepositoryStart;
  readonly mainRoot: string;
  readonly record: WorktreeRecord;
  /** Absolute; of the session: logs go there. */
  readonly directory: string;
  readonly context: () => Promise<MergeContext | NoContext>;
  /** What the session has spent so far. */
  readonly spent: Spent;
  readonly tell: (event: Event) => void;
}

const PATIENCE_MS = 10 * 60_000;

export function mergeMaker(making: Making): MergeMaker {
  const { needs } = making.record;
  let found: ReturnType<Making["context"]> | null = null;
  const context = (): ReturnType<Making["context"]> => (found ??= making.context());
  const lost = (why: string, what: string): MergeTrouble => ({
    why: `its playbook cannot be had, which says ${what}: ${why}`,
    lines: [],
  });
  return {
    bySteps: async (asked) => {
      const known = await context();
      // An earlier mmm knew no steps, so there were none.
      if ("why" in known) return needs?.includes("steps") ? lost(known.why, "how to merge") : null;
      const { merge } = known.plan;
      if (merge === null) return null;
      const who = "the steps of `merge`";
      const files = await conflictsOf(making.here, asked);
      const steps = async (): Promise<typeof merge> => Promise.resolve(merge);
      return inScratch(making, known, { asked, files, who, steps });
    },
    byClaude: async (asked, files) => {
      const known = await context();
      const hasNothing = needs !== null && needs.length === 0;
      const usable = "why" in known ? (hasNothing ? known.bare : null) : known;
      if (usable === null) return lost("why" in known ? known.why : "", "what to check");
      if (usable.request.replay !== null)
        return { why: "a recording stands in for Claude, and it knows no merges", lines: [] };
      const { branch } = asked;
      const steps = async (root: string): Promise<readonly PlannedStep[]> => [
        await claudeMergeStep(usable, { branch, root }),
      ];
      return inScratch(making, usable, { asked, files, who: "Claude", steps });
    },
  };
}

interface Way extends Judged {
  /** @param root top of the scratch tree */
  readonly steps: (root: string) => Promise<readonly PlannedStep[]>;
}

async function inScratch(
  making: Making,
  known: MergeContext,
  way: Way,
): Promise<Made | MergeTrouble> {
  const { here, mainRoot } = making;
  const folder = projectFolder(here, mainRoot, known.invocation);
  const place = path.join(folder, `merging-${way.asked.branch}`);
  const turn = {
    file: makingLock(here),
    what: "another mmm that makes a worktree in this repository",
    waitMs: PATIENCE_MS,
    tell: () => undefined,
  };
  const watch = watchSignals(() => ownChildren.killAllNow());
  try {
    const scratch = await inTurn(turn, async () => {
      // A merge that was killed has left it.
      await removeWorktree(here, place);
      return addWorktree(here, { path: place, branch: null, commit: way.asked.ours });
    });
    const made = await work(scratch, { making, known, way, signal: watch.aborted });
    const code = interruptCode(watch.aborted);
    if (code !== null) throw stopped(way.asked.branch, code);
    return made;
  } finally {
    await ownChildren.endAll(watch.aborted.aborted);
    watch.stop();
    await inTurn(turn, () => removeWorktree(here, place)).catch(() => undefined);
  }
}

function stopped(branch: string, exitCode: 130 | 143): MmmError {
  return new MmmError("interrupted", exitCode, {
    message: "the merge was interrupted, and everything is as it was before",
    next: [`mmm worktree merge ${branch}`],
  });
}

interface Job {
  readonly making: Making;
  readonly known: MergeContext;
  readonly way: Way;
  readonly signal: AbortSignal;
}

async function work(scratch: RepositoryStart, job: Job): Promise<Made | MergeTrouble> {
  const { making, known, way } = job;
  const { record, directory, mainRoot } = making;
  const gates = mergeGates(known.plan);
  const unit = `merge-${await nextMerge(directory)}`;
  const user = await findRepository(mainRoot, making.here.env).catch(() => null);
  if (user !== null) {
    const settings = await uncommittedSettings(user);
    await carrySettings({ from: user, to: scratch.root, settings, files: [] });
  }
  const steps = await way.steps(scratch.root);
  if (gates.length > 0 || known.plan.merge !== null) await prepare(scratch, { user, unit }, job);
  const claude = await claudeFor(steps, known, directory);
  if ("why" in claude) return claude;
  const ready = await checkReady(scratch, { allowDirty: true, ownFiles: [] });
  // Names of its own: what it marks is not the session's.
  const tree = await openTree({ start: scratch, session: `${record.name}-merge`, ready });
  const cwd = path.join(scratch.root, known.prefix);
  mkdirSync(cwd, { recursive: true });
  const run = await openRun(scratch, { claude: claude.port, tree, cwd, unit }, job);
  try {
    const trouble = await run.steps(steps);
    if (trouble !== null) return { ...trouble, why: `${way.who} could not: ${trouble.why}` };
    const judged = await judge(scratch, way);
    if ("why" in judged) return judged;
    return (await run.gates(gates)) ?? judged;
  } finally {
    await tree.release(false);
    const mmm = path.join(mainRoot, ".mmm");
    const files = {
      state: path.join(mmm, "state.json"),
      session: path.join(directory, "session.json"),
    };
    recordMergeCost(files, run.spending);
  }
}

async function openRun(
  scratch: RepositoryStart,
  of: {
    readonly claude: ClaudePort;
    readonly tree: SessionTree;
    readonly cwd: string;
    readonly unit: string;
  },
  { making, known, way, signal }: Job,
): Promise<MergeRun> {
  const { record, directory, mainRoot } = making;
  const { claude, tree, cwd, unit } = of;
  const { invocation, request, secrets, config } = known;
  const ports = await buildPorts({
    start: scratch,
    tree,
    children: ownChildren,
    claude,
    directory,
    mainRoot,
    stdout: invocation.stdout,
    skipAnalysis: request.skipAnalysis,
    redactor: secrets.redactor,
    cwd,
    project: config.project,
    version: invocation.version,
  });
  const opened = { name: record.name, directory };
  return new MergeRun({
    run: {
      ...runOf({ ...known, start: scratch, home: scratch, worktree: record, cwd }, opened),
      ports,
      signal,
    },
    values: {
      worktree: record.name,
      source_branch: way.asked.branch,
      target_branch: way.asked.target,
      session_id: record.name,
    },
    limits: chooseLimits(known),
    spent: making.spent,
    unit,
    sink: { event: making.tell, live: () => undefined },
  });
}

/** What the session's own worktree got; it is for gates and steps as good as for the session. */
async function prepare(
  scratch: RepositoryStart,
  { user, unit }: { readonly user: RepositoryStart | null; readonly unit: string },
  { making, known, signal }: Job,
): Promise<void> {
  const setup = setupOf(known);
  const { invocation, secrets, request } = known;
  if (user !== null)
    for (const message of await carryNamed({ from: user, to: scratch.root }, setup))
      making.tell({ type: "note", severity: "warning", message });
  const tell = (message: string): void => {
    if (request.verbosity >= 0) invocation.stderr.write(`${message}\n`);
  };
  await prepareWorktree(
    {
      run: setup.run,
      root: scratch.root,
      session: making.record.name,
      directory: making.directory,
      unit: `${unit}-prepare`,
      redactor: secrets.redactor,
      tell,
      goesOn: `mmm worktree merge ${making.record.name}`,
    },
    signal,
  );
}
