/** What happens in a loop, beside its steps (spec 2.8). */
import type { StepPlace } from "./events.ts";
import type { ItemConclusion } from "./outcome.ts";

export type ItemEvent =
  | {
      /** The items of a loop are known. */
      readonly type: "items-listed";
      readonly at: StepPlace;
      readonly total: number;
      /** Of these, done by an earlier attempt. */
      readonly done: number;
    }
  | {
      readonly type: "item-started";
      /** Of the loop. */
      readonly at: StepPlace;
      /** From 1. */
      readonly index: number;
      readonly total: number;
      /** As text, for people; cut to 200 characters. */
      readonly item: string;
    }
  | {
      readonly type: "item-finished";
      /** Of the loop. */
      readonly at: StepPlace;
      readonly index: number;
      readonly total: number;
      readonly item: string;
      readonly conclusion: ItemConclusion;
      /** Why it failed, in a line; else `null`. */
      readonly failure: string | null;
      readonly durationMs: number;
    };
