import type { SessionLimits } from "../engine/budget.ts";

/** What `mmm cook` was asked to do, as plain data (spec 1). */
export interface CookRequest {
  /** As typed; `null`: none was given. */
  readonly playbook: string | null;
  /** `--path`, as typed. */
  readonly path: string | null;
  readonly maxIterations: number | null;
  readonly map: readonly string[];
  readonly args: readonly string[];
  /** `--param`, as typed: `NAME=VALUE`. */
  readonly params: readonly string[];
  /** `--param-file`, as typed. */
  readonly paramFile: string | null;
  readonly failFast: boolean;
  /** Absent in journals of 0.1.0. */
  readonly worktree?: boolean;
  /** So many inputs at once, each in a worktree of its own; `null`: one after the other. Absent in journals of 0.1.0. */
  readonly parallel?: number | null;
  /** Answers the question whether to merge; a run in place asks none. */
  readonly yes: boolean;
  readonly model: string | null;
  readonly record: string | null;
  readonly replay: string | null;
  readonly reporter: "pretty" | "plain" | "json" | null;
  readonly emoji: boolean;
  readonly allowDirty: boolean;
  readonly rollback: boolean;
  readonly commit: boolean;
  readonly skipAnalysis: boolean;
  readonly limits: SessionLimits;
  /** -1 `-q`, 0, 1 `-v`, 2 `-vv`. */
  readonly verbosity: -1 | 0 | 1 | 2;
}

/** What a program may know of the world it was started in. */
export interface Invocation {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Text to standard output, for who has little to say: it costs no stream. */
  readonly print: (text: string) => void;
  /** The package's own folder: `commands/` and `examples/` lie in it. */
  readonly packageRoot: string;
  readonly version: string;
}
