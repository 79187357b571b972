import type { StepPlace } from "./events.ts";
import type { ProcessEnd } from "./outcome.ts";

export type GateEvent =
  | {
      /** A gate's command begins. */
      readonly type: "gate-started";
      readonly at: StepPlace;
      readonly attempt: number;
      readonly gate: string;
      /** `before`: a figure to compare with is taken; `after`: `validation`; `until`: after an iteration; `merge`: on its outcome. */
      readonly when: "before" | "after" | "until" | "merge";
      /** With its values, cut to 2 000 characters. */
      readonly command: string;
      readonly log: string;
    }
  | {
      /** The evidence of one gate (spec 2.6). */
      readonly type: "gate-finished";
      readonly at: StepPlace;
      readonly attempt: number;
      readonly gate: string;
      readonly when: "before" | "after" | "until" | "merge";
      /** `skipped`: there was nothing to check with, neither passed nor failed; `measured`: a figure before the step. */
      readonly verdict: "ok" | "failed" | "skipped" | "measured";
      /** For `failed` and `skipped`: why. */
      readonly why: string | null;
      /** `null`: nothing was run. */
      readonly command: string | null;
      readonly end: ProcessEnd | null;
      readonly exitCode: number | null;
      /** Of a metric; coverage in percent. */
      readonly figures: { readonly before: number | null; readonly after: number | null } | null;
      /** The last 20 lines of output. */
      readonly tail: string;
      /** HEAD as the gate saw it, and how many files it saw changed since. */
      readonly commit: string;
      readonly uncommitted: number;
      readonly log: string | null;
      readonly durationMs: number;
    };
