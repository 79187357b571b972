/** What a step means, as text: the same for the same step, wherever it stands in the file (spec 7). */
import type { Playbook, Step } from "./model.ts";

/** Places, and how a text is laid out in the file. */
const LAYOUT = new Set(["range", "idRange", "segments"]);

/** Handlers included; what the header sets for all steps too. */
export function meaningOf(step: Step, playbook: Playbook): string {
  const { env, claude, commit } = playbook;
  return JSON.stringify([step, env, claude, commit], (key, value: unknown) =>
    LAYOUT.has(key) ? undefined : value,
  );
}
