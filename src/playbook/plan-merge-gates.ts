/** The gates of a playbook that are run on the outcome of a merge (spec 8.3, 8.4). */
import type { Reference } from "../values/reference.ts";
import type { Plan, PlannedGate } from "./plan-model.ts";
import { everyPlannedStep } from "./plan-steps.ts";

/**
 * Each gate that a `validation` or `until` asks for, once, in order of appearance. Left out is what a merge
 * cannot answer: metrics compare with before, expressions and some commands refer to what a step, an input or
 * an iteration left.
 */
export function mergeGates({ steps, until }: Plan): readonly PlannedGate[] {
  const all = [...everyPlannedStep(steps)];
  const asked = all.flatMap(({ validation }) => validation);
  const stepEnv = new Set(all.flatMap(({ env }) => env.map(({ name }) => name)));
  const found = new Map<string, PlannedGate>();
  for (const gate of until === null ? asked : [...asked, until.gate])
    if (!found.has(gate.name) && standsAlone(gate, stepEnv)) found.set(gate.name, gate);
  return [...found.values()];
}

function standsAlone({ check }: PlannedGate, stepEnv: ReadonlySet<string>): boolean {
  switch (check.kind) {
    case "project":
      return true;
    case "shell":
      return check.run.references.every((reference) => isOfSession(reference, stepEnv));
    default:
      return false;
  }
}

const OF_SESSION: ReadonlySet<string | number | undefined> = new Set([
  "params",
  "project",
  "MAX_ITERATIONS",
  "PROJECT_ROOT",
  "WORKTREE",
  "SESSION_ID",
  "PLAYBOOK",
]);

/** The same at every step of a session, and after it. */
function isOfSession({ path }: Reference, stepEnv: ReadonlySet<string>): boolean {
  const [head, field] = path;
  return head === "env" ? !stepEnv.has(String(field)) : OF_SESSION.has(head);
}
