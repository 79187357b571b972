/** Questions about the steps of a playbook or a plan, nested ones included. */
import type { Range } from "./diagnostic.ts";
import type { ClaudeStep, Step, Playbook } from "./model.ts";
import type { PlannedStep } from "./plan-model.ts";

/** The slash commands a playbook calls, in order of appearance, each once; to look them up first (spec 6.3). */
export function commandsOf(playbook: Playbook): readonly CalledCommand[] {
  const found = new Map<string, CalledCommand>();
  for (const step of everyStep(playbook.steps)) {
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

/** Every step, nested ones too, in the order they stand. */
export function* everyStep(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    yield* everyStep(step.onFailure?.steps ?? []);
    for (const { handler } of step.onExitCode) yield* everyStep(handler.steps);
    yield* everyStep(step.onSuccess);
  }
}

/** Every planned step, nested ones too, in the order they stand. */
export function* everyPlannedStep(steps: readonly PlannedStep[]): Generator<PlannedStep> {
  for (const step of steps) {
    yield step;
    yield* everyPlannedStep(step.onFailure?.steps ?? []);
    for (const handler of step.onExitCode.values()) yield* everyPlannedStep(handler.steps);
    yield* everyPlannedStep(step.onSuccess);
  }
}

/** Runs of a step, whichever of its handlers counts. */
export function mostAttempts({ onFailure, onExitCode }: PlannedStep): number {
  const handlers = [onFailure, ...onExitCode.values()];
  return Math.max(1, ...handlers.map((each) => each?.handler.maxAttempts ?? 1));
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
