/** What a step means, as text: the same for the same step, wherever it stands in the file (spec 7). */
import type { Playbook, Step } from "./model.ts";
import { everyStep } from "./plan-steps.ts";

/** Places, and how a text is laid out in the file. */
const LAYOUT = new Set(["range", "idRange", "segments"]);

/** Handlers and the gates it lists included; what the header sets for all steps too. */
export function meaningOf(step: Step, playbook: Playbook): string {
  const { env, claude, commit } = playbook;
  const listed = new Set(
    [...everyStep([step])].flatMap(({ validation }) => validation.map(({ name }) => name)),
  );
  const gates = playbook.gates.filter(({ name }) => listed.has(name));
  return JSON.stringify([step, env, claude, commit, ...gates], (key, value: unknown) =>
    LAYOUT.has(key) ? undefined : value,
  );
}
