/** The merge of a session's branch, at work in a tree of its own: its steps, then gates on what they made (spec 8.3). */
import { unreachable } from "../lib/unreachable.ts";
import type { PlannedGate, PlannedStep } from "../playbook/plan-model.ts";
import type { MergeField } from "../values/names.ts";
import { Budget, type LimitReached, type SessionLimits } from "./budget.ts";
import type { Frame, GivenRun, Run } from "./context.ts";
import type { Event, EventSink } from "./events.ts";
import { frameOf } from "./iterations.ts";
import { Ledger, type Spending } from "./ledger.ts";
import { shownAmount } from "./limit-words.ts";
import { judgeMerge } from "./merge-gates.ts";
import { runStep } from "./step.ts";
import type { Spent } from "./totals.ts";

/** `${merge.x}` (spec 8.3). */
type MergeValues = Readonly<Record<MergeField, string>>;

export interface MergeWork {
  /** Its tree is the one in which the merge is made; nobody keeps it. */
  readonly run: GivenRun;
  readonly values: MergeValues;
  readonly limits: SessionLimits;
  /** What the session has spent so far. */
  readonly spent: Spent;
  /** Of the files of this merge; no other merge of the session has had it. */
  readonly unit: string;
  readonly sink: Pick<EventSink, "event" | "live">;
}

/** Why a merge cannot be: `lines` are for people, under the sentence. */
export interface MergeTrouble {
  readonly why: string;
  readonly lines: readonly string[];
}

/** One try; to be made anew for each. */
export class MergeRun {
  readonly #work: MergeWork;
  readonly #run: Run;
  readonly #ledger = new Ledger();

  constructor(work: MergeWork) {
    this.#work = work;
    const budget = new Budget(work.limits, work.run.ports.clock, {
      earlier: work.spent,
      atOnce: 1,
    });
    const event = (told: Event): void => {
      this.#ledger.add(told);
      const due = budget.add(told);
      for (const each of [told, ...due]) work.sink.event(each);
    };
    let units = 0;
    this.#run = {
      ...work.run,
      options: { ...work.run.options, merging: true },
      budget,
      sink: { event, aside: event, live: (live) => work.sink.live(live) },
      nextUnit: (path) => `${work.unit}-${String((units += 1)).padStart(2, "0")}-${path}`,
      runUnit: (unit, times) => `${unit}.${times}`,
      // The tree is gone afterwards, and with it what could be typed.
      tellUndone: () => undefined,
      isLive: () => true,
      // What is half merged is no leftover.
      startOver: () => Promise.resolve(),
      goOver: () => null,
      toldCommits: new Set(),
    };
  }

  /** What this merge alone has spent. */
  get spending(): Spending {
    return this.#ledger.spending;
  }

  /** Runs the steps as an iteration would; `null`: all have come to their end. */
  async steps(steps: readonly PlannedStep[]): Promise<MergeTrouble | null> {
    const frame = await this.#frame();
    const { signal, plan, ports } = this.#run;
    if (plan.usesProject) frame.scope.project = await ports.project.commands();
    for (const [index, planned] of steps.entries()) {
      const position = { number: index + 1, total: steps.length, depth: 0 };
      const result = await runStep(frame, planned, position);
      if (signal.aborted) return INTERRUPTED;
      switch (result.kind) {
        case "done":
          break;
        case "nothing-left":
          return null;
        case "failed": {
          const { message, tail, log } = result.detail;
          return { why: `${planned.step.label}: ${message}`, lines: evidence(tail, log) };
        }
        case "suspended":
          return { why: limitWords(result.limit), lines: [] };
        default:
          return unreachable(result);
      }
    }
    return null;
  }

  /** On the tree as it stands; the first that fails ends it. */
  async gates(gates: readonly PlannedGate[]): Promise<MergeTrouble | null> {
    if (gates.length === 0) return null;
    const frame = await this.#frame();
    const failed = await judgeMerge(frame, gates);
    if (this.#run.signal.aborted) return INTERRUPTED;
    if (failed === null) return null;
    const { message, ran } = failed.trouble;
    const why = `the gate \`${failed.gate}\` fails on the outcome: ${message}`;
    return { why, lines: evidence(ran?.tail ?? "", ran?.log) };
  }

  async #frame(): Promise<Frame> {
    const look = await this.#run.ports.tree.look();
    const { values } = this.#work;
    return frameOf(this.#run, { iteration: 1, input: null, look, merge: values });
  }
}

const INTERRUPTED: MergeTrouble = { why: "the merge was interrupted", lines: [] };

function evidence(tail: string, log: string | null | undefined): readonly string[] {
  const said = tail.split("\n").filter((line) => line !== "");
  return [...said, ...(log ? [`log ${log}`] : [])];
}

function limitWords({ kind, limit, spent, stoppedAt }: LimitReached): string {
  if (stoppedAt !== undefined) {
    const left = shownAmount("cost", (limit ?? 0) - (spent ?? 0));
    return `Claude was stopped at ${shownAmount("cost", stoppedAt)}, and ${left} is left of the limit of the session`;
  }
  switch (kind) {
    case "cost":
    case "tokens":
    case "duration":
      return `the limit of the session is reached: ${shownAmount(kind, limit ?? 0)}`;
    case "unknown-cost":
      return "a run of Claude did not tell its cost, and the session has a limit on it";
    case "usage":
      return "Claude's usage limit is reached";
    default:
      return unreachable(kind);
  }
}
