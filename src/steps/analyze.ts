import * as z from "zod";
import { readAnalysis } from "../playbook/values-of.ts";
import type { StepKind } from "./kind.ts";
import { analyzeSchema, stepOptions } from "./options.ts";
import { later, together } from "./shape.ts";

/** `analyze: {...}`, or with nothing after it: refresh the project context (spec 2.7). */
export const analyzeKind: StepKind = {
  key: "analyze",
  weak: false,
  shape: together(
    later({
      analyze: () =>
        z.union([analyzeSchema(), z.literal(true), z.null()], {
          error: "a mapping, as in {max_cache_age: 5m}",
        }),
    }),
    stepOptions,
  ),
  read: (entries) => ({ kind: "analyze", options: readAnalysis(entries.get("analyze")?.value) }),
  label: () => "analyze",
};
