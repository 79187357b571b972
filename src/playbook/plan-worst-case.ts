/** How often a plan's steps can run at most: every attempt fails until the last, every handler is needed. */
import { unreachable } from "../lib/unreachable.ts";
import type { Plan, PlannedGate, PlannedStep } from "./plan-model.ts";
import { mostAttempts, mostRuns } from "./plan-steps.ts";

/** Runs by kind; whole numbers up to {@link MOST_RUNS}, where counting ends. */
export interface Runs {
  readonly claude: number;
  readonly shell: number;
  readonly analyze: number;
  /** Commands of gates and metrics. */
  readonly gates: number;
}

/** Beyond it nobody waits; the largest whole number that is exact. */
export const MOST_RUNS = Number.MAX_SAFE_INTEGER;

const NONE: Runs = { claude: 0, shell: 0, analyze: 0, gates: 0 };

/** One iteration, `until` behind it. */
export function iterationRuns({ steps, until }: Plan): Runs {
  return sum(runsOf(steps), { ...NONE, gates: until === null ? 0 : gateRuns(until.gate) });
}

export function runsOf(steps: readonly PlannedStep[]): Runs {
  return steps.map(ofStep).reduce(sum, NONE);
}

export function times(runs: Runs, factor: number): Runs {
  const most = (value: number): number => Math.min(MOST_RUNS, value * factor);
  return each(runs, NONE, most);
}

function ofStep(planned: PlannedStep): Runs {
  const attempts = mostAttempts(planned);
  const gates = planned.validation.reduce((all, gate) => all + gateRuns(gate), 0);
  const once = sum({ ...NONE, gates }, runsOf(planned.onSuccess));
  const own = sum(once, planned.kind === "foreach" ? loopRuns(planned) : ownRuns(planned));
  // One handler a failure: by its exit code, else `on_failure`. The last failure has none, unless it is the only one.
  const handlers = [planned.onFailure, ...planned.onExitCode.values()].map((handler) =>
    runsOf(handler?.steps ?? []),
  );
  const dearest = handlers.reduce(larger, NONE);
  return sum(times(own, attempts), times(dearest, Math.max(1, attempts - 1)));
}

function ownRuns(planned: Exclude<PlannedStep, { kind: "foreach" }>): Runs {
  return { ...NONE, [planned.kind]: mostRuns(planned) };
}

/** A list that is not known yet may have as many items as are allowed. */
function loopRuns({ items, step, steps }: Extract<PlannedStep, { kind: "foreach" }>): Runs {
  const count = items.kind === "list" ? items.items.length : step.maxItems;
  const listed = { ...NONE, shell: items.kind === "shell" ? 1 : 0 };
  return sum(listed, times(runsOf(steps), count));
}

/** A figure is taken before and after. */
function gateRuns({ check }: PlannedGate): number {
  switch (check.kind) {
    case "expression":
      return 0;
    case "metric":
      return check.metric.kind === "coverage" && check.metric.run === null ? 0 : 2;
    case "shell":
    case "project":
      return 1;
    default:
      return unreachable(check);
  }
}

function sum(a: Runs, b: Runs): Runs {
  return each(a, b, (one, other) => Math.min(MOST_RUNS, one + other));
}

/** Of each kind the larger number: at least as many as any one of the two. */
function larger(a: Runs, b: Runs): Runs {
  return each(a, b, Math.max);
}

function each(a: Runs, b: Runs, how: (one: number, other: number) => number): Runs {
  return {
    claude: how(a.claude, b.claude),
    shell: how(a.shell, b.shell),
    analyze: how(a.analyze, b.analyze),
    gates: how(a.gates, b.gates),
  };
}
