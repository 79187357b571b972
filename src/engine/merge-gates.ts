/** The playbook's gates, on what a merge has made (spec 8.3, 8.4). */
import type { PlannedGate } from "../playbook/plan-model.ts";
import type { Frame } from "./context.ts";
import type { StepPlace } from "./events.ts";
import { judge } from "./gate.ts";
import type { GateTrouble } from "./gate-model.ts";

/**
 * The first that fails, by its name; `null`: all hold, or mmm was told to stop. What they change in the tree
 * stays: the caller puts it back, or throws the tree away.
 */
export async function judgeMerge(
  frame: Frame,
  gates: readonly PlannedGate[],
): Promise<{ readonly gate: string; readonly trouble: GateTrouble } | null> {
  const { run } = frame;
  for (const gate of gates) {
    if (run.signal.aborted) break;
    const at = mergePlace(frame, gate);
    const unit = run.nextUnit(at.step);
    const planned = { env: [], workingDir: null, path: at.step };
    const verdict = await judge(
      { frame, planned, at, attempt: 1, unit, timeoutMs: null, gate, when: "merge" },
      gate.check,
      null,
    );
    if (verdict.kind !== "failed") continue;
    return { gate: gate.name, trouble: verdict.trouble };
  }
  return null;
}

/** Behind the last step. */
function mergePlace(frame: Frame, gate: PlannedGate): StepPlace {
  const { steps } = frame.run.plan;
  return {
    step: "merge",
    id: null,
    label: `merge ${gate.name}`,
    kind: "shell",
    number: steps.length,
    total: steps.length,
    depth: 0,
    iteration: frame.iteration,
    input: frame.input?.index ?? null,
    place: gate.place,
  };
}
