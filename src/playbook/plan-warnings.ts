/** What works and is hardly meant: told by `mmm validate`, and by `mmm cook -v`. */
import type { Diagnostic } from "./diagnostic.ts";
import type { FailureHandler, Playbook, Step } from "./model.ts";
import { everyStepOf } from "./plan-steps.ts";

/** In time linear in the playbook. */
export function warningsOn(playbook: Playbook): readonly Diagnostic[] {
  return [...unusedOutputs(playbook), ...idleHandlers(playbook), ...unreachable(playbook)];
}

/** mmm itself reads these: they become the `score` of `state.json`. */
const READ_BY_MMM = new Set(["score", "health_score"]);

/** A declared output that nothing names again: a failing capture would stop the run for nothing. */
function unusedOutputs({ text, ...lists }: Playbook): readonly Diagnostic[] {
  const declared = [...everyStepOf(lists)].flatMap((step) => step.outputs);
  if (declared.length === 0) return [];
  const counts = new Map(declared.map(({ name }) => [name, 0]));
  let unused = counts.size;
  for (const [word] of text.matchAll(/[A-Za-z_][\w-]*/g)) {
    const count = counts.get(word);
    if (count === undefined) continue;
    counts.set(word, count + 1);
    if (count === 1) unused -= 1;
    if (unused === 0) break;
  }
  return declared
    .filter(({ name }) => !READ_BY_MMM.has(name) && counts.get(name) === 1)
    .map(({ name, range }) => ({
      code: "unused-output",
      severity: "warning",
      message: `nothing uses the output \`${name}\``,
      range,
      help: `write \${${name}} in a later step, or leave it out: an output that cannot be had fails its step`,
    }));
}

/** A handler beside a command whose exit code is known. */
function idleHandlers(playbook: Playbook): readonly Diagnostic[] {
  return [...everyStepOf(playbook)].flatMap((step): readonly Diagnostic[] => {
    const code = knownExitCode(step);
    const repair =
      code !== null && code !== 0 && step.onExitCode.find((each) => each.code === code);
    const idle = [
      ...(code !== null && code !== 0 ? step.onSuccess.slice(0, 1) : []),
      ...(repair && step.onFailure !== null ? [step.onFailure] : []),
      ...step.onExitCode.filter((each) => code !== null && each.code !== code).map(handlerOf),
    ];
    return idle.map(({ range }) => ({
      code: "idle-handler",
      severity: "warning",
      message: `this handler never runs: the command always ends with exit code ${code ?? 0}`,
      range,
      help: "leave it out, or let the command decide",
    }));
  });
}

function handlerOf({ handler }: Step["onExitCode"][number]): FailureHandler {
  return handler;
}

/** Of a command that does nothing else; `null`: it depends. */
function knownExitCode(step: Step): number | null {
  if (step.kind !== "shell") return null;
  const text = step.run.value.trim();
  if (/^(?:true|:)$/.test(text)) return 0;
  if (text === "false") return 1;
  const code = /^exit\s+(\d{1,3})$/.exec(text)?.[1];
  return code === undefined ? null : Number(code);
}

/** Steps behind one that always ends the run. */
function unreachable(playbook: Playbook): readonly Diagnostic[] {
  return [...listsOf(playbook)].flatMap((steps): readonly Diagnostic[] => {
    const end = steps.findIndex(alwaysFails);
    const next = end === -1 ? undefined : steps[end + 1];
    if (next === undefined) return [];
    return [
      {
        code: "unreachable-step",
        severity: "warning",
        message: "this step is never reached: the one before it always fails",
        range: next.range,
        help: "put `condition` or `continue_on_error` at the step before it",
      },
    ];
  });
}

/** Every list of steps that runs one after the other. */
function* listsOf(playbook: Playbook): Generator<readonly Step[]> {
  yield playbook.steps;
  if (playbook.merge !== null) yield playbook.merge;
  for (const step of everyStepOf(playbook)) {
    if (step.onFailure !== null) yield step.onFailure.steps;
    for (const { handler } of step.onExitCode) yield handler.steps;
    yield step.onSuccess;
  }
}

function alwaysFails(step: Step): boolean {
  if (step.continueOnError || step.condition !== null || (knownExitCode(step) ?? 0) === 0)
    return false;
  const tolerated = [step.onFailure, ...step.onExitCode.map(({ handler }) => handler)].some(
    (handler) => handler?.failWorkflow === false,
  );
  return !tolerated;
}
