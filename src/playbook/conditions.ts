/** The library behind conditions is loaded for the playbooks that have one: most have none. */
import type { Playbook } from "./model.ts";
import type { planCondition } from "./plan-condition.ts";
import { everyStepOf } from "./plan-steps.ts";
import type { ReadResult } from "./read.ts";

export type PlanCondition = typeof planCondition;

/** `null`: nothing in the playbook is decided by an expression. */
export async function conditionsOf({
  playbook,
  partial,
}: Pick<ReadResult, "playbook" | "partial">): Promise<PlanCondition | null> {
  const known = playbook ?? partial?.playbook ?? null;
  if (known === null || !hasExpression(known)) return null;
  return (await import("./plan-condition.ts")).conditionPlanner();
}

function hasExpression({
  gates,
  until,
  ...lists
}: Pick<Playbook, "gates" | "until" | "steps" | "merge">): boolean {
  if (until !== null || gates.some(({ check }) => check?.kind === "expression")) return true;
  for (const step of everyStepOf(lists)) if (step.condition !== null) return true;
  return false;
}
