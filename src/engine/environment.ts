/** What every child gets in its environment (spec 2.7, 3.1, 7). */
import { byteLength } from "../lib/byte-length.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { PlannedStep } from "../playbook/plan-model.ts";
import { CAPTURED } from "../values/names.ts";
import { textOf } from "../values/value.ts";
import type { Frame } from "./context.ts";
import { failure, refused } from "./failure.ts";
import type { Failure } from "./outcome.ts";
import { renderText } from "./render.ts";

/**
 * Linux takes 131 072 bytes for one `NAME=value`. A longer variable is not exported, and is still
 * there as a reference (failure mode F05).
 */
const VARIABLE_BYTES = 100_000;

/** A step; a gate is a command for the shell, whatever the step it stands at. */
type Asking = Pick<PlannedStep, "env" | "workingDir" | "path"> &
  ({ readonly kind: "shell" } | Pick<PlannedStep, "kind" | "step">);

/** The attempt's environment and directory, or why they cannot be had. */
export async function surroundings(
  frame: Frame,
  planned: Asking,
  unit: string,
): Promise<
  Result<{ readonly env: Record<string, string | undefined>; readonly cwd: string }, Failure>
> {
  const { run } = frame;
  const declared = secretsOf(frame, planned);
  const env = { ...(await ownVariables(frame, planned)), ...withheld(frame, declared) };
  for (const [name, value] of declared) env[name] = value;
  frame.scope.declaredEnv = declared;
  const context = { scope: frame.scope, store: run.ports.store, unit };
  for (const { name, value } of [...run.plan.env, ...planned.env]) {
    const text = await renderText(value, context);
    if (!text.ok) {
      const trouble = text.error;
      return err(
        trouble.kind === "refused"
          ? refused(trouble)
          : failure("value", `${trouble.reference} is not there`),
      );
    }
    const problem = variableProblem(name, text.value);
    if (problem !== null) return err(problem);
    env[name] = text.value;
    declared.set(name, text.value);
  }
  if (planned.workingDir === null) return ok({ env, cwd: run.facts.cwd });
  const relative = await renderText(planned.workingDir, context);
  if (!relative.ok) return err(failure("value", "the value of working_dir is not there"));
  const directory = await run.ports.tree.directoryInside(relative.value);
  if (directory !== null) return ok({ env, cwd: directory });
  return err(
    failure(
      "value",
      `working_dir ${JSON.stringify(relative.value)} is not a directory inside the repository`,
      null,
      [`it is taken from ${run.ports.tree.root}`],
    ),
  );
}

/** A shell step, a gate and the list of a loop get all secrets, a Claude step those it lists (spec 2.2). */
function secretsOf({ run }: Frame, asking: Asking): Map<string, string> {
  const { values } = run.secrets;
  if (asking.kind === "shell" || asking.kind === "foreach") return new Map(values);
  const listed = new Set(asking.step.secrets.map(({ value }) => value));
  return new Map([...values].filter(([name]) => listed.has(name)));
}

/** Taken away, with the variables they came from: mmm was started with them, and children inherit. */
function withheld(
  { run }: Frame,
  given: ReadonlyMap<string, string>,
): Record<string, string | undefined> {
  const away = run.plan.playbook.secrets.filter(({ name }) => !given.has(name));
  return Object.fromEntries(
    away.flatMap(({ name, from }) => [
      [name, undefined],
      ...(from.kind === "env" ? [[from.name, undefined]] : []),
    ]),
  );
}

async function ownVariables(
  frame: Frame,
  planned: Pick<PlannedStep, "path">,
): Promise<Record<string, string>> {
  const { run, scope, iteration } = frame;
  const { directory, available } = await run.ports.analysis.location();
  const env: Record<string, string> = {
    MMM_AUTOMATION: "true",
    MMM_SESSION: run.facts.id,
    MMM_ITERATION: String(iteration),
    MMM_STEP: planned.path,
    MMM_CONTEXT_DIR: directory,
    MMM_CONTEXT_AVAILABLE: String(available),
    // Nobody is there to answer: a step's git fails rather than waits (spec 5); `env:` may say otherwise.
    GIT_EDITOR: "true",
    GIT_TERMINAL_PROMPT: "0",
    // So that HEAD moves of a step can be told from the user's (spec 7).
    GIT_REFLOG_ACTION: `mmm ${run.facts.id} ${planned.path}`,
  };
  for (const [name, value] of scope.exported()) {
    const text = textOf(value);
    if (byteLength(text) <= VARIABLE_BYTES && !text.includes("\0")) env[name] = text;
  }
  const captured = scope.capturedFile();
  if (captured !== null && (await run.ports.store.size(captured)) <= VARIABLE_BYTES) {
    const { text } = await run.ports.store.read(captured);
    if (!text.includes("\0")) env[CAPTURED] = text;
  }
  return env;
}

function variableProblem(name: string, value: string): Failure | null {
  if (value.includes("\0")) {
    return failure("value", `env ${name}: the value holds a NUL byte, which no variable can carry`);
  }
  const bytes = byteLength(value);
  if (bytes <= VARIABLE_BYTES) return null;
  return failure(
    "value",
    `env ${name}: the value has ${bytes} bytes, more than a variable can carry`,
    null,
    ["pass it by file: ${...|file}"],
  );
}
