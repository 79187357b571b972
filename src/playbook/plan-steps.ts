/** Questions about the steps of a playbook or a plan, nested ones included. */
import type { Range } from "./diagnostic.ts";
import type { ClaudeStep, Step, Playbook } from "./model.ts";
import type { PlannedForeach, PlannedHandler, PlannedStep } from "./plan-model.ts";

/** The slash commands a playbook calls, in order of appearance, each once; to look them up first (spec 6.3). */
export function commandsOf(playbook: Playbook): readonly CalledCommand[] {
  const found = new Map<string, CalledCommand>();
  for (const step of everyStepOf(playbook)) {
    if (step.kind !== "claude") continue;
    const name = commandOf(step);
    if (name === null || found.has(name)) continue;
    const { range } = step.prompt;
    const isBare = step.form === "string" && !/^["'\s]*\//.test(playbook.text.slice(range.start));
    found.set(name, { name, range, bare: isBare ? step.prompt.value.slice(1) : null });
  }
  return [...found.values()];
}

interface CalledCommand {
  /** Without the slash. */
  readonly name: string;
  readonly range: Range;
  /** The text of a step that is nothing but a text without a slash: it may be no command at all. */
  readonly bare: string | null;
}

/** The steps that stand in this one, in the order they stand: those of a loop, then those of its handlers. */
function childrenOf(step: Step): readonly Step[] {
  if (standsAlone(step)) return NONE;
  return [
    ...(step.kind === "foreach" ? step.steps : []),
    ...(step.onFailure?.steps ?? []),
    ...step.onExitCode.flatMap(({ handler }) => handler.steps),
    ...step.onSuccess,
  ];
}

const NONE: readonly never[] = [];

/** Most steps do, and all of them are gone through several times. */
function standsAlone({ kind, onFailure, onExitCode, onSuccess }: Step): boolean {
  return (
    kind !== "foreach" && onFailure === null && onExitCode.length === 0 && onSuccess.length === 0
  );
}

/** The same of a plan. */
function plannedChildrenOf(step: PlannedStep): readonly PlannedStep[] {
  return [
    ...(step.kind === "foreach" ? step.steps : []),
    ...(step.onFailure?.steps ?? []),
    ...[...step.onExitCode.values()].flatMap(({ steps }) => steps),
    ...step.onSuccess,
  ];
}

/** Every step, nested ones too, in the order they stand. */
export function* everyStep(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    const children = childrenOf(step);
    if (children.length > 0) yield* everyStep(children);
  }
}

/** Those of `merge` too. */
export function* everyStepOf({ steps, merge }: Pick<Playbook, "steps" | "merge">): Generator<Step> {
  yield* everyStep(steps);
  if (merge !== null) yield* everyStep(merge);
}

/** Every planned step, nested ones too, in the order they stand. */
export function* everyPlannedStep(steps: readonly PlannedStep[]): Generator<PlannedStep> {
  for (const step of steps) {
    yield step;
    yield* everyPlannedStep(plannedChildrenOf(step));
  }
}

/** Runs of one attempt, by `retry`; those after trouble of the service that may pass are not counted. */
export function mostRuns({ kind, step: { retry } }: PlannedStep): number {
  if (retry === null) return 1;
  return retry.attempts ?? (kind === "claude" ? 4 : 3);
}

/** Runs of a step, whichever of its handlers counts. */
export function mostAttempts({ onFailure, onExitCode }: PlannedStep): number {
  const handlers = [onFailure, ...onExitCode.values()];
  return Math.max(1, ...handlers.map((each) => each?.handler.maxAttempts ?? 1));
}

/** Planned steps and all that stand in them, changed one by one. */
export function mapPlanned(
  steps: readonly PlannedStep[],
  change: (step: PlannedStep) => Pick<PlannedStep, "path" | "split">,
): readonly PlannedStep[] {
  const within = (handler: PlannedHandler): PlannedHandler => ({
    ...handler,
    steps: mapPlanned(handler.steps, change),
  });
  return steps.map((step) => ({
    ...step,
    ...change(step),
    ...(step.kind === "foreach" ? { steps: mapPlanned(step.steps, change) } : {}),
    onFailure: step.onFailure && within(step.onFailure),
    onExitCode: new Map([...step.onExitCode].map(([code, handler]) => [code, within(handler)])),
    onSuccess: mapPlanned(step.onSuccess, change),
  }));
}

/** The steps of a loop for one of its items: `3.do.1` becomes `3.item.2.1`. */
export function forItem({ path, steps }: PlannedForeach, index: number): readonly PlannedStep[] {
  const from = `${path}.do.`;
  return mapPlanned(steps, (step) => ({
    path: `${path}.item.${index}.${step.path.slice(from.length)}`,
    split: step.split,
  }));
}

/** The slash command a step calls, without the slash; `null`: plain text. White space before it is not sent. */
export function commandOf(step: ClaudeStep): string | null {
  return commandName(step.prompt.value.trimStart());
}

/**
 * The same for a prompt as it is sent. Only a slash as the very first character counts, and a name with
 * another slash in it (a path) is plain text to Claude.
 */
export function commandName(prompt: string): string | null {
  const name = /^\/(\S+)/.exec(prompt)?.[1];
  return name === undefined || name.includes("/") ? null : name;
}
