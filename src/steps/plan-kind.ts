/** What planning asks of a step kind: its own texts compiled, its own defaults decided. One answer a kind. */
import type { Diagnostic } from "../playbook/diagnostic.ts";
import type { ClaudeOptions, ForeachStep, SourceText } from "../playbook/model.ts";
import type { NameProblem } from "../playbook/name-problems.ts";
import type { CommandRules, PlannedCommon, PlannedStep } from "../playbook/plan-model.ts";
import type { Reference } from "../values/reference.ts";
import type { ShellText } from "../values/shell/compile.ts";
import type { TextTemplate } from "../values/text.ts";

/** A problem in a piece of the playbook's text; offsets into that text. */
export type TextualProblem = Omit<Diagnostic, "range"> & {
  readonly start: number;
  readonly end: number;
};

/** How a kind turns what the playbook says into what runs; problems are told at their place. */
export interface PlanCompiler {
  readonly text: (source: SourceText) => TextTemplate;
  /** Text for Claude, where `|file` is allowed too. */
  readonly prompt: (source: SourceText) => TextTemplate;
  readonly shell: (source: SourceText) => ShellText;
  readonly report: (source: SourceText, problem: TextualProblem) => void;
  /** Can the step at hand go on with the conversation of this step, or (`null`) of the latest Claude step? */
  readonly conversation: (step: string | null) => NameProblem | null;
  /** A step's own options over those of command line, playbook, environment and config. */
  readonly claudeOptions: (own: ClaudeOptions) => ClaudeOptions;
  /** Of a slash command, without the slash; `null`: none are known. */
  readonly rulesOf: (command: string) => CommandRules | null;
  /** Tells what is wrong with a reference in this text; true when it can have a value. */
  readonly reference: (source: SourceText, reference: Reference) => boolean;
  /** `list`, `text`, `number`, ...; `null`: not known before it runs. */
  readonly typeOf: (reference: Reference) => string | null;
  /** The steps of a loop. */
  readonly inside: (step: ForeachStep, place: PlanPlace) => readonly PlannedStep[];
}

/** Where the step stands, as far as it changes a default. */
export interface PlanPlace {
  readonly inHandler: boolean;
  readonly path: string;
  /** Of the step and the loops around it. */
  readonly env: PlannedCommon["env"];
}

export interface PlannedBody<Planned extends PlannedStep = PlannedStep> {
  readonly body: Planned extends PlannedStep ? Omit<Planned, keyof PlannedCommon> : never;
  /** `commit_required` where the playbook says nothing (spec 5). */
  readonly needsCommit: boolean;
}
