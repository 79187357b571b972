import type {
  AnalyzeStep,
  ClaudeStep,
  ForeachStep,
  ShellStep,
  Step,
  StepCommon,
} from "../playbook/model.ts";
import type { Entries } from "../playbook/tree.ts";
import type { Shape } from "./shape.ts";

/** What makes a step this kind and no other. */
export type StepBody =
  | Omit<ClaudeStep, keyof StepCommon>
  | Omit<ShellStep, keyof StepCommon>
  | Omit<AnalyzeStep, keyof StepCommon>
  | Omit<ForeachStep, keyof StepCommon>;

/** One form of step; the reader finds it by its key, and checks it with its shape before `read`. */
export interface StepKind {
  /** The key that says so: `shell`. */
  readonly key: string;
  /** `true`: the key makes a step only when no other kind's key is there (`name`, else a label). */
  readonly weak: boolean;
  /** All keys of such a step, the common options included. */
  readonly shape: Shape;
  /** The key that holds steps of its own; such a step takes no `defaults`, the steps in it do. */
  readonly inside?: string;
  /** Entries have passed; `steps` are those under `inside`. */
  readonly read: (entries: Entries, steps: readonly Step[]) => StepBody;
  /** What people see when the step has no `name`, as written; cut to one line by the reader. */
  readonly label: (entries: Entries) => string;
}
