/** From a file's bytes, read, to a plan or all problems at once: the reader's and the plan's (spec 2). */
import type { Diagnostic } from "./diagnostic.ts";
import { planPlaybook } from "./plan.ts";
import type { PlanRequest } from "./plan-request.ts";
import type { Plan } from "./plan-model.ts";
import type { ReadResult } from "./read.ts";

/** `plan` is `null` when there is an error among the diagnostics, which are in the order of their places. */
export function planRead(
  { playbook, partial, diagnostics }: ReadResult,
  request: PlanRequest,
): { readonly plan: Plan | null; readonly diagnostics: readonly Diagnostic[] } {
  const known = playbook ?? partial?.playbook ?? null;
  if (known === null) return { plan: null, diagnostics };
  const planned = planPlaybook(known, request, partial?.holes ?? null);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const others = planned.diagnostics.filter(
    // One mistake, one problem: what the reader refused says enough.
    ({ range }) => !errors.some((e) => e.range.start <= range.start && range.end <= e.range.end),
  );
  return {
    plan: playbook === null ? null : planned.plan,
    diagnostics: inOrder([...diagnostics, ...others]),
  };
}

/** By their places. */
export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.range.start - b.range.start);
}
