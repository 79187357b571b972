import type { Value } from "../values/value.ts";
import type { Run } from "./context.ts";
import type { InputValue } from "./events.ts";

/** The capital-letter variables of an iteration (spec 3.1). */
export function variablesOf(
  run: Run,
  iteration: number,
  input: InputValue | null,
): Map<string, { readonly value: Value; readonly foreign: boolean }> {
  const { plan, ports, facts } = run;
  const own = (value: Value): { value: Value; foreign: boolean } => ({ value, foreign: false });
  const variables = new Map([
    ["ITERATION", own(iteration)],
    ["MAX_ITERATIONS", own(plan.maxIterations)],
    ["PROJECT_ROOT", own(ports.tree.root)],
    ["WORKTREE", own(facts.worktree)],
    ["SESSION_ID", own(facts.id)],
    ["PLAYBOOK", own(facts.playbook)],
  ]);
  if (input === null) return variables;
  // A file's name was not typed by the user: it may begin with a dash (spec 3.2).
  const foreign = input.file !== null;
  variables.set("ARG", { value: input.arg, foreign });
  variables.set("FILE", { value: input.file, foreign });
  variables.set("INDEX", own(input.index));
  variables.set("TOTAL", own(input.total));
  return variables;
}
