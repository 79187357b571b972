/** Questions about a playbook's steps, nested ones included. */
import type { Range } from "./diagnostic.ts";
import type { ClaudeStep, Step, Playbook } from "./model.ts";

/** The slash commands a playbook calls, in order of appearance, each once; to look them up first (spec 6.3). */
export function commandsOf(playbook: Playbook): readonly CalledCommand[] {
  const found = new Map<string, CalledCommand>();
  for (const step of everyStep(playbook.steps)) {
    if (step.kind !== "claude") continue;
    const name = commandName(step);
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

/** The slash command a step calls; a name with another slash in it is a path, plain text to Claude. */
export function commandName(step: ClaudeStep): string | null {
  const name = /^\s*\/(\S+)/.exec(step.prompt.value)?.[1];
  return name === undefined || name.includes("/") ? null : name;
}
