import type { Range } from "./diagnostic.ts";
import type { Step } from "./model.ts";
import type { Problems } from "./problems.ts";
import type { Entries, Tree } from "./tree.ts";

/** What reading one playbook shares: problems, ids taken, defaults, and the way back to steps. */
export interface Reading {
  readonly problems: Problems;
  /** Where each id was first written. */
  readonly ids: Map<string, Range>;
  /** Sound entries of `defaults`; they go to steps that are in no handler. */
  readonly defaults: Entries;
  /** Handlers hold steps, which have handlers: passed along, so that files do not import in a circle. */
  readonly readStep: (tree: Tree, place: StepPlace) => Step | null;
}

export interface StepPlace {
  /** 0: a step of the playbook; 1: a step in its handler, and so on. */
  readonly depth: number;
  /** `foreach` steps around it. */
  readonly loops: number;
  /** Keys that stand beside the step's own and were taken out (`max_attempts`); for suggestions. */
  readonly beside?: readonly string[];
}

/** Handlers in handlers (spec 2.3). */
export const MAX_HANDLER_DEPTH = 5;

/** Loops in loops. */
export const MAX_LOOP_DEPTH = 5;
