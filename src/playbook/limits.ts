/** `limits:` of a header or a config (spec 6.5). */
import * as z from "zod";
import * as is from "../steps/schema.ts";
import { once } from "../steps/shape.ts";
import type { Limits } from "./model.ts";
import type { Entries } from "./tree.ts";
import { durationOf, numberOf } from "./values-of.ts";

const money = "a number of US dollars above 0";
const most = 1e15;
const whole = "a whole number above 0";

export const limitsSchema = once(() =>
  z.strictObject(
    {
      cost_usd: z.number({ error: money }).positive({ error: money }).optional(),
      tokens: z
        .number({ error: whole })
        .int({ error: whole })
        .min(1, { error: whole })
        .max(most, { error: whole })
        .optional(),
      duration: is.duration({ zero: false }).optional(),
    },
    { error: "a mapping, as in {cost_usd: 5}" },
  ),
);

/** Entries that have passed the schema. */
export function readLimits(entries: Entries): Limits {
  return {
    costUsd: numberOf(entries, "cost_usd"),
    tokens: numberOf(entries, "tokens"),
    durationMs: durationOf(entries, "duration"),
  };
}
