/** Gates of a plan, as `mmm cook --dry-run` tells them. */
import type { ProjectCommands } from "../engine/ports.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { Comparison } from "../playbook/model.ts";
import type { KnownText, KnownTexts } from "../playbook/plan-known.ts";
import type { PlannedCheck, PlannedGate, PlannedMetric } from "../playbook/plan-model.ts";
import type { GateReport } from "../report/plan-report.ts";

/** @param project `null`: nobody has looked, so no gate needs it */
export function gateReport(
  { name, check, timeoutMs }: PlannedGate,
  texts: KnownTexts,
  project: ProjectCommands | null,
): GateReport {
  const common = { name, kind: check.kind, timeoutMs, must: null, tolerance: null, better: null };
  switch (check.kind) {
    case "expression":
      return { ...common, text: { text: check.condition.source.trim(), open: [] } };
    case "metric":
      return {
        ...common,
        text: metricText(check.metric, texts, project),
        must: check.must,
        ...(check.must === "not_regress"
          ? { tolerance: toleranceWords(check.tolerance), better: check.better }
          : {}),
      };
    case "shell":
    case "project":
      return { ...common, text: commandText(check, texts, project) };
    default:
      return unreachable(check);
  }
}

function metricText(
  metric: PlannedMetric,
  texts: KnownTexts,
  project: ProjectCommands | null,
): KnownText | null {
  switch (metric.kind) {
    case "shell":
    case "project":
      return commandText(metric, texts, project);
    case "coverage":
      return metric.run === null ? texts.text(metric.file) : texts.shell(metric.run);
    case "project-coverage":
      return commandText({ kind: "project", command: metric.command }, texts, project);
    default:
      return unreachable(metric);
  }
}

/** `null`: the project has no such command. */
function commandText(
  check: Extract<PlannedCheck, { kind: "shell" | "project" }>,
  texts: KnownTexts,
  project: ProjectCommands | null,
): KnownText | null {
  if (check.kind === "shell") return texts.shell(check.run);
  const command = project?.[check.command] ?? null;
  return command === null ? null : { text: command, open: [] };
}

function toleranceWords({ amount, of }: Comparison["tolerance"]): string {
  return of === "percent" ? `${amount}%` : String(amount);
}
