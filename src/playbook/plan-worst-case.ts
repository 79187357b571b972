/** How often a plan's steps can run at most: every attempt fails until the last, every handler is needed. */
import { unreachable } from "../lib/unreachable.ts";
import type { ProjectField } from "../values/gate-words.ts";
import type { Plan, PlannedCheck, PlannedGate, PlannedMetric, PlannedStep } from "./plan-model.ts";
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

/** Commands of the project; one that is `null` is not there, and its gate is left out. `null`: nobody has looked. */
type Project = Readonly<Record<ProjectField, string | null>> | null;

/** One iteration, `until` behind it. */
export function iterationRuns({ steps, until }: Plan, project: Project = null): Runs {
  const asked = until === null ? 0 : gateRuns(until.gate, project).each;
  return sum(runsOf(steps, project), { ...NONE, gates: asked });
}

export function runsOf(steps: readonly PlannedStep[], project: Project = null): Runs {
  return steps.map((step) => ofStep(step, project)).reduce(sum, NONE);
}

export function times(runs: Runs, factor: number): Runs {
  const most = (value: number): number => Math.min(MOST_RUNS, value * factor);
  return each(runs, NONE, most);
}

function ofStep(planned: PlannedStep, project: Project): Runs {
  const attempts = mostAttempts(planned);
  const gates = planned.validation.map((gate) => gateRuns(gate, project));
  const [before, after] = (["before", "each"] as const).map((when) => ({
    ...NONE,
    gates: gates.reduce((all, gate) => all + gate[when], 0),
  })) as [Runs, Runs];
  const once = sum(after, runsOf(planned.onSuccess, project));
  const own = sum(once, planned.kind === "foreach" ? loopRuns(planned, project) : ownRuns(planned));
  // One handler a failure: by its exit code, else `on_failure`. The last failure has none, unless it is the only one.
  const handlers = [planned.onFailure, ...planned.onExitCode.values()].map((handler) =>
    runsOf(handler?.steps ?? [], project),
  );
  const dearest = handlers.reduce(larger, NONE);
  const all = sum(before, times(own, attempts));
  return sum(all, times(dearest, Math.max(1, attempts - 1)));
}

function ownRuns(planned: Exclude<PlannedStep, { kind: "foreach" }>): Runs {
  return { ...NONE, [planned.kind]: mostRuns(planned) };
}

/** A list that is not known yet may have as many items as are allowed. */
function loopRuns(
  { items, step, steps }: Extract<PlannedStep, { kind: "foreach" }>,
  project: Project,
): Runs {
  const count = items.kind === "list" ? items.items.length : step.maxItems;
  const listed = { ...NONE, shell: items.kind === "shell" ? 1 : 0 };
  return sum(listed, times(runsOf(steps, project), count));
}

interface GateRuns {
  /** Once for all attempts; again only after one that ended there. */
  readonly before: number;
  /** After each attempt. */
  readonly each: number;
}

/** A figure is taken before and after. */
function gateRuns({ check }: PlannedGate, project: Project): GateRuns {
  switch (check.kind) {
    case "expression":
      return { before: 0, each: 0 };
    case "metric": {
      const runs = isRun(check.metric, project) ? 1 : 0;
      return { before: runs, each: runs };
    }
    case "shell":
    case "project":
      return { before: 0, each: isRun(check, project) ? 1 : 0 };
    default:
      return unreachable(check);
  }
}

function isRun(
  what: PlannedMetric | Extract<PlannedCheck, { kind: "shell" | "project" }>,
  project: Project,
): boolean {
  if (what.kind === "shell") return true;
  return what.kind === "coverage" ? what.run !== null : project?.[what.command] !== null;
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
