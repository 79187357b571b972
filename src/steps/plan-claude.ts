import type { ClaudeStep } from "../playbook/model.ts";
import type { CommandRules, PlannedClaude } from "../playbook/plan-model.ts";
import { commandOf } from "../playbook/plan-steps.ts";
import { leadingValue } from "../playbook/prompt-start.ts";
import type { PlanCompiler, PlannedBody, PlanPlace } from "./plan-kind.ts";

/** A commit is needed when the command's frontmatter says so, else by the form; that not in handlers (spec 5, 9.2). */
export function planClaude(
  step: ClaudeStep,
  compiler: PlanCompiler,
  { inHandler }: PlanPlace,
): PlannedBody<PlannedClaude> {
  const lead = leadingValue(step.prompt.value);
  if (lead !== null) compiler.report(step.prompt, lead);
  if (step.continues !== null) {
    const { text } = step.continues;
    const problem = compiler.conversation(step.continues.step);
    if (problem !== null)
      compiler.report(text, { ...problem, severity: "error", start: 0, end: text.value.length });
  }
  const command = commandOf(step);
  const rules = command === null ? null : compiler.rulesOf(command);
  const commit = rules?.commit ?? null;
  const byForm = step.form !== "claude" && !inHandler;
  return {
    body: {
      kind: "claude",
      step: withRules(step, rules),
      prompt: compiler.prompt(step.prompt),
      args: step.args.map((arg) => compiler.prompt(arg)),
      options: compiler.claudeOptions(step.options),
      command,
      // An argument that renders to nothing is no argument; that is seen when it runs.
      consumesSpec: rules?.consumes === "spec",
    },
    needsCommit: commit === null ? byForm : commit === "required",
  };
}

/** Outputs that are named without a rule are read as the command's frontmatter says (spec 9.2). */
function withRules(step: ClaudeStep, rules: CommandRules | null): ClaudeStep {
  if (step.outputs.every(({ rule }) => rule !== null)) return step;
  const outputs = step.outputs.map((output) => ({
    ...output,
    rule: output.rule ?? rules?.outputs?.find(({ name }) => name === output.name)?.rule ?? null,
  }));
  return { ...step, outputs };
}
