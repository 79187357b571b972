/** Several inputs at once, each in a tree of its own (spec 8.4). */
import type { InputValue } from "./events.ts";
import { type InputsShare, playInput } from "./input.ts";
import type { IterationsEnd } from "./iterations.ts";

export interface PoolRequest {
  readonly inputs: readonly InputValue[];
  readonly atOnce: number;
  /** After a failure nothing more is begun; what is at work goes on to its end. */
  readonly failFast: boolean;
  readonly signal: AbortSignal;
  readonly share: InputsShare;
  /** The surroundings broke in this one: the others are to stop. */
  readonly stopAll: (input: InputValue, error: unknown) => void;
  /** So many inputs can still be at work together. */
  readonly onFewer: (atOnce: number) => void;
}

/** How the inputs ended together; rejects with the first error when all have come to rest. */
export async function playInputs(request: PoolRequest): Promise<IterationsEnd> {
  const { inputs, atOnce, failFast, signal, share } = request;
  const ends: IterationsEnd[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const goesOn = (): boolean =>
    !signal.aborted &&
    errors.length === 0 &&
    ends.every(({ status }) => status === "completed" || (status === "failed" && !failFast));
  const failed = (input: InputValue, error: unknown): void => {
    errors.push(error);
    request.stopAll(input, error);
  };
  const worker = async (): Promise<void> => {
    // While the tree of one is put away the next one begins, but only one: trees are bounded, too.
    let before = Promise.resolve();
    while (goesOn()) {
      const input = inputs[next];
      if (input === undefined) break;
      next += 1;
      try {
        const { end, settled } = await playInput(share, input);
        ends.push(end);
        const isAway = settled.catch((error: unknown) => failed(input, error));
        await before;
        before = isAway;
      } catch (error) {
        failed(input, error);
      }
    }
    await before;
  };
  let working = Math.min(atOnce, inputs.length);
  const work = async (): Promise<void> => {
    await worker();
    working -= 1;
    request.onFewer(working);
  };
  await Promise.all(Array.from({ length: working }, work));
  if (errors.length > 0) throw errors[0];
  return together(ends, signal.aborted && next < inputs.length);
}

/** What keeps the session open counts more than what has gone wrong. */
function together(ends: readonly IterationsEnd[], stopped: boolean): IterationsEnd {
  if (stopped || ends.some(({ status }) => status === "interrupted"))
    return { status: "interrupted", stop: "interrupted", limit: null };
  const suspended = ends.find(({ status }) => status === "suspended");
  if (suspended !== undefined) return suspended;
  return ends.some(({ status }) => status === "failed")
    ? { status: "failed", stop: "input-failed", limit: null }
    : { status: "completed", stop: "iterations-done", limit: null };
}
