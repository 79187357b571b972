/** A condition checked before anything runs: its form, its names, and whether it can decide anything (spec 2.5). */
import type { TextualProblem } from "../steps/plan-kind.ts";
import {
  compileCondition,
  type Condition,
  type ConditionReference,
} from "../values/condition/compile.ts";
import { evaluateCondition } from "../values/condition/evaluate.ts";
import {
  answerOf,
  deadComparisons,
  operatorOf,
  type StaticType,
} from "../values/condition/static-type.ts";
import type { Reference } from "../values/reference.ts";

interface ConditionChecks {
  /** Tells what is wrong with a reference; true when it can have a value. */
  readonly reference: (reference: Reference) => boolean;
  readonly report: (problem: TextualProblem) => void;
  readonly typeOf: (reference: ConditionReference) => StaticType;
}

/** Of one playbook: a text that stands in several places, as that of a gate does, is compiled once. */
export function conditionPlanner(): typeof planCondition {
  const compiled = new Map<string, Compiled>();
  return (source, checks) => {
    const known = compiled.get(source) ?? compileCondition(source);
    compiled.set(source, known);
    return planCompiled(known, checks);
  };
}

type Compiled = ReturnType<typeof compileCondition>;

/** `null` when it cannot be evaluated; the problems are told. */
export function planCondition(source: string, checks: ConditionChecks): Condition | null {
  return planCompiled(compileCondition(source), checks);
}

function planCompiled(
  { condition, problems }: Compiled,
  checks: ConditionChecks,
): Condition | null {
  for (const problem of problems) checks.report({ ...problem, severity: "error" });
  if (condition === null) return null;
  let sound = true;
  for (const { reference } of condition.references.values())
    sound = checks.reference(reference) && sound;
  if (!sound) return condition;
  const dead = deadComparisons(condition, checks.typeOf);
  for (const { node, message, help } of dead) {
    const { at, text } = operatorOf(node);
    checks.report({
      code: "dead-comparison",
      severity: "error",
      message: `this is always ${String(answerOf(node))}: ${message}`,
      help,
      start: at,
      end: at + text.length,
    });
  }
  if (dead.length === 0 && condition.references.size === 0 && !condition.asksStatus)
    checkConstant(condition, checks);
  return condition;
}

/** Without a reference the answer is known now. */
function checkConstant(condition: Condition, { report }: ConditionChecks): void {
  const status = { success: true };
  const answer = evaluateCondition(condition, { values: new Map(), status });
  const at = { start: 0, end: condition.source.length };
  if (!answer.ok) {
    report({ code: "condition-value", severity: "error", message: answer.error, ...at });
  } else if (!answer.value) {
    report({
      code: "constant-condition",
      severity: "warning",
      message: "the condition is always false: the step never runs",
      help: "remove the step, or name a value in the condition, as in ${ITERATION} > 1",
      ...at,
    });
  }
}
