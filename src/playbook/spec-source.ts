import type { Diagnostic } from "./diagnostic.ts";
import type { ClaudeStep, Playbook } from "./model.ts";
import type { CommandRules } from "./plan-model.ts";
import { commandOf, everyStep } from "./plan-steps.ts";

/**
 * Calls without an argument of commands that consume a spec (spec 9.2), where nothing before them can have written
 * one: they would never have anything to do. Shell steps, prompts and commands that say nothing of themselves can.
 */
export function missingSpecs(
  playbook: Playbook,
  rules: ReadonlyMap<string, CommandRules>,
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  let canBeThere = false;
  for (const step of everyStep(playbook.steps)) {
    if (step.kind === "shell") canBeThere = true;
    if (step.kind !== "claude") continue;
    const name = commandOf(step);
    const rule = name === null ? undefined : rules.get(name);
    if (rule?.consumes === "spec" && !canBeThere && isBareCall(step)) {
      found.push({
        code: "no-spec",
        severity: "warning",
        message: `/${name} takes the newest spec of the iteration, and no step before it writes one`,
        range: step.prompt.range,
        help: "give it an argument, or first call a command whose `mmm:` block says `produces: spec`",
      });
    }
    if (rule === undefined || rule.produces === "spec") canBeThere = true;
  }
  return found;
}

function isBareCall({ prompt, args }: ClaudeStep): boolean {
  return args.length === 0 && /^\/?\S+$/.test(prompt.value.trim());
}
