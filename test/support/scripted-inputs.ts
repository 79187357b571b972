/** A session with several inputs at once as a reporter sees it: their events come mixed. */
import type { Event, InputValue, StepPlace } from "../../src/engine/events.ts";
import type { InputResult } from "../../src/engine/input-events.ts";
import { attempt, finished, place, type Scripted, SESSION_STARTED } from "./scripted-run.ts";

export function inputOf(index: number, total = 3): InputValue {
  const file = `specs/${index}-part.md`;
  return { arg: String(index), file, index, total };
}

export function parallelStarted(
  inputs: number,
  parallel: number,
): Event & { readonly type: "session-started" } {
  return { ...SESSION_STARTED, inputs, parallel, maxIterations: 1 };
}

/** It has a worktree and its iteration has begun. */
export function opened(input: InputValue): readonly Scripted[] {
  const name = `mmm-demo-1-${input.index}`;
  return [
    { event: { type: "input-started", input } },
    { event: { type: "input-opened", input, name, path: `/trees/${name}`, base: "0000000ff" } },
    {
      event: {
        type: "iteration-started",
        iteration: 1,
        maxIterations: 1,
        input: input.index,
      },
    },
  ];
}

export function placeOf(input: InputValue, step = "1", over: Partial<StepPlace> = {}): StepPlace {
  return place(step, { input: input.index, ...over });
}

export function stepBegins(at: StepPlace): readonly Scripted[] {
  return [
    { event: { type: "step-started", at } },
    ...attempt(at, { number: 1, most: 1 }).slice(0, 2),
  ];
}

/** With `stepBegins` one whole step. */
export function stepEnds(at: StepPlace): readonly Scripted[] {
  return [...attempt(at, { number: 1, most: 1 }).slice(-1), { event: finished(at) }];
}

export function iterationEnds(input: InputValue): Scripted {
  const durationMs = 4000;
  const done = { iteration: 1, input: input.index, changed: true, durationMs };
  return { event: { type: "iteration-finished", ...done } };
}

export function merged(input: InputValue): readonly Scripted[] {
  const into = "mmm-demo-1";
  return [
    { event: { type: "input-merging", input, into } },
    { event: { type: "input-merged", input, into, commit: "abcdef0123" } },
    over(input, true),
  ];
}

export function kept(input: InputValue): readonly Scripted[] {
  const name = `mmm-demo-1-${input.index}`;
  const next = [`mmm worktree merge ${name}`, `mmm worktree clean ${name}`];
  return [
    { event: { type: "input-kept", input, name, path: `/trees/${name}`, next } },
    over(input, false),
  ];
}

function over(input: InputValue, ok: boolean): Scripted {
  const stop = ok ? "iterations-done" : "step-failed";
  const event = { type: "input-finished", input, ok, stop, message: null } as const;
  return { event: { ...event, durationMs: 4000 } };
}

export function resultOf(input: InputValue, more: Partial<InputResult> = {}): InputResult {
  return {
    input,
    status: "completed",
    stop: "iterations-done",
    commits: 1,
    costUsd: 0,
    knownCostUsd: more.costUsd ?? 0,
    durationMs: 4000,
    message: null,
    branch: null,
    path: null,
    ...more,
  };
}
