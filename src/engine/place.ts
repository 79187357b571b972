/** Where a step stands, read off its path (spec 2.3, 2.8). */
import type { StepPlace } from "./events.ts";

type At = Pick<StepPlace, "step">;

/** In the `do` of a loop, and in no handler there: what ends early ends its item. */
export function isItemStep({ step }: At): boolean {
  return /\.item\.\d+\.\d+$/.test(step);
}

/** In a handler, at whatever depth: it belongs to the step around it. */
export function isInHandler({ step }: At): boolean {
  return /\.on_(?:failure|exit_code|success)\./.test(step);
}
