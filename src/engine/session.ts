/** session → each input → each iteration → each step (spec 4). The one engine of every mode. */
import { type Frame, isUnchanged, markTree, type Run } from "./context.ts";
import { Budget, type LimitReached, type SessionLimits } from "./budget.ts";
import type { Event, InputValue } from "./events.ts";
import { Lane, type Past, type Recorder } from "./lane.ts";
import { lanePorts } from "./lane-ports.ts";
import { resumeLine } from "./limit-words.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";
import type { TreeLook, TreePoint } from "./ports.ts";
import { Scope } from "./scope.ts";
import { restoreLine } from "./restore-line.ts";
import { runStep, type StepResult } from "./step.ts";
import { type Spent, TotalsFold } from "./totals.ts";
import { rollBack } from "./undo.ts";
import { askUntil, stopAfter, untilPlace } from "./until.ts";
import { variablesOf } from "./variables.ts";

export interface SessionOutcome {
  readonly status: SessionStatus;
  readonly stop: StopReason;
}

/** What the caller decides: the exit code of an interruption comes from the signal (spec 1.1). */
export interface SessionRequest {
  readonly run: Omit<
    Run,
    "sink" | "nextUnit" | "runUnit" | "tellNext" | "isLive" | "toldCommits" | "budget"
  >;
  readonly recorder: Recorder;
  readonly past: Past;
  /** What earlier processes of the session have used up. */
  readonly spent: Spent;
  readonly limits: SessionLimits;
  readonly inputs: readonly InputValue[];
  readonly exitCode: (outcome: SessionOutcome) => number;
}

/** Runs everything and tells it as events; rejects only when the surroundings break (`MmmError`) or on a bug. */
export async function runSession(request: SessionRequest): Promise<SessionOutcome> {
  return new Session(request).play();
}

class Session {
  readonly #request: SessionRequest;
  readonly #run: Run;
  readonly #budget: Budget;
  readonly #totals: TotalsFold;
  readonly #next: string[] = [];
  #limit: LimitReached | null = null;
  /** What `play` saw, for the first iteration: nothing runs in between. */
  #look: TreeLook | null = null;

  constructor(request: SessionRequest) {
    this.#request = request;
    this.#budget = new Budget(request.limits, request.run.ports.clock, request.spent);
    this.#totals = new TotalsFold(this.#budget.ledger);
    this.#run = this.#strand("session");
  }

  /** The same run, with a lane of its own. */
  #strand(name: string): Run {
    const { run, past, recorder } = this.#request;
    const lane = new Lane({
      name,
      past: past.lanes.get(name),
      segment: past.segment,
      recorder,
      signal: run.signal,
      count: (event) => this.#count(event),
    });
    const { ports, sink } = lanePorts(run.ports, lane, {
      directory: run.facts.directory,
      tell: ({ point, kept, paths }) => {
        const why = past.lanes.get(name)?.why ?? "cut-short";
        recorder.event(
          { type: "unit-restarted", head: point.head, kept, files: paths, why },
          { lane: null, late: false },
        );
        const start = point.tree ?? point.head;
        this.#next.push(restoreLine({ kept, start, paths, git: run.facts.git, input: null }));
      },
    });
    const nextUnit = (path: string): string => lane.unit(path);
    const runUnit = (unit: string, times: number): string => lane.runUnit(unit, times);
    const tellNext = (line: string): void => void this.#next.push(line);
    const isLive = (): boolean => lane.isLive;
    const told = { nextUnit, runUnit, tellNext, isLive, signal: lane.signal };
    return { ...run, ...told, ports, sink, budget: this.#budget, toldCommits: new Set() };
  }

  /** Warnings belong to this process: with other limits a resume gives them elsewhere. */
  #count(event: Event): void {
    this.#totals.add(event);
    for (const note of this.#budget.add(event))
      this.#request.recorder.event(note, { lane: null, late: false });
  }

  async play(): Promise<SessionOutcome> {
    const { clock, tree } = this.#request.run.ports;
    const began = clock.monotonicMs();
    const look = await this.#run.ports.tree.look();
    const start = await markTree(this.#run, look);
    this.#look = look;
    this.#announce(look);
    const outcome = await this.#inputs();
    const end = await tree.look();
    const touched = end.head !== start.head || end.changes.length > 0;
    const files = touched ? await tree.filesSince(start) : [];
    const reachable =
      end.head === start.head ? [] : await tree.commitsBetween(start.head, end.head);
    const counted = this.#totals.totals(new Set(reachable.map(({ sha }) => sha)));
    const { commitList, failedInputs, tolerated, ...sums } = counted;
    const stays = outcome.status === "interrupted" || outcome.status === "suspended";
    const durationMs = this.#request.spent.durationMs + clock.monotonicMs() - began;
    this.#run.sink.event({
      type: "session-finished",
      session: this.#run.facts.id,
      ...outcome,
      exitCode: this.#request.exitCode(outcome),
      maxIterations: this.#run.plan.maxIterations,
      limit: this.#limit,
      ...this.#budget.account,
      totals: { ...sums, filesChanged: files.length, durationMs },
      commits: commitList,
      failedInputs,
      toleratedFailures: tolerated,
      directory: this.#run.facts.directory,
      next: [...this.#next, ...this.#wayOn(outcome)],
      ...(stays ? { left: await tree.mark(end) } : {}),
    });
    return outcome;
  }

  #announce(look: { readonly head: string; readonly branch: string | null }): void {
    const { plan, facts, options, ports, sink, budget } = this.#run;
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
      limits: budget.limits,
      replay: facts.replay,
      version: facts.version,
    });
  }

  async #inputs(): Promise<SessionOutcome> {
    const { inputs } = this.#request;
    if (inputs.length === 0) return this.#iterations(this.#strand("main"), null);
    let failed = false;
    for (const input of inputs) {
      const run = this.#strand(`input-${input.index}`);
      const { ports, sink } = run;
      const began = ports.clock.monotonicMs();
      sink.event({ type: "input-started", input });
      const { status, stop } = await this.#iterations(run, input);
      // It has not finished: a resume goes on in the middle of it.
      if (status === "suspended") return { status, stop };
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
  async #iterations(run: Run, input: InputValue | null): Promise<SessionOutcome> {
    const { plan, ports, sink } = run;
    const { maxIterations } = plan;
    const number = input?.index ?? null;
    let origin: TreePoint | null = null;
    for (let iteration = 1; iteration <= maxIterations; iteration += 1) {
      if (run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
      const began = ports.clock.monotonicMs();
      sink.event({
        type: "iteration-started",
        iteration,
        maxIterations,
        input: number,
      });
      const look = this.#look ?? (await ports.tree.look());
      this.#look = null;
      const point = await markTree(run, look);
      origin ??= point;
      const frame: Frame = {
        run,
        iteration,
        input,
        scope: new Scope(variablesOf(run, iteration, input), run.facts.environment, {
          params: run.plan.params,
          mask: run.secrets.mask,
        }),
        start: { look, point },
        look,
        item: null,
        specs: [],
      };
      const end = await this.#steps(frame);
      if (end?.kind === "suspended") return this.#suspend(end.limit);
      if (end?.kind === "failed") {
        if (run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
        // A failed input leaves nothing on the branch (spec 8.4); without inputs earlier steps stay (spec 5).
        // In a worktree a failed run stays for a look; the next input needs a clean one.
        const stays = input === null && run.facts.worktree !== null;
        const point = input === null ? end.start : origin;
        const line = stays ? null : await rollBack(frame, end.at, point);
        if (line !== null) this.#next.push(line);
        return { status: "failed", stop: "step-failed" };
      }
      const changed = !(await isUnchanged(frame));
      const asked = await askUntil(frame);
      const durationMs = ports.clock.monotonicMs() - began;
      const done = { iteration, input: number, changed, durationMs };
      sink.event({ type: "iteration-finished", ...done });
      const outcome = stopAfter(frame, { asked, changed, isLast: end !== null });
      if (outcome === null) continue;
      if (outcome.stop === "criterion-unmet" && input !== null) {
        const line = await rollBack(frame, untilPlace(frame), origin);
        if (line !== null) this.#next.push(line);
      }
      return outcome;
    }
    return { status: "completed", stop: "iterations-done" };
  }

  /** The result that ended the list early; `null`: all steps were done. */
  async #steps(frame: Frame): Promise<Exclude<StepResult, { kind: "done" }> | null> {
    const { run } = frame;
    const { steps, usesProject } = run.plan;
    if (usesProject) frame.scope.project = await run.ports.project.commands();
    for (const [index, planned] of steps.entries()) {
      const result = await runStep(frame, planned, {
        number: index + 1,
        total: steps.length,
        depth: 0,
      });
      if (result.kind !== "done") return result;
      if (run.signal.aborted) return null;
    }
    return null;
  }

  /** After a Ctrl-C; a suspension has said its line. */
  #wayOn({ status }: SessionOutcome): readonly string[] {
    return status === "interrupted" ? [`mmm resume ${this.#run.facts.id}`] : [];
  }

  /** Nothing is undone: the tree stays as it is, for the resume (spec 7). */
  #suspend(limit: LimitReached): SessionOutcome {
    if (this.#run.signal.aborted) return { status: "interrupted", stop: "interrupted" };
    this.#limit = limit;
    this.#next.push(resumeLine(this.#run.facts.id, limit));
    return { status: "suspended", stop: limit.kind === "usage" ? "usage-limit" : "limit" };
  }
}
