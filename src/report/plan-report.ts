/** What `mmm cook --dry-run` says, as plain data: for its text and for `--reporter json` (docs/dry-run.md). */
import type { Limits } from "../playbook/model.ts";
import type { Dependency } from "../playbook/plan-depends.ts";
import type { KnownText } from "../playbook/plan-known.ts";
import type { Plan } from "../playbook/plan-model.ts";
import type { Runs } from "../playbook/plan-worst-case.ts";

/** Of earlier sessions of the same playbook; `null` where nobody knows. */
export interface Expected {
  /** How many runs it is taken from. */
  readonly samples: number;
  /** Median. */
  readonly durationMs: number | null;
  /** Median, US dollars; `null` for a step that pays nothing, too. */
  readonly costUsd: number | null;
}

export interface GateReport {
  readonly name: string;
  readonly kind: "shell" | "project" | "expression" | "metric";
  /** Command, expression or file; `null`: the project has no such command, and the gate is left out. */
  readonly text: KnownText | null;
  /** Of a metric: `not_regress`, `increase`, `decrease`. */
  readonly must: string | null;
  /** Of `not_regress`: `5%`, `0`. */
  readonly tolerance: string | null;
  /** Of `not_regress`. */
  readonly better: "higher" | "lower" | null;
  readonly timeoutMs: number | null;
}

export interface HandlerReport {
  /** `on_failure`, `on_exit_code 101`, `on_success`. */
  readonly handler: string;
  /** Runs of the step it belongs to; `null`: it runs after a success. */
  readonly maxAttempts: number | null;
  readonly failWorkflow: boolean;
  readonly steps: readonly StepReport[];
}

export interface StepReport {
  /** `3`; inside handlers `3.on_failure.1`. */
  readonly step: string;
  readonly id: string | null;
  readonly label: string;
  readonly kind: "claude" | "shell" | "analyze" | "foreach";
  /** `file:line`. */
  readonly place: string;
  /** The command or prompt; `null`: an analysis. */
  readonly rendered: KnownText | null;
  readonly stdin: KnownText | null;
  readonly condition: string | null;
  readonly dependsOn: readonly Dependency[];
  readonly env: readonly { readonly name: string; readonly value: KnownText }[];
  readonly secrets: readonly string[];
  readonly workingDir: KnownText | null;
  readonly commitMessage: KnownText | null;
  readonly timeoutMs: number | null;
  /** Of one attempt after the other; 1: it runs once. */
  readonly maxAttempts: number;
  /** Of one attempt, by `retry`. */
  readonly maxRuns: number;
  readonly continueOnError: boolean;
  readonly commit: {
    readonly required: boolean;
    /** The playbook does not say it: form and command do. */
    readonly defaulted: boolean;
    readonly auto: "on" | "off" | "all";
  };
  /** `null`: no Claude step. */
  readonly claude: {
    readonly command: string | null;
    readonly model: string | null;
    readonly maxTurns: number | null;
    readonly permissionMode: string | null;
    readonly allowedTools: readonly string[];
    /** Without an argument it takes the newest spec of the iteration. */
    readonly consumesSpec: boolean;
  } | null;
  readonly outputs: readonly { readonly name: string; readonly rule: string }[];
  /** Checks that mmm makes itself after it. */
  readonly validation: readonly GateReport[];
  readonly handlers: readonly HandlerReport[];
  /** `null`: it is nested, or never ran. */
  readonly expected: Expected | null;
}

export interface PlanProblem {
  readonly code: string;
  /** What a real run would exit with. */
  readonly exitCode: number;
  readonly message: string;
  readonly next: readonly string[];
}

export interface PlanReport {
  readonly v: 1;
  readonly type: "plan";
  readonly playbook: {
    readonly file: string;
    readonly name: string;
    readonly description: string | null;
    /** It is one of those that mmm ships. */
    readonly shipped: boolean;
  };
  readonly tree: {
    /** Top of the working tree; where mmm was started when it is in no repository. */
    readonly root: string;
    /** `null`: detached, or no repository. */
    readonly branch: string | null;
    readonly head: string | null;
    readonly cwd: string;
    /** The run gets a worktree of its own, from `head`. */
    readonly isWorktree: boolean;
  };
  readonly commit: "auto" | "off";
  readonly replay: string | null;
  readonly inputs: {
    readonly count: number;
    /** 1: one after the other. */
    readonly atOnce: number;
    /** At most 20. */
    readonly first: readonly { readonly arg: string; readonly file: string | null }[];
  };
  readonly params: readonly { readonly name: string; readonly value: unknown }[];
  /** Names. */
  readonly secrets: readonly string[];
  readonly iterations: { readonly max: number; readonly from: Plan["boundFrom"] };
  /** Asked after each iteration; `null`: nothing is. */
  readonly until: GateReport | null;
  readonly limits: Limits;
  readonly steps: readonly StepReport[];
  /** Those that merge the branch of a worktree; empty: mmm merges. */
  readonly merge: readonly StepReport[];
  readonly worstCase: {
    /** Every attempt and handler needed. */
    readonly iteration: Runs;
    /** Of all iterations and inputs. */
    readonly total: Runs;
  };
  readonly expected: {
    /** Sessions of this playbook that were looked at. */
    readonly sessions: number;
    /** Of the steps that are known, each run once. */
    readonly iteration: {
      readonly durationMs: number | null;
      readonly costUsd: number | null;
      /** Steps of which nothing is known. */
      readonly unknown: number;
    };
    /** Of those that came to their end. */
    readonly session: Expected;
  };
  /** Of the playbook, none of which stops a run. */
  readonly diagnostics: readonly {
    readonly code: string;
    readonly severity: string;
    readonly message: string;
    readonly line: number;
    readonly column: number;
    readonly help: string | null;
  }[];
  /** Why a real run would not start here and now, in the order it would find out. */
  readonly problems: readonly PlanProblem[];
  /** What else a run would say at its start. */
  readonly notes: readonly string[];
}
