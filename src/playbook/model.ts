/**
 * What a playbook means, whatever surface form it was written in (spec section 2).
 *
 * The reader is the only maker of these values; inside, nothing is checked again.
 */
import type { Tolerance } from "../lib/tolerance.ts";
import type { Value } from "../values/value.ts";
import type { Range } from "./diagnostic.ts";

/**
 * A piece of text that stands in the playbook, with the way back to its place.
 *
 * `segments` maps decoded offsets to file offsets: each pair `[inValue, inFile]` starts a stretch in
 * which both advance together (a block scalar has one a line, an escape starts a new one).
 */
export interface SourceText {
  readonly value: string;
  readonly range: Range;
  readonly segments: readonly (readonly [inValue: number, inFile: number])[];
}

/** How the Claude CLI is to be called; a step's own value beats the playbook's, the playbook's the config's. */
export interface ClaudeOptions {
  readonly model?: string;
  /** At most this many agent turns; a positive whole number. */
  readonly maxTurns?: number;
  /** Replaces the flag that skips permissions (spec 6.1), as `allowedTools` does. */
  readonly permissionMode?: string;
  readonly allowedTools?: readonly string[];
  readonly disallowedTools?: readonly string[];
  readonly appendSystemPrompt?: string;
  /** A call that prints nothing for so long is ended, and worth another try; absent: no limit. */
  readonly idleTimeoutMs?: number;
  readonly outputSchema?: OutputSchema;
}

/** `output_schema`: what the answer must look like, a JSON Schema of an object. */
export type OutputSchema =
  | { readonly kind: "inline"; readonly json: string }
  /** Relative to the directory the step runs in. */
  | { readonly kind: "file"; readonly path: string };

/** `continue_session`: which conversation the step goes on with. */
export interface ContinuedSession {
  /** `null`: that of the latest Claude step before it. */
  readonly step: string | null;
  readonly text: SourceText;
}

/** `limits:` (spec 6.5), of a whole session; `null`: none. */
export interface Limits {
  /** US dollars. */
  readonly costUsd: number | null;
  readonly tokens: number | null;
  /** Time at work. */
  readonly durationMs: number | null;
}

/** How a fresh worktree is prepared (spec 8.1); paths are relative to the repository and inside of it. */
export interface WorktreeSetup {
  readonly copy: readonly string[];
  readonly link: readonly string[];
  /** Shell text, one after the other. */
  readonly run: readonly string[];
}

/** `analyze:` and `analysis:` (spec 2.7). */
export interface AnalysisOptions {
  /** A saved context younger than this is used as it is; default 300 s. */
  readonly maxCacheAgeMs: number;
  readonly forceRefresh: boolean;
  /** `false`: print only, write nothing under `.mmm/context`. */
  readonly save: boolean;
  /** What becomes the step's output. */
  readonly format: "summary" | "json";
}

/** `outputs:` (spec 3.3). */
export type OutputRule =
  | {
      readonly kind: "file";
      readonly pattern: string;
      /** `true`: the list of all that match, newest first; else the newest alone. */
      readonly all: boolean;
      readonly default?: unknown;
    }
  | {
      readonly kind: "capture";
      readonly capture: "text" | "lines" | "json" | "number" | "boolean" | "count";
      /** JSONPath into the captured JSON value. */
      readonly path?: string;
      /** A literal, or `/regex/flags`, matched in linear time. */
      readonly pattern?: string;
      readonly from: "stdout" | "stderr" | "both";
      readonly default?: unknown;
    };

export interface OutputDeclaration {
  readonly name: string;
  /** `null`: the step's command says how to read it (spec 9.2), and the plan has put its rule here. */
  readonly rule: OutputRule | null;
  readonly range: Range;
}

/** Where the figure of a metric comes from (spec 2.6). */
export type Metric =
  /** The last number that the command prints on stdout. */
  | { readonly kind: "shell"; readonly run: SourceText }
  /** Percent of lines, from a report; `run` makes it, `null`: somebody else does. */
  | { readonly kind: "coverage"; readonly file: SourceText; readonly run: SourceText | null };

/** What has to hold of a metric's figures before and after a step. */
export interface Comparison {
  readonly must: "not_regress" | "increase" | "decrease";
  /** Only for `not_regress`, as `tolerance`. */
  readonly better: "higher" | "lower";
  readonly tolerance: Tolerance;
}

export type GateCheck =
  | { readonly kind: "shell"; readonly run: SourceText }
  | { readonly kind: "expression"; readonly text: SourceText }
  | ({ readonly kind: "metric"; readonly metric: Metric } & Comparison);

/** A check that mmm runs itself (spec 2.6). */
export interface Gate {
  readonly name: string;
  /** Of its name. */
  readonly range: Range;
  /** `null`: it could not be read, which is reported; there is no plan then. */
  readonly check: GateCheck | null;
  /** For one run of its command; `null`: the step's. */
  readonly timeoutMs: number | null;
}

/** A gate's name, or a word, where somebody asks for it. */
export interface ListedGate {
  readonly name: string;
  readonly range: Range;
}

/** `on_failure` and `on_exit_code` (spec 2.3). */
export interface FailureHandler {
  /** May be empty: `{fail_workflow: ...}` alone. */
  readonly steps: readonly Step[];
  /** Runs of the failing step, the first one included. 1: the handler is a clean-up, the step is not repeated. */
  readonly maxAttempts: number;
  /** `false` only when written so: the failure is recorded and the run goes on. */
  readonly failWorkflow: boolean;
  readonly range: Range;
}

/** Which failures of a run are worth another one (spec 2.4). */
export type RetryCause =
  /** Trouble with the service of Claude that may pass; of a command, exit code 75. */
  | { readonly kind: "transient" }
  | { readonly kind: "timeout" }
  | { readonly kind: "exit-code"; readonly codes: readonly number[] }
  /** A literal, or `/regex/flags`, somewhere in the run's output. */
  | { readonly kind: "pattern"; readonly pattern: string };

/** `retry:` (spec 2.4): further runs inside one attempt. */
export interface RetryPolicy {
  /** Runs, the first one included; `null`: not written. */
  readonly attempts: number | null;
  readonly backoff: "fixed" | "linear" | "exponential";
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  /** Each delay is cut by up to half of it, at random. */
  readonly jitter: boolean;
  /** `null`: not written; any failure for a command, trouble that may pass and timeouts for Claude. */
  readonly retryOn: readonly RetryCause[] | null;
}

/** What every kind of step has (spec 2.2). */
export interface StepCommon {
  readonly id: string | null;
  /** The step's first character to its last. */
  readonly range: Range;
  /** What people see: `name`, else the command as written, its first line, cut. */
  readonly label: string;
  /** The label is a `name` that the author gave. */
  readonly named: boolean;
  /** Place of `id`, for diagnostics; the step's own when there is none. */
  readonly idRange: Range;
  /** `null`: the step always runs (spec 2.5). */
  readonly condition: SourceText | null;
  readonly env: readonly { readonly name: string; readonly value: SourceText }[];
  /** Of the secrets; only a Claude step needs to list them (spec 2.2). */
  readonly secrets: readonly SourceText[];
  readonly workingDir: SourceText | null;
  /** For one run; `null`: no limit. */
  readonly timeoutMs: number | null;
  /** `null`: not written; Claude steps are then still run again after trouble that may pass. */
  readonly retry: RetryPolicy | null;
  readonly onFailure: FailureHandler | null;
  readonly onExitCode: readonly { readonly code: number; readonly handler: FailureHandler }[];
  readonly onSuccess: readonly Step[];
  readonly continueOnError: boolean;
  /** `null`: not written; the default depends on form and command (spec 5). */
  readonly commitRequired: boolean | null;
  readonly commitMessage: SourceText | null;
  /** `all` lifts the limits on what is swept in (spec 5). */
  readonly autoCommit: "on" | "off" | "all";
  readonly outputs: readonly OutputDeclaration[];
  /** `capture_output: true` of the original: stdout becomes `CAPTURED_OUTPUT`. */
  readonly captureOutput: boolean;
  readonly analysis: AnalysisOptions | null;
  /** Run in this order after the outputs; the first that fails ends the attempt (spec 2.6). */
  readonly validation: readonly ListedGate[];
}

export interface ClaudeStep extends StepCommon {
  readonly kind: "claude";
  /** `string` and `name` require a commit unless told otherwise, `claude` does not (spec 5). */
  readonly form: "string" | "name" | "claude";
  /** A slash command starts with `/`; the reader adds the slash to string and name forms. */
  readonly prompt: SourceText;
  /** `args:` of the name form, appended with a space each; one that renders to nothing is left out. */
  readonly args: readonly SourceText[];
  readonly options: ClaudeOptions;
  /** `null`: a conversation of its own. */
  readonly continues: ContinuedSession | null;
}

export interface ShellStep extends StepCommon {
  readonly kind: "shell";
  readonly run: SourceText;
  /** `null`: standard input is empty. */
  readonly stdin: SourceText | null;
}

export interface AnalyzeStep extends StepCommon {
  readonly kind: "analyze";
  readonly options: AnalysisOptions;
}

/** An item of a list as it is written; its texts may hold references. */
export type Literal =
  | { readonly kind: "text"; readonly text: SourceText }
  | { readonly kind: "value"; readonly value: number | boolean | null }
  | { readonly kind: "list"; readonly items: readonly Literal[] }
  | { readonly kind: "mapping"; readonly entries: readonly (readonly [string, Literal])[] };

/** Where the items of a loop come from (spec 2.8). */
export type ItemSource =
  | { readonly kind: "list"; readonly items: readonly Literal[]; readonly range: Range }
  /** One reference and nothing around it. */
  | { readonly kind: "reference"; readonly text: SourceText; readonly range: Range }
  /** What a command prints: a line each, or a JSON array. */
  | {
      readonly kind: "shell";
      readonly run: SourceText;
      /** Of the command; `null`: no limit. */
      readonly timeoutMs: number | null;
      readonly range: Range;
    };

/** `foreach` (spec 2.8). Of the common options it takes those that `steps/foreach.ts` names. */
export interface ForeachStep extends StepCommon {
  readonly kind: "foreach";
  readonly items: ItemSource;
  /** A longer list fails the step before its first item. */
  readonly maxItems: number;
  /** For each item; at least one. */
  readonly steps: readonly Step[];
}

export type Step = ClaudeStep | ShellStep | AnalyzeStep | ForeachStep;

export type ParamType = "string" | "number" | "boolean" | "list";

/** `params:` of the header (spec 2.1). */
export interface ParamDeclaration {
  readonly name: string;
  readonly type: ParamType;
  readonly required: boolean;
  /** `null`: none, and the parameter is null when nobody gives it. */
  readonly default: Value | null;
  /** Of a list, for each item. */
  readonly choices: readonly Value[] | null;
  readonly description: string | null;
  /** Of the name. */
  readonly range: Range;
}

/** `secrets:` of the header: where the value comes from (spec 2.1). */
export interface SecretDeclaration {
  /** The variable that children get. */
  readonly name: string;
  readonly from: { readonly kind: "env" | "file"; readonly name: string };
  /** Of the name. */
  readonly range: Range;
}

/** `worktree:` of the header. */
export interface PlaybookWorktree {
  readonly wanted: boolean;
  /** What is not written is the config's. */
  readonly setup: Partial<WorktreeSetup>;
}

export interface Playbook {
  /** As the user named it; for messages. */
  readonly file: string;
  readonly text: string;
  readonly name: string;
  readonly description: string | null;
  readonly maxIterations: number | null;
  readonly env: readonly { readonly name: string; readonly value: SourceText }[];
  readonly params: readonly ParamDeclaration[];
  readonly secrets: readonly SecretDeclaration[];
  readonly commit: "auto" | "off";
  readonly claude: ClaudeOptions;
  readonly limits: Limits;
  readonly gates: readonly Gate[];
  /** A gate's name, a word or an expression (spec 2.6). */
  readonly until: SourceText | null;
  readonly worktree: PlaybookWorktree;
  readonly steps: readonly Step[];
  /** They merge the branch of a session's worktree; `null`: mmm does (spec 8.3). */
  readonly merge: readonly Step[] | null;
}
