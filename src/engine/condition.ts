/** Whether a step runs at all, before its first attempt (spec 2.5, 4). */
import { err, ok, type Result } from "../lib/result.ts";
import type { PlannedStep } from "../playbook/plan-model.ts";
import type { Condition, ConditionReference } from "../values/condition/compile.ts";
import type { Value } from "../values/value.ts";
import type { Frame } from "./context.ts";
import { failure, refused } from "./failure.ts";
import type { Failure } from "./outcome.ts";
import { CAPTURE_BYTES, renderText } from "./render.ts";

/** Bytes of what steps printed that one condition may look at, all together. */
const MOST_BYTES = 4 * CAPTURE_BYTES;
const SHOWN = 200;

export type Answer =
  | { readonly kind: "runs" }
  /** `why`: for people. */
  | { readonly kind: "skipped"; readonly why: string };

/** The error: a value cannot be had or compared; the step has failed without an attempt. */
export async function askCondition(
  frame: Frame,
  planned: PlannedStep,
): Promise<Result<Answer, Failure>> {
  const { condition } = planned;
  if (condition === null) return ok({ kind: "runs" });
  const answer = await holds(frame, planned, condition);
  if (!answer.ok) return answer;
  return ok(
    answer.value
      ? { kind: "runs" }
      : { kind: "skipped", why: `condition is false: ${shownCondition(condition)}` },
  );
}

/** An expression with the values that are there now; the error: one cannot be had or compared. */
export async function holds(
  frame: Frame,
  place: Pick<PlannedStep, "env" | "path">,
  condition: Condition,
): Promise<Result<boolean, Failure>> {
  const trouble = await declareEnv(frame, place, condition);
  if (trouble !== null) return err(trouble);
  const values = await valuesOf(frame, condition);
  if (!values.ok) return values;
  const { evaluateCondition } = await import("../values/condition/evaluate.ts");
  const status = { success: !frame.scope.hasFailed };
  const answer = evaluateCondition(condition, { values: values.value, status });
  if (answer.ok) return answer;
  return err(failure("value", `condition ${shownCondition(condition)}: ${answer.error}`));
}

/** The texts of `env` that the condition asks for; the attempts make theirs anew. */
async function declareEnv(
  { run, scope }: Frame,
  planned: Pick<PlannedStep, "env" | "path">,
  condition: Condition,
): Promise<Failure | null> {
  const asked = [...condition.references.values()].some(
    ({ reference }) => reference.path[0] === "env",
  );
  if (!asked) return null;
  // All of them, as a gate has it: where they may stand the plan has checked.
  const declared = new Map(run.secrets.values);
  scope.declaredEnv = declared;
  const context = { scope, store: run.ports.store, unit: planned.path };
  for (const { name, value } of [...run.plan.env, ...planned.env]) {
    const text = await renderText(value, context);
    if (text.ok) declared.set(name, text.value);
    else if (text.error.kind === "refused") return refused(text.error);
    else return failure("value", `env ${name}: ${text.error.reference} is not there`);
  }
  return null;
}

async function valuesOf(
  { run, scope }: Frame,
  condition: Condition,
): Promise<Result<ReadonlyMap<ConditionReference, Value>, Failure>> {
  const { store } = run.ports;
  const values = new Map<ConditionReference, Value>();
  const texts = new Map<string, string>();
  let bytes = 0;
  for (const each of condition.references.values()) {
    const found = scope.find(each.reference);
    if (found.kind !== "file") {
      values.set(each, found.kind === "value" ? found.value : null);
      continue;
    }
    let text = texts.get(found.file);
    if (text === undefined) {
      const size = await store.size(found.file);
      bytes += size;
      if (size > CAPTURE_BYTES || bytes > MOST_BYTES) return err(tooLarge(each, size));
      // As `$( )` has it: nobody compares with the line end that a command prints last.
      text = withoutLineEnds((await store.read(found.file)).text);
      texts.set(found.file, text);
    }
    values.set(each, text);
  }
  return ok(values);
}

/** By hand: `/[\r\n]+$/` takes quadratic time on a text of line ends. */
function withoutLineEnds(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "\n" || text[end - 1] === "\r")) end -= 1;
  return text.slice(0, end);
}

function tooLarge({ reference }: ConditionReference, size: number): Failure {
  const mib = (size / 1024 / 1024).toFixed(1);
  return failure(
    "value",
    `the condition cannot look at ${reference.text}: it has ${mib} MiB, too much to compare`,
    null,
    ["capture the part that matters as an output"],
  );
}

/** On one line, cut. */
export function shownCondition({ source }: Condition): string {
  const line = source.trim().replace(/\s+/g, " ");
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line;
}
