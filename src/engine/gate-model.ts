import type { PlannedGate, PlannedStep } from "../playbook/plan-model.ts";
import type { Frame } from "./context.ts";
import type { StepPlace } from "./events.ts";
import type { GateRun } from "./gate-command.ts";
import type { Failure } from "./outcome.ts";

/** Where a gate is run: at a step, or after an iteration. */
export interface GateSite {
  readonly frame: Frame;
  readonly planned: Pick<PlannedStep, "env" | "workingDir" | "path">;
  readonly at: StepPlace;
  readonly attempt: number;
  /** Of the attempt: the names of a gate's files follow from it, on resume too. */
  readonly unit: string;
  /** Of the step, for gates that have none. */
  readonly timeoutMs: number | null;
  readonly gate: PlannedGate;
  readonly when: "before" | "after" | "until" | "merge";
}

/** `ran`: the command that tells why, for people. */
export type GateTrouble = Failure & { readonly ran: GateRun | null };

/** There is nothing to check with, which is no failure and no success (spec 9.4). */
export interface Skipped {
  readonly kind: "skipped";
  readonly why: string;
  readonly ran: GateRun | null;
}

/** What a metric was before its step. */
export type Before =
  | { readonly kind: "figure"; readonly figure: number; readonly stamp: string }
  | Skipped;
