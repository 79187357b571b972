/** The steps of a plan as `mmm cook --dry-run` tells them. */
import type { ProjectCommands } from "../engine/ports.ts";
import { unreachable } from "../lib/unreachable.ts";
import { meaningOf } from "../playbook/meaning.ts";
import type { OutputRule } from "../playbook/model.ts";
import { dependenciesOf } from "../playbook/plan-depends.ts";
import { type KnownText, KnownTexts, type KnownValues } from "../playbook/plan-known.ts";
import type { Plan, PlannedHandler, PlannedStep } from "../playbook/plan-model.ts";
import { mostAttempts, mostRuns } from "../playbook/plan-steps.ts";
import type { Expected, HandlerReport, StepReport } from "../report/plan-report.ts";
import { gateReport } from "./dry-run-gates.ts";
import { shortMeaning } from "./run-of.ts";

export interface StepsKnown {
  readonly values: KnownValues;
  /** `null`: nothing in the plan needs it. */
  readonly project: ProjectCommands | null;
}

export function stepReports(
  plan: Plan,
  { values, project }: StepsKnown,
  expected: ReadonlyMap<string, Expected>,
): readonly StepReport[] {
  const report = reporter(plan, plan.steps, { values, project });
  return plan.steps.map((planned) => {
    const meaning = shortMeaning(meaningOf(planned.step, plan.playbook));
    return { ...report(planned), expected: expected.get(meaning) ?? null };
  });
}

/** Of `merge`: nobody has kept what they took. */
export function mergeReports(plan: Plan, known: StepsKnown): readonly StepReport[] {
  const { merge } = plan;
  return merge === null ? [] : merge.map(reporter(plan, merge, known));
}

function reporter(
  plan: Plan,
  steps: readonly PlannedStep[],
  { values, project }: StepsKnown,
): (planned: PlannedStep) => StepReport {
  const needs = dependenciesOf(steps);
  const report = (planned: PlannedStep): StepReport => {
    const texts = new KnownTexts(values);
    texts.declare(plan.env);
    const own = stepReport(planned, texts, report);
    const validation = planned.validation.map((gate) => gateReport(gate, texts, project));
    return { ...own, validation, dependsOn: needs.get(planned.path) ?? [] };
  };
  return report;
}

function stepReport(
  planned: PlannedStep,
  texts: KnownTexts,
  nested: (planned: PlannedStep) => StepReport,
): StepReport {
  const { step } = planned;
  const env = texts.declare(planned.env);
  return {
    step: planned.path,
    id: step.id,
    label: step.label,
    kind: planned.kind,
    place: planned.place,
    rendered: rendered(planned, texts),
    stdin: planned.kind === "shell" && planned.stdin !== null ? texts.text(planned.stdin) : null,
    condition: planned.condition?.source.trim() ?? null,
    dependsOn: [],
    env,
    secrets: step.secrets.map(({ value }) => value),
    workingDir: planned.workingDir && texts.text(planned.workingDir),
    commitMessage: planned.commitMessage && texts.text(planned.commitMessage),
    timeoutMs: step.timeoutMs,
    maxAttempts: mostAttempts(planned),
    maxRuns: mostRuns(planned),
    continueOnError: step.continueOnError,
    commit: {
      required: planned.commitRequired,
      defaulted: planned.commitDefaulted,
      auto: step.autoCommit,
    },
    claude: claudeOf(planned),
    outputs: step.outputs.map(({ name, rule }) => ({ name, rule: ruleWords(rule) })),
    validation: [],
    handlers: handlersOf(planned, nested),
    expected: null,
  };
}

function rendered(planned: PlannedStep, texts: KnownTexts): KnownText | null {
  if (planned.kind === "analyze") return null;
  if (planned.kind === "shell") return texts.shell(planned.run);
  if (planned.kind === "foreach") return listed(planned, texts);
  const words = [planned.prompt, ...planned.args].map((template) => texts.text(template));
  const text = words.map((word) => word.text).filter((word, at) => at === 0 || word !== "");
  return {
    text: text.join(" ").trim(),
    open: [...new Set(words.flatMap(({ open }) => open))],
  };
}

/** Where the items of a loop come from. */
function listed(
  { items, step }: Extract<PlannedStep, { kind: "foreach" }>,
  texts: KnownTexts,
): KnownText {
  const most = `at most ${step.maxItems} items`;
  switch (items.kind) {
    case "list":
      return {
        text: items.items.length === 1 ? "1 item" : `${items.items.length} items`,
        open: [],
      };
    case "reference": {
      const name = items.reference?.name ?? "";
      return { text: `<${name}> (${most})`, open: [name] };
    }
    case "shell": {
      const { text, open } = texts.shell(items.run);
      return { text: `${text} (${most})`, open };
    }
    default:
      return unreachable(items);
  }
}

function claudeOf(planned: PlannedStep): StepReport["claude"] {
  if (planned.kind !== "claude") return null;
  const { options, command, consumesSpec } = planned;
  return {
    command,
    model: options.model ?? null,
    maxTurns: options.maxTurns ?? null,
    permissionMode: options.permissionMode ?? null,
    allowedTools: options.allowedTools ?? [],
    consumesSpec,
  };
}

/** What stands in a step: the steps of a loop, and its handlers. */
function handlersOf(
  planned: PlannedStep,
  nested: (planned: PlannedStep) => StepReport,
): readonly HandlerReport[] {
  const { onFailure, onExitCode, onSuccess } = planned;
  const failing = (handler: string, { handler: how, steps }: PlannedHandler): HandlerReport => ({
    handler,
    maxAttempts: how.maxAttempts,
    failWorkflow: how.failWorkflow,
    steps: steps.map(nested),
  });
  const success = { handler: "on_success", maxAttempts: null, failWorkflow: true };
  const each = { handler: "do", maxAttempts: null, failWorkflow: true };
  return [
    ...(planned.kind === "foreach" ? [{ ...each, steps: planned.steps.map(nested) }] : []),
    ...(onFailure === null ? [] : [failing("on_failure", onFailure)]),
    ...[...onExitCode].map(([code, each]) => failing(`on_exit_code ${code}`, each)),
    ...(onSuccess.length === 0 ? [] : [{ ...success, steps: onSuccess.map(nested) }]),
  ];
}

/** As in a playbook: `json $.a.b`, `file *.md`. */
function ruleWords(rule: OutputRule | null): string {
  if (rule === null) return "as its command says";
  const fallback = rule.default === undefined ? "" : `, else ${JSON.stringify(rule.default)}`;
  if (rule.kind === "file") return `${rule.all ? "files" : "file"} ${rule.pattern}${fallback}`;
  const parts = [rule.capture, rule.path, rule.pattern].filter((part) => part !== undefined);
  const from = rule.from === "stdout" ? "" : ` of ${rule.from}`;
  return `${parts.join(" ")}${from}${fallback}`;
}
