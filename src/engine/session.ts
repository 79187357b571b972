/** session → each input → each iteration → each step (spec 4). The one engine of every mode. */
import type { Value } from "../values/value.ts";
import { type Frame, isUnchanged, markTree, type Run } from "./context.ts";
import type { Event, InputValue } from "./events.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";
import type { TreeLook, TreePoint } from "./ports.ts";
import { Scope } from "./scope.ts";
import { restoreLine } from "./restore-line.ts";
import { runStep, type StepResult } from "./step.ts";
import { TotalsFold } from "./totals.ts";

export interface SessionOutcome {
  readonly status: SessionStatus;
  readonly stop: StopReason;
}

/** What the caller decides: the exit code of an interruption comes from the signal (spec 1.1). */
export interface SessionRequest {
  readonly run: Run;
  readonly inputs: readonly InputValue[];
  readonly exitCode: (outcome: SessionOutcome) => number;
}

/** Runs everything and tells it as events; rejects only when the surroundings break (`MmmError`) or on a bug. */
export async function runSession(request: SessionRequest): Promise<SessionOutcome> {
  const totals = new TotalsFold();
  const sink = {
    event: (event: Event): void => {
      totals.add(event);
      request.run.sink.event(event);
    },
    live: request.run.sink.live.bind(request.run.sink),
  };
  const run: Run = { ...request.run, sink };
  const session = new Session(run, request);
  return session.play(totals);
}

class Session {
  readonly #run: Run;
  readonly #request: SessionRequest;
  readonly #next: string[] = [];
  /** What `play` saw, for the first iteration: nothing runs in between. */
  #look: TreeLook | null = null;

  constructor(run: Run, request: SessionRequest) {
    this.#run = run;
    this.#request = request;
  }

  async play(totals: TotalsFold): Promise<SessionOutcome> {
    const { clock, tree } = this.#run.ports;
    const began = clock.monotonicMs();
    const look = await tree.look();
    const start = await markTree(this.#run, look);
    this.#look = look;
    this.#announce(look);
    const outcome = await this.#inputs();
    const end = await tree.look();
    const touched = end.head !== start.head || end.changes.length > 0;
    const files = touched ? await tree.filesSince(start) : [];
    const reachable =
      end.head === start.head ? [] : await tree.commitsBetween(start.head, end.head);
    const counted = totals.totals(new Set(reachable.map(({ sha }) => sha)));
    const { commitList, failedInputs, tolerated, ...sums } = counted;
    this.#run.sink.event({
      type: "session-finished",
      session: this.#run.facts.id,
      ...outcome,
      exitCode: this.#request.exitCode(outcome),
      maxIterations: this.#run.plan.maxIterations,
      totals: { ...sums, filesChanged: files.length, durationMs: clock.monotonicMs() - began },
      commits: commitList,
      failedInputs,
      toleratedFailures: tolerated,
      directory: this.#run.facts.directory,
      next: this.#next,
    });
    return outcome;
  }

  #announce(look: { readonly head: string; readonly branch: string | null }): void {
    const { plan, facts, options, ports, sink } = this.#run;
    sink.event({
      type: "session-started",
      session: facts.id,
      playbook: facts.playbook,
      name: plan.playbook.name,
      description: plan.playbook.description,
      steps: plan.steps.length,
      inputs: this.#request.inputs.length,
      maxIterations: plan.maxIterations,
      boundFrom: plan.boundFrom,
      root: ports.tree.root,
      cwd: facts.cwd,
      head: look.head,
      branch: look.branch,
      commit: options.commit,
      replay: facts.replay,
      version: facts.version,
    });
  }

  async #inputs(): Promise<SessionOutcome> {
    const { inputs } = this.#request;
    const { ports, sink } = this.#run;
    if (inputs.length === 0) return this.#iterations(null);
    let failed = false;
    for (const input of inputs) {
      const began = ports.clock.monotonicMs();
      sink.event({ type: "input-started", input });
      const { status, stop } = await this.#iterations(input);
      sink.event({
        type: "input-finished",
        input,
        ok: status === "completed",
        stop,
        durationMs: ports.clock.monotonicMs() - began,
      });
      if (status === "interrupted") return { status, stop };
      if (status === "failed") failed = true;
      if (failed && this.#run.options.failFast) break;
    }
    return failed
      ? { status: "failed", stop: "input-failed" }
      : { status: "completed", stop: "iterations-done" };
  }

  /** All iterations of one input, or of the session when it has none. */
  async #iterations(input: InputValue | null): Promise<SessionOutcome> {
    const { plan, ports, sink } = this.#run;
    const { maxIterations } = plan;
    let origin: TreePoint | null = null;
    for (let iteration = 1; iteration <= maxIterations; iteration += 1) {
      if (this.#run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
      const began = ports.clock.monotonicMs();
      sink.event({
        type: "iteration-started",
        iteration,
        maxIterations,
        input: input?.index ?? null,
      });
      const look = this.#look ?? (await ports.tree.look());
      this.#look = null;
      const point = await markTree(this.#run, look);
      origin ??= point;
      const frame: Frame = {
        run: this.#run,
        iteration,
        input,
        scope: new Scope(this.#variables(iteration, input), this.#run.facts.environment),
        start: { look, point },
        look,
        specs: [],
      };
      const end = await this.#steps(frame);
      if (end?.kind === "failed") {
        if (this.#run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
        // A failed input leaves nothing on the branch (spec 8.4); without inputs earlier steps stay (spec 5).
        await this.#rollBack(frame, end, input === null ? end.start : origin);
        return { status: "failed", stop: "step-failed" };
      }
      const changed = !(await isUnchanged(frame));
      const durationMs = ports.clock.monotonicMs() - began;
      sink.event({
        type: "iteration-finished",
        iteration,
        input: input?.index ?? null,
        changed,
        durationMs,
      });
      if (end?.kind === "nothing-left") return { status: "completed", stop: "nothing-to-do" };
      if (this.#run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
      if (!changed && maxIterations > 1) return { status: "completed", stop: "no-changes" };
    }
    return { status: "completed", stop: "iterations-done" };
  }

  /** The result that ended the list early; `null`: all steps were done. */
  async #steps(frame: Frame): Promise<Exclude<StepResult, { kind: "done" }> | null> {
    const { steps } = this.#run.plan;
    for (const [index, planned] of steps.entries()) {
      const result = await runStep(frame, planned, {
        number: index + 1,
        total: steps.length,
        depth: 0,
      });
      if (result.kind !== "done") return result;
      if (this.#run.signal.aborted) return null;
    }
    return null;
  }

  /** Back to where the step (or its input) began; what is undone stays under a ref (spec 5). */
  async #rollBack(
    frame: Frame,
    failed: Extract<StepResult, { kind: "failed" }>,
    point: TreePoint,
  ): Promise<void> {
    const { options, ports, sink } = this.#run;
    if (!options.rollback || options.commit === "off") return;
    const { head, branch } = frame.look;
    const stands = head === point.head && branch === point.branch;
    if (stands && (await ports.tree.sameTree(point, frame.look))) return;
    const undone = await ports.tree.filesSince(point);
    const kept = await ports.tree.keepFailed();
    await ports.tree.rollback(point);
    frame.look = await ports.tree.look();
    sink.event({ type: "rolled-back", at: failed.at, head: frame.look.head, kept });
    this.#next.push(
      restoreLine({
        kept,
        start: point.tree ?? point.head,
        paths: undone.map(({ path }) => path),
        git: this.#run.facts.git,
        input: frame.input?.index ?? null,
      }),
    );
    this.#tellLeft(frame);
  }

  /** A repository of its own that a step made is nobody's to remove; unsaid, it would stop the next run. */
  #tellLeft({ look, start }: Frame): void {
    const { sink } = this.#run;
    const before = new Set(start.look.changes.map(({ path }) => path));
    const nested = look.changes.filter(
      ({ kind, path }) => kind === "nested-repository" && !before.has(path),
    );
    if (nested.length === 0) return;
    const names = nested.map(({ path }) => path).join(", ");
    const message = `${names}: a repository of its own was left where the failed step made it; remove it, or add it to .gitignore`;
    sink.event({ type: "note", severity: "warning", message });
  }

  #variables(
    iteration: number,
    input: InputValue | null,
  ): Map<string, { readonly value: Value; readonly foreign: boolean }> {
    const { plan, ports, facts } = this.#run;
    const own = (value: Value): { value: Value; foreign: boolean } => ({ value, foreign: false });
    const variables = new Map([
      ["ITERATION", own(iteration)],
      ["MAX_ITERATIONS", own(plan.maxIterations)],
      ["PROJECT_ROOT", own(ports.tree.root)],
      ["WORKTREE", own(facts.worktree)],
      ["SESSION_ID", own(facts.id)],
      ["PLAYBOOK", own(facts.playbook)],
    ]);
    if (input === null) return variables;
    // A file's name was not typed by the user: it may begin with a dash (spec 3.2).
    const foreign = input.file !== null;
    variables.set("ARG", { value: input.arg, foreign });
    variables.set("FILE", { value: input.file, foreign });
    variables.set("INDEX", own(input.index));
    variables.set("TOTAL", own(input.total));
    return variables;
  }
}
