/** A playbook made ready to run: every text compiled, every reference checked, every default decided. */
import type { Condition } from "../values/condition/compile.ts";
import type { ProjectField } from "../values/gate-words.ts";
import type { Reference } from "../values/reference.ts";
import type { ShellText } from "../values/shell/compile.ts";
import type { TextTemplate } from "../values/text.ts";
import type { Value } from "../values/value.ts";
import type {
  AnalyzeStep,
  ClaudeOptions,
  ClaudeStep,
  Comparison,
  FailureHandler,
  ForeachStep,
  OutputRule,
  Playbook,
  ShellStep,
} from "./model.ts";

/** What a command's frontmatter says (spec 9.2); `null`: not said. */
export interface CommandRules {
  readonly commit: "required" | "optional" | null;
  readonly produces: "spec" | null;
  readonly consumes: "spec" | null;
  /** How its outputs are read; a step takes those that it names without a rule. Absent: it has none. */
  readonly outputs?: readonly CommandOutput[];
}

export interface CommandOutput {
  readonly name: string;
  readonly rule: OutputRule;
}

export interface PlannedHandler {
  readonly handler: FailureHandler;
  readonly steps: readonly PlannedStep[];
}

/** Where a figure comes from; `project`: the project's own command, which may turn out not to be there. */
export type PlannedMetric =
  | { readonly kind: "shell"; readonly run: ShellText }
  | { readonly kind: "project"; readonly command: ProjectField }
  | { readonly kind: "coverage"; readonly file: TextTemplate; readonly run: ShellText | null }
  /** The command leaves a report in one of the usual places. */
  | { readonly kind: "project-coverage"; readonly command: ProjectField };

export type PlannedCheck =
  | { readonly kind: "shell"; readonly run: ShellText }
  | { readonly kind: "project"; readonly command: ProjectField }
  | { readonly kind: "expression"; readonly condition: Condition }
  | ({ readonly kind: "metric"; readonly metric: PlannedMetric } & Comparison);

/** A gate where somebody asks for it (spec 2.6). */
export interface PlannedGate {
  readonly name: string;
  /** `file:line`. */
  readonly place: string;
  /** `null`: the step's. */
  readonly timeoutMs: number | null;
  readonly check: PlannedCheck;
}

/** `until` (spec 2.6). */
export interface PlannedUntil {
  readonly gate: PlannedGate;
  /** As written. */
  readonly source: string;
}

/** What every planned step has, whatever its kind. */
export interface PlannedCommon {
  /** `3`, `3.on_failure.1`, `3.do.1` (of an item: `3.item.2.1`). */
  readonly path: string;
  /** `file:line`. */
  readonly place: string;
  /** `null`: the step always runs. */
  readonly condition: Condition | null;
  readonly env: readonly { readonly name: string; readonly value: TextTemplate }[];
  readonly workingDir: TextTemplate | null;
  readonly commitMessage: TextTemplate | null;
  readonly commitRequired: boolean;
  /** Not written in the playbook: a miss in an iteration without changes means nothing is left to do. */
  readonly commitDefaulted: boolean;
  /** Something refers to this step's stdout or stderr alone. */
  readonly split: boolean;
  readonly onFailure: PlannedHandler | null;
  readonly onExitCode: ReadonlyMap<number, PlannedHandler>;
  readonly onSuccess: readonly PlannedStep[];
  readonly validation: readonly PlannedGate[];
}

export interface PlannedClaude extends PlannedCommon {
  readonly kind: "claude";
  readonly step: ClaudeStep;
  readonly prompt: TextTemplate;
  readonly args: readonly TextTemplate[];
  /** The step's own, then `--model`, the playbook's, the environment's and the config's. */
  readonly options: ClaudeOptions;
  /** The slash command's name, without the slash; `null` for plain text. */
  readonly command: string | null;
  /** Takes the newest unused spec when its argument is missing (spec 3.3). */
  readonly consumesSpec: boolean;
}

export interface PlannedShell extends PlannedCommon {
  readonly kind: "shell";
  readonly step: ShellStep;
  readonly run: ShellText;
  readonly stdin: TextTemplate | null;
}

export interface PlannedAnalyze extends PlannedCommon {
  readonly kind: "analyze";
  readonly step: AnalyzeStep;
}

/** {@link Literal} with its texts compiled. */
export type PlannedLiteral =
  | { readonly kind: "text"; readonly text: TextTemplate }
  | { readonly kind: "value"; readonly value: number | boolean | null }
  | { readonly kind: "list"; readonly items: readonly PlannedLiteral[] }
  | { readonly kind: "mapping"; readonly entries: readonly (readonly [string, PlannedLiteral])[] };

export type PlannedItems =
  | { readonly kind: "list"; readonly items: readonly PlannedLiteral[] }
  /** `null` only where a problem was told. */
  | { readonly kind: "reference"; readonly reference: Reference | null }
  | { readonly kind: "shell"; readonly run: ShellText; readonly timeoutMs: number | null };

export interface PlannedForeach extends PlannedCommon {
  readonly kind: "foreach";
  readonly step: ForeachStep;
  readonly items: PlannedItems;
  /** Their paths are `3.do.1`; those of an item are `3.item.2.1`, see `forItem`. */
  readonly steps: readonly PlannedStep[];
}

export type PlannedStep = PlannedClaude | PlannedShell | PlannedAnalyze | PlannedForeach;

export interface Plan {
  readonly playbook: Playbook;
  /** By name; what nobody gave is null. */
  readonly params: ReadonlyMap<string, Value>;
  readonly env: readonly { readonly name: string; readonly value: TextTemplate }[];
  readonly steps: readonly PlannedStep[];
  /** They merge the session's branch; `null`: mmm does. */
  readonly merge: readonly PlannedStep[] | null;
  readonly maxIterations: number;
  readonly boundFrom: "option" | "playbook" | "default";
  readonly until: PlannedUntil | null;
  /** Something refers to `project.*`. */
  readonly usesProject: boolean;
}
