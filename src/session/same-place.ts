import type { StepPlace } from "../engine/events.ts";

/** All of them: the compiler counts. */
const PLACE_FIELDS = Object.keys({
  step: true,
  iteration: true,
  input: true,
  depth: true,
  id: true,
  label: true,
  kind: true,
  number: true,
  total: true,
  place: true,
} satisfies Record<keyof StepPlace, true>) as (keyof StepPlace)[];

/** In every field. */
export function isSamePlace(a: StepPlace, b: StepPlace): boolean {
  return PLACE_FIELDS.every((field) => a[field] === b[field]);
}
