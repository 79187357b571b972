/** Questions about a playbook's steps, nested ones included. */
import type { Range } from "./diagnostic.ts";
import type { ClaudeStep, Step, Playbook } from "./model.ts";

/** The slash commands a playbook calls, in order of appearance, each once; to look them up first (spec 6.3). */
export function commandsOf(
  playbook: Playbook,
): readonly { readonly name: string; readonly range: Range }[] {
  const found = new Map<string, Range>();
  for (const step of everyStep(playbook.steps)) {
    const name = step.kind === "claude" ? commandName(step) : null;
    if (name !== null && !found.has(name) && step.kind === "claude")
      found.set(name, step.prompt.range);
  }
  return [...found].map(([name, range]) => ({ name, range }));
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

/** The slash command a step calls; a name with another slash in it is a path, plain text to Claude. */
export function commandName(step: ClaudeStep): string | null {
  const name = /^\s*\/(\S+)/.exec(step.prompt.value)?.[1];
  return name === undefined || name.includes("/") ? null : name;
}
