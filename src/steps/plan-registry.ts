/** Which code plans which kind; a new kind is one line here. */
import { unreachable } from "../lib/unreachable.ts";
import type { Step } from "../playbook/model.ts";
import { planClaude } from "./plan-claude.ts";
import { planForeach } from "./plan-foreach.ts";
import type { PlanCompiler, PlannedBody, PlanPlace } from "./plan-kind.ts";
import { planShell } from "./plan-shell.ts";

export function planBody(step: Step, compiler: PlanCompiler, place: PlanPlace): PlannedBody {
  switch (step.kind) {
    case "claude":
      return planClaude(step, compiler, place);
    case "shell":
      return planShell(step, compiler);
    case "analyze":
      return { body: { kind: "analyze", step }, needsCommit: false };
    case "foreach":
      return planForeach(step, compiler, place);
    default:
      return unreachable(step);
  }
}
