/** Claude for the steps of a merge, when they call it. */
import path from "node:path";
import type { MergeTrouble } from "../../engine/merge.ts";
import type { ClaudePort } from "../../engine/ports.ts";
import { MmmError } from "../../errors.ts";
import type { PlannedStep } from "../../playbook/plan-model.ts";
import { everyPlannedStep } from "../../playbook/plan-steps.ts";
import { ownChildren } from "../../process/children.ts";
import { Reserve } from "../../process/reserve.ts";
import { openClaude } from "../claude-check.ts";
import { noClaude } from "../world.ts";
import type { MergeContext } from "./merge-context.ts";
import { MERGE_COMMAND } from "./merge-step.ts";

/** @param directory of the session */
export async function claudeFor(
  steps: readonly PlannedStep[],
  known: MergeContext,
  directory: string,
): Promise<{ readonly port: ClaudePort } | MergeTrouble> {
  const calls = [...everyPlannedStep(steps)].filter(({ kind }) => kind === "claude");
  if (calls.length === 0) return { port: noClaude };
  if (known.request.replay !== null)
    return { why: "a recording stands in for Claude, and it knows no merges", lines: [] };
  try {
    const { invocation, config, secrets, isResolved } = known;
    return await openClaude(steps, {
      invocation,
      children: ownChildren,
      // The step that mmm itself has made is known to be there.
      lookup: { isResolved: (name) => name === MERGE_COMMAND || isResolved(name) },
      identity: Promise.resolve(),
      bin: config.claudeBin,
      strictPermissions: config.strictPermissions,
      redactor: secrets.redactor,
      // What it would be let go for is told when the session is over.
      reserve: new Reserve(path.join(directory, "reserve")),
    });
  } catch (error) {
    if (error instanceof MmmError) return { why: error.message, lines: error.next };
    throw error;
  }
}
