/** A plan and what is known around it, as `mmm cook --dry-run` tells it. */
import type { InputValue } from "../engine/events.ts";
import type { ProjectCommands } from "../engine/ports.ts";
import type { RepositoryStart } from "../git/repository.ts";
import { KnownTexts, type KnownValues } from "../playbook/plan-known.ts";
import type { Plan } from "../playbook/plan-model.ts";
import { iterationRuns, times } from "../playbook/plan-worst-case.ts";
import { soundsSecret } from "../playbook/secret-rules.ts";
import { positionAt } from "../playbook/source.ts";
import type { PlanReport } from "../report/plan-report.ts";
import type { Value } from "../values/value.ts";
import type { Config } from "./config.ts";
import type { CheckedRequest } from "./cook-checks.ts";
import type { CookRequest, Invocation } from "./cook-request.ts";
import { gateReport } from "./dry-run-gates.ts";
import { mergeReports, stepReports } from "./dry-run-steps.ts";
import type { Expectations } from "./expectations.ts";
import { chooseLimits } from "./limits.ts";

/** Inputs that are named; the others are counted. */
const MAX_INPUTS = 20;

interface Known {
  readonly plan: Plan;
  readonly start: RepositoryStart | null;
  readonly inputs: readonly InputValue[];
  readonly history: Expectations;
  readonly project: ProjectCommands | null;
}

interface Given {
  readonly request: CookRequest;
  readonly invocation: Invocation;
  readonly checked: CheckedRequest;
  readonly config: Config;
  readonly commit: "auto" | "off";
}

/** Without what a run would be refused for. */
export function planReport(known: Known, given: Given): Omit<PlanReport, "problems" | "notes"> {
  const { plan, start, inputs, history, project } = known;
  const { request, checked, config } = given;
  const { playbook, file, cwd } = checked;
  const values = valuesOf({ plan, inputs, root: start?.root ?? cwd, project }, given);
  const steps = stepReports(plan, { values, project }, history.steps);
  const iteration = iterationRuns(plan, project);
  const { until } = plan;
  const atOnce = request.parallel ?? null;
  const { costUsd, tokens, durationMs } = chooseLimits({ request, plan, config });
  return {
    v: 1,
    type: "plan",
    playbook: {
      file: file.shown,
      name: playbook.name,
      description: playbook.description,
      shipped: file.shipped,
    },
    tree: {
      root: start?.root ?? cwd,
      branch: start?.branch ?? null,
      head: start?.head ?? null,
      cwd,
      isWorktree: request.worktree === true || playbook.worktree.wanted || atOnce !== null,
    },
    commit: given.commit,
    replay: request.replay,
    inputs: {
      count: inputs.length,
      atOnce: atOnce ?? 1,
      first: inputs.slice(0, MAX_INPUTS).map(({ arg, file: each }) => ({ arg, file: each })),
    },
    params: [...plan.params].map(([name, value]) => ({ name, value })),
    secrets: playbook.secrets.map(({ name }) => name),
    iterations: { max: plan.maxIterations, from: plan.boundFrom },
    until: until === null ? null : gateReport(until.gate, new KnownTexts(values), project),
    limits: { costUsd, tokens, durationMs },
    steps,
    merge: mergeReports(plan, { values, project }),
    worstCase: {
      iteration,
      total: times(iteration, plan.maxIterations * Math.max(1, inputs.length)),
    },
    expected: {
      sessions: history.sessions,
      iteration: iterationOf(steps),
      session: history.session,
    },
    diagnostics: diagnosticsOf(checked),
  };
}

function diagnosticsOf({ diagnostics, source }: CheckedRequest): PlanReport["diagnostics"] {
  return diagnostics.map(({ code, severity, message, range, help }) => {
    const { line, column } = positionAt(source, range.start);
    return { code, severity, message, line, column, help: help ?? null };
  });
}

function iterationOf(steps: PlanReport["steps"]): PlanReport["expected"]["iteration"] {
  const sum = (values: readonly (number | null | undefined)[]): number | null => {
    const known = values.filter((value) => typeof value === "number");
    return known.length === 0 ? null : known.reduce((one, other) => one + other, 0);
  };
  const isUnknown = ({ expected, kind }: PlanReport["steps"][number]): boolean =>
    expected === null || (kind === "claude" && expected.costUsd === null);
  return {
    durationMs: sum(steps.map(({ expected }) => expected?.durationMs)),
    costUsd: sum(steps.map(({ expected }) => expected?.costUsd)),
    unknown: steps.filter(isUnknown).length,
  };
}

function valuesOf(
  known: {
    readonly plan: Plan;
    readonly inputs: readonly InputValue[];
    readonly root: string;
    readonly project: ProjectCommands | null;
  },
  { checked, invocation }: { readonly checked: CheckedRequest; readonly invocation: Invocation },
): KnownValues {
  const { plan, inputs, root, project } = known;
  const { secrets } = checked.playbook;
  const hidden = new Set(
    secrets.flatMap(({ name, from }) => [name, from.kind === "env" ? from.name : name]),
  );
  const variables = new Map<string, Value>([
    ["MAX_ITERATIONS", plan.maxIterations],
    ["PROJECT_ROOT", root],
    ["WORKTREE", null],
    ["PLAYBOOK", checked.file.shown],
  ]);
  if (plan.maxIterations === 1) variables.set("ITERATION", 1);
  if (inputs.length > 0) variables.set("TOTAL", inputs.length);
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined) {
    variables.set("ARG", only.arg).set("FILE", only.file).set("INDEX", only.index);
  } else if (inputs.length === 0) {
    for (const name of ["ARG", "FILE", "INDEX", "TOTAL"]) variables.set(name, null);
  }
  return {
    variables,
    params: plan.params,
    environment: (name) => invocation.env[name] ?? null,
    project,
    isSecret: (name) => hidden.has(name) || soundsSecret(name),
  };
}
