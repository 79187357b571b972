/**
 * `mmm cook --dry-run`: the plan, and what a run would be refused for (spec 1). Starts git alone, to read; writes nothing.
 *
 * What is wrong with command line, playbook, parameters or commands is exit 2, as in a run. What is wrong with the
 * surroundings (exit 3 of a run) is told beside the plan: they may fit tomorrow, and on another machine.
 */
import path from "node:path";
import type { ProjectCommands } from "../engine/ports.ts";
import { MmmError } from "../errors.ts";
import { checkIdentity, checkReady } from "../git/ready.ts";
import { findRepository, type RepositoryStart } from "../git/repository.ts";
import { createRedactor, type Redactor } from "../lib/redact.ts";
import type { Plan } from "../playbook/plan-model.ts";
import { everyPlannedStep } from "../playbook/plan-steps.ts";
import { planPlaybook } from "../playbook/plan.ts";
import { renderDiagnostics } from "../playbook/print.ts";
import { planLines } from "../report/plan-wording.ts";
import type { PlanProblem, PlanReport } from "../report/plan-report.ts";
import { chooseSymbols } from "../report/symbols.ts";
import { checkLock } from "../session/lock.ts";
import { callsClaude, claudeSearch, lookUpCommands, userId } from "./claude-check.ts";
import { readConfig, type Config } from "./config.ts";
import { checkRequest, type CheckedRequest } from "./cook-checks.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { planReport } from "./dry-run-report.ts";
import { expectations, NOTHING_EXPECTED } from "./expectations.ts";
import { numberInputs } from "./inputs.ts";
import { ownFiles, refuse, withConfig } from "./planning.ts";
import { leftByStopped } from "./resumable.ts";
import { findSecrets } from "./secrets.ts";
import { openPrinter, snakeKeys } from "./sessions/print.ts";
import { lockFile, mainRootOf } from "./world.ts";
import { checkMergingGit } from "./worktree/merging-git.ts";

/** Returns the exit code; throws `MmmError` for what a run would refuse with exit 2. */
export async function dryRun(request: CookRequest, invocation: Invocation): Promise<number> {
  const checked = await checkRequest(request, invocation);
  if (typeof checked === "number") return checked;
  const { cwd, file, playbook, source } = checked;
  const problems = new Problems();
  const start = await problems.watch(() => findRepository(cwd, invocation.env));
  const root = start?.root ?? cwd;
  const inputs = numberInputs(checked.found, root);
  const config = await readConfig(invocation, start === null ? root : mainRootOf(start));
  const redactor = await maskOf(checked, { root, invocation, problems });
  const commit = request.commit ? playbook.commit : "off";
  if (start !== null) await lookAround(start, { request, invocation, file, playbook, problems });
  const where = { cwd, root, replay: request.replay !== null };
  const lookup = await lookUpCommands(playbook, where, invocation);
  if (lookup.diagnostics.length > 0) return refuse(source, lookup.diagnostics, invocation);
  const planRequest = { ...checked.planRequest, params: checked.params };
  const known = { config, rules: lookup.rules, invocation };
  const { plan } = planPlaybook(playbook, withConfig(planRequest, known));
  if (plan === null) throw new Error("a playbook that could be planned cannot be planned any more");
  await lookForClaude(plan, { request, invocation, config, problems });
  if (start !== null && commit === "auto") await problems.watch(() => checkIdentity(start));
  const history =
    start === null
      ? NOTHING_EXPECTED
      : await expectations(
          { folder: path.join(mainRootOf(start), ".mmm", "sessions"), locks: [lockFile(start)] },
          { file, root, inputs: inputs.length },
        );
  const report = planReport(
    { plan, start, inputs, history, project: await projectOf(plan, { root, cwd, config }) },
    { request, invocation, checked, config, commit },
  );
  const notes = [...problems.notes, ...lookup.warnings];
  print(redactor.value({ ...report, problems: problems.found, notes }), {
    request,
    checked,
    invocation,
  });
  return 0;
}

/** What a run would be refused for with exit 3; everything else is thrown on. */
class Problems {
  readonly found: PlanProblem[] = [];
  readonly notes: string[] = [];

  async watch<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof MmmError) || error.exitCode !== 3) throw error;
      const { code, exitCode, message, next } = error;
      this.found.push({ code, exitCode, message, next });
      return null;
    }
  }
}

/** One that is missing hides none of the others. */
async function maskOf(
  { playbook }: CheckedRequest,
  given: {
    readonly root: string;
    readonly invocation: Invocation;
    readonly problems: Problems;
  },
): Promise<Redactor> {
  const values: string[] = [];
  for (const secret of playbook.secrets) {
    const found = await given.problems.watch(() =>
      findSecrets({ ...playbook, secrets: [secret] }, given),
    );
    values.push(...(found?.values.values() ?? []));
  }
  return createRedactor(values);
}

/** Lock and dirt, in the order of a run; waits for nothing. */
async function lookAround(
  start: RepositoryStart,
  given: {
    readonly request: CookRequest;
    readonly invocation: Invocation;
    readonly file: CheckedRequest["file"];
    readonly playbook: CheckedRequest["playbook"];
    readonly problems: Problems;
  },
): Promise<void> {
  const { request, invocation, file, problems, playbook } = given;
  const isParallel = (request.parallel ?? null) !== null;
  if (request.worktree === true || playbook.worktree.wanted || isParallel) {
    const asked = { isParallel, isMerged: request.yes, bySteps: playbook.merge !== null };
    const old = await problems.watch(() => checkMergingGit(start, asked));
    if (old !== null) problems.notes.push(old);
    problems.notes.push(
      "a run makes a worktree of its own: dirt and sessions here are not in its way",
    );
    return;
  }
  const stale = await problems.watch(() => checkLock(lockFile(start)));
  if (stale !== null)
    problems.notes.push(`${stale.session} was killed here: a run first ends what is left of it`);
  const own = ownFiles(request, file, invocation);
  await problems.watch(() =>
    checkReady(start, {
      allowDirty: request.allowDirty,
      ownFiles: own,
      lockWaitMs: 0,
    }).catch(async (error: unknown) => {
      throw await leftByStopped(error, { ...invocation, cwd: start.root });
    }),
  );
}

/** Only where it lies: its version is for a run to ask. */
async function lookForClaude(
  plan: Plan,
  given: {
    readonly request: CookRequest;
    readonly invocation: Invocation;
    readonly config: Config;
    readonly problems: Problems;
  },
): Promise<void> {
  const { request, invocation, config, problems } = given;
  if (request.replay !== null || !callsClaude(plan)) return;
  const { locateClaude } = await import("../claude/preflight.ts");
  const bin = await problems.watch(() => locateClaude(claudeSearch(invocation, config.claudeBin)));
  if (bin !== null && userId() === 0 && invocation.env["IS_SANDBOX"] !== "1")
    problems.notes.push(
      "you are root: the Claude CLI refuses to skip permissions then; see `mmm doctor`",
    );
}

/** The project's own commands, where something in the plan stands for one of them; files are read. */
async function projectOf(
  plan: Plan,
  where: { readonly root: string; readonly cwd: string; readonly config: Config },
): Promise<ProjectCommands | null> {
  const hasGates = [...everyPlannedStep([...plan.steps, ...(plan.merge ?? [])])].some(
    ({ validation }) => validation.length > 0,
  );
  if (!plan.usesProject && !hasGates && plan.until === null) return null;
  const { createProject } = await import("../context/project-port.ts");
  return createProject({ ...where, configured: where.config.project }).commands();
}

function print(
  report: PlanReport,
  {
    request,
    checked,
    invocation,
  }: {
    readonly request: CookRequest;
    readonly checked: CheckedRequest;
    readonly invocation: Invocation;
  },
): void {
  if (request.reporter === "json") {
    invocation.stdout.write(`${JSON.stringify(snakeKeys(report), null, 2)}\n`);
    return;
  }
  if (checked.diagnostics.length > 0)
    invocation.stderr.write(`${renderDiagnostics(checked.source, checked.diagnostics)}\n`);
  const printer = openPrinter(invocation);
  const lines = planLines(report, {
    columns: printer.columns,
    symbols: chooseSymbols(request.emoji),
  }).filter(({ from }) => from <= request.verbosity);
  printer.lines(lines.filter(({ problem }) => !problem));
  openPrinter({ ...invocation, stdout: invocation.stderr }).lines(
    lines.filter(({ problem }) => problem),
  );
}
