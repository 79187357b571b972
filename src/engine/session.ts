/** session → each input → each iteration → each step (spec 4). The one engine of every mode. */
import { type GivenRun, markTree, type Run } from "./context.ts";
import type { PlannedGate } from "../playbook/plan-model.ts";
import { Budget, type LimitReached, type SessionLimits } from "./budget.ts";
import { standing } from "./broken-inputs.ts";
import { commitsSince } from "./commits-since.ts";
import { countPast } from "./count-past.ts";
import type { Event, InputValue } from "./events.ts";
import { type GoneOver, goOver } from "./gone-over.ts";
import { Lane, type Past, type Recorder } from "./lane.ts";
import { lanePorts, startOver, unitsOf } from "./lane-ports.ts";
import { restartTeller } from "./tell-restart.ts";
import { resumeLine } from "./limit-words.ts";
import type { SessionStatus, StopReason } from "./outcome.ts";
import type { InputTrees, InputWorld } from "./input-trees.ts";
import type { InputResult } from "./input-events.ts";
import { iterate, type IterationsEnd } from "./iterations.ts";
import { MergeTurns } from "./merge-turns.ts";
import { playInputs } from "./parallel.ts";
import { startOf } from "./session-start.ts";
import { NextLines } from "./next-lines.ts";
import type { Undone } from "./restore-line.ts";
import { earlierMs, type Spent, TotalsFold } from "./totals.ts";

export interface SessionOutcome {
  readonly status: SessionStatus;
  readonly stop: StopReason;
}

/** What the caller decides: the exit code of an interruption comes from the signal (spec 1.1). */
export interface SessionRequest {
  readonly run: GivenRun;
  readonly recorder: Recorder;
  readonly past: Past;
  /** What earlier processes of the session have used up. */
  readonly spent: Spent;
  readonly limits: SessionLimits;
  readonly inputs: readonly InputValue[];
  /** `null`: inputs one after the other, in the session's tree. */
  readonly parallel: Parallel | null;
  /** What is to be said of the inputs when {@link runSession} rejects. */
  readonly onBroken: (event: Event & { readonly type: "session-broken" }) => void;
  readonly exitCode: (outcome: SessionOutcome) => number;
}

export interface Parallel {
  readonly atOnce: number;
  readonly trees: InputTrees;
  /** Run on what each merge has made. */
  readonly gates: readonly PlannedGate[];
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
  readonly #next = new NextLines();
  /** Inputs in which the surroundings broke: what they said. */
  readonly #broken = new Map<number, string>();
  readonly #merged = new Set<number>();
  #limit: LimitReached | null = null;

  constructor(request: SessionRequest) {
    this.#request = request;
    this.#budget = new Budget(request.limits, request.run.ports.clock, {
      earlier: request.spent,
      atOnce: Math.min(request.parallel?.atOnce ?? 1, request.inputs.length),
    });
    this.#totals = new TotalsFold(this.#budget.ledger, request.spent);
    this.#warn(countPast(request.past, this.#budget, (event) => this.#fold(event)));
    this.#run = this.#strand("session");
  }

  /** The same run, with a lane of its own. */
  #strand(name: string): Run {
    const { run } = this.#request;
    return this.#on(this.#lane(name, run.signal), { ports: run.ports, facts: run.facts });
  }

  #lane(name: string, signal: AbortSignal): Lane {
    const { past, recorder } = this.#request;
    return new Lane({
      name,
      past: past.lanes.get(name),
      segment: past.segment,
      recorder,
      signal,
      count: (event) => this.#count(event),
    });
  }

  #on(lane: Lane, world: InputWorld): Run {
    const { run, recorder } = this.#request;
    const facts = { ...run.facts, ...world.facts };
    const { worktree } = facts;
    const tellUndone = (undone: Undone): void => this.#next.undone({ undone, worktree });
    const tell = restartTeller({ recorder, lane, git: facts.git, tellUndone });
    const { directory } = facts;
    const { ports, sink } = lanePorts(world.ports, lane, { directory, tell });
    const over = (iteration: number): GoneOver | null => goOver(lane, world.ports, iteration);
    const again = async (): Promise<void> => startOver(world.ports.tree, lane, tell);
    const told = { ...unitsOf(lane), tellUndone, goOver: over, startOver: again };
    return { ...run, facts, ...told, ports, sink, budget: this.#budget, toldCommits: new Set() };
  }

  #fold(event: Event): void {
    this.#totals.add(event);
    if (event.type === "input-merged") this.#merged.add(event.input.index);
  }

  #count(event: Event): void {
    this.#fold(event);
    this.#warn(this.#budget.add(event));
  }

  /** Warnings belong to this process: with other limits a resume gives them elsewhere. */
  #warn(notes: readonly Event[]): void {
    for (const note of notes) this.#request.recorder.event(note, { lane: null, late: false });
  }

  async play(): Promise<SessionOutcome> {
    const { clock, tree } = this.#request.run.ports;
    const began = clock.monotonicMs();
    const look = await this.#run.ports.tree.look();
    const start = await markTree(this.#run, look);
    this.#run.sink.event(startOf(this.#run, this.#request, look));
    const outcome = await this.#inputs().catch(async (error: unknown) => {
      await this.#tellBroken(start.head);
      throw error;
    });
    const end = await tree.look();
    const touched = end.head !== start.head || end.changes.length > 0;
    const files = touched ? await tree.filesSince(start, end) : [];
    const inHistory = await commitsSince(tree, start.head, end.head);
    const counted = this.#totals.totals(inHistory);
    const { commitList, failedInputs, tolerated, ...sums } = counted;
    const stays = outcome.status === "interrupted" || outcome.status === "suspended";
    const durationMs = this.#request.spent.durationMs + clock.monotonicMs() - began;
    this.#sayWayOn(outcome);
    const inputResults = this.#results(outcome.status, inHistory);
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
      inputResults,
      toleratedFailures: tolerated,
      directory: this.#run.facts.directory,
      next: this.#next.lines(outcome.status, inputResults, this.#run.facts),
      ...(stays ? { left: await tree.mark(end) } : {}),
    });
    return outcome;
  }

  #results(status: SessionStatus, inHistory: ReadonlySet<string>): readonly InputResult[] {
    return this.#totals.inputs
      .results(this.#request.inputs, status, inHistory)
      .map((each) => ({ ...each, message: this.#broken.get(each.input.index) ?? each.message }));
  }

  /** The surroundings broke: how far the inputs have come, as well as it can be said then. */
  async #tellBroken(head: string): Promise<void> {
    const { run, inputs, parallel, onBroken } = this.#request;
    if (inputs.length < 2) return;
    const { tree } = run.ports;
    const inHistory = await tree
      .look()
      .then((end) => commitsSince(tree, head, end.head))
      .catch(() => new Set<string>());
    const { id: session, directory } = run.facts;
    const left = { merged: this.#merged, trees: parallel?.trees ?? null };
    const inputResults = await standing(this.#results("interrupted", inHistory), left);
    const next = this.#next.lines("interrupted", inputResults, this.#run.facts);
    onBroken({ type: "session-broken", session, directory, inputResults, next });
  }

  async #inputs(): Promise<SessionOutcome> {
    const { inputs, parallel } = this.#request;
    const worktree = this.#run.facts.worktree !== null;
    // In a worktree a failed run stays for a look; the next input needs a clean one.
    if (inputs.length === 0)
      return this.#ended(
        await iterate({ run: this.#strand("main"), input: null, stays: worktree }),
      );
    if (parallel !== null) return this.#ended(await this.#atOnce(parallel));
    let failed = false;
    for (const input of inputs) {
      const run = this.#strand(`input-${input.index}`);
      const { ports, sink } = run;
      const began = ports.clock.monotonicMs();
      sink.event({ type: "input-started", input });
      const end = await iterate({ run, input, stays: false });
      const { status, stop } = end;
      // It has not finished: a resume goes on in the middle of it.
      if (status === "suspended") return this.#ended(end);
      sink.event({
        type: "input-finished",
        input,
        ok: status === "completed",
        stop,
        message: null,
        durationMs: earlierMs(this.#request.spent, input) + ports.clock.monotonicMs() - began,
      });
      if (status === "interrupted") return { status, stop };
      if (status === "failed") failed = true;
      if (failed && this.#run.options.failFast) break;
    }
    return failed
      ? { status: "failed", stop: "input-failed" }
      : { status: "completed", stop: "iterations-done" };
  }

  async #atOnce({ atOnce, trees, gates }: Parallel): Promise<IterationsEnd> {
    const { run, inputs } = this.#request;
    const broken = new AbortController();
    const signal = AbortSignal.any([run.signal, broken.signal]);
    const tell = (message: string): void =>
      this.#request.recorder.event(
        { type: "note", severity: "warning", message },
        { lane: null, late: false },
      );
    return playInputs({
      inputs,
      atOnce,
      failFast: run.options.failFast,
      signal,
      stopAll: ({ index }, error) => {
        this.#broken.set(index, error instanceof Error ? error.message : String(error));
        broken.abort();
      },
      onFewer: (most) => this.#budget.atMost(most),
      share: {
        trees,
        turns: new MergeTurns(trees, tell),
        gates,
        session: run.facts.id,
        earlierMs: (input) => earlierMs(this.#request.spent, input),
        isReplayed: run.ports.claude.recalled !== undefined,
        lane: (name) => this.#lane(name, signal),
        strand: (lane, world) => this.#on(lane, world),
      },
    });
  }

  #ended({ status, stop, limit }: IterationsEnd): SessionOutcome {
    if (limit !== null) {
      this.#limit = limit;
      this.#next.line(resumeLine(this.#run.facts.id, limit));
    }
    return { status, stop };
  }

  /** After a Ctrl-C, and with failed inputs that have trees of their own; a suspension has said its line. */
  #sayWayOn({ status }: SessionOutcome): void {
    const goesOn = status === "failed" && this.#request.parallel !== null;
    if (status === "interrupted" || goesOn) this.#next.line(`mmm resume ${this.#run.facts.id}`);
  }
}
