/** The library behind conditions is loaded for the playbooks that have one: most have none. */
import type { planCondition } from "./plan-condition.ts";
import { everyStep } from "./plan-steps.ts";
import type { ReadResult } from "./read.ts";

export type PlanCondition = typeof planCondition;

/** `null`: no step has a condition. */
export async function conditionsOf({
  playbook,
  partial,
}: Pick<ReadResult, "playbook" | "partial">): Promise<PlanCondition | null> {
  for (const step of everyStep((playbook ?? partial?.playbook)?.steps ?? []))
    if (step.condition !== null) return (await import("./plan-condition.ts")).planCondition;
  return null;
}
