import type { ShellStep } from "../playbook/model.ts";
import type { PlannedShell } from "../playbook/plan-model.ts";
import type { PlanCompiler, PlannedBody } from "./plan-kind.ts";

export function planShell(step: ShellStep, compiler: PlanCompiler): PlannedBody<PlannedShell> {
  const run = compiler.shell(step.run);
  const stdin = step.stdin && compiler.text(step.stdin);
  return { body: { kind: "shell", step, run, stdin }, needsCommit: false };
}
