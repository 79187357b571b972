import { nearest } from "../lib/nearest.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Playbook } from "./model.ts";
import type { CommandRules } from "./plan-model.ts";
import { commandOf, everyStepOf } from "./plan-steps.ts";

/** Outputs that a step names without a rule, and its command does not declare (spec 9.2). */
export function undeclaredOutputs(
  playbook: Playbook,
  rules: ReadonlyMap<string, CommandRules>,
  isKnown: (command: string) => boolean,
): readonly Diagnostic[] {
  return [...everyStepOf(playbook)].flatMap((step) => {
    const command = step.kind === "claude" ? commandOf(step) : null;
    if (command === null || !isKnown(command)) return [];
    const names = (rules.get(command)?.outputs ?? []).map(({ name }) => name);
    return step.outputs
      .filter(({ name, rule }) => rule === null && !names.includes(name))
      .map(({ name, range }): Diagnostic => {
        const near = nearest(name, names);
        const declared = names.length === 0 ? "none" : names.join(", ");
        const help =
          near === null
            ? `it declares ${declared}; or write {${name}: {capture: text}}`
            : `did you mean \`${near}\`?`;
        const message = `/${command} declares no output ${name}`;
        return { code: "undeclared-output", severity: "error", message, range, help };
      });
  });
}
