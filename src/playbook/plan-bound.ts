import type { Playbook } from "./model.ts";
import type { Plan } from "./plan-model.ts";
import { everyStep } from "./plan-steps.ts";
import type { InputsKnown } from "./static-scope.ts";

/** Iterations of a playbook with Claude steps and without inputs (spec 1, `--max-iterations`). */
const DEFAULT_ITERATIONS = 10;

/** How often the steps are gone through at most, and who says so. @param given `maxIterations`: of the command line */
export function boundOf(
  { maxIterations, until, steps }: Pick<Playbook, "maxIterations" | "until" | "steps">,
  given: { readonly maxIterations: number | null; readonly inputs: InputsKnown },
): Pick<Plan, "maxIterations" | "boundFrom"> {
  if (given.maxIterations !== null)
    return { maxIterations: given.maxIterations, boundFrom: "option" };
  if (maxIterations !== null) return { maxIterations, boundFrom: "playbook" };
  const { inputs } = given;
  const oneShot =
    until === null &&
    ((inputs !== "unknown" && inputs.count > 0) ||
      ![...everyStep(steps)].some((step) => step.kind === "claude"));
  return { maxIterations: oneShot ? 1 : DEFAULT_ITERATIONS, boundFrom: "default" };
}
