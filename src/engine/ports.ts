/**
 * What the engine needs from the world. `process/`, `git/`, `claude/`, `session/` and `context/`
 * implement it; tests may do so in memory.
 */
import type { AnalysisOptions, ClaudeOptions } from "../playbook/model.ts";
import type { ProcessEnd } from "./outcome.ts";

export interface Clock {
  now(): Date;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  /** From now to an ISO 8601 time; negative when it has passed, NaN when it is no time. */
  msUntil(time: string): number;
  /** Resolves after that time by the clock on the wall, or as soon as `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** A child that was started; journalled so that a later run can end what a killed mmm left. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot (`/proc/PID/stat` field 22) where there is one, else ISO time of the start. */
  readonly startTime: string;
}

/** What all children share. */
interface ChildRequest {
  readonly cwd: string;
  /** Added to (and winning over) the environment mmm was started in; `undefined` takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number | null;
  readonly onStart?: (identity: ProcessIdentity) => void;
}

export interface ShellRequest extends ChildRequest {
  /** For `sh -c`; over 100 KB it is run as a file. */
  readonly script: string;
  /** `null`: empty standard input. */
  readonly stdin: string | null;
  /** Absolute path; gets stdout and stderr whole, as printed. */
  readonly logFile: string;
  /** When set, each stream is also kept alone. */
  readonly splitFiles: { readonly stdout: string; readonly stderr: string } | null;
  /** Live text, for people; decoded, maybe cut anywhere. */
  readonly onOutput?: (text: string) => void;
}

export interface ShellReport {
  readonly end: ProcessEnd;
  readonly durationMs: number;
  /** Bytes of stdout and stderr together. */
  readonly bytes: number;
  /** The last of stdout and stderr as printed, at most 64 KiB. */
  readonly tail: string;
  /** `***` stands for a secret somewhere in what was kept. */
  readonly masked?: boolean;
}

export interface ShellPort {
  run(request: ShellRequest, signal: AbortSignal): Promise<ShellReport>;
}

export interface ClaudeRequest extends ChildRequest {
  readonly prompt: string;
  readonly options: ClaudeOptions;
  /** Which step asks; replay and recordings are keyed by it and by the prompt. */
  readonly step: string;
  /** Absolute path; gets every line of the event stream as it came. */
  readonly eventsFile: string;
  /** Absolute path; gets stderr, and after the end the result's text. */
  readonly logFile: string;
  /** `null` or absent: a conversation of its own. */
  readonly resume?: ClaudeResume | null;
  /** What this call may spend, in US dollars; `null` or absent: no limit. The CLI checks after each response. */
  readonly maxBudgetUsd?: number | null;
  readonly onActivity?: (activity: ClaudeActivity) => void;
}

/** What Claude is doing right now, for people. */
export type ClaudeActivity =
  | { readonly type: "text"; readonly text: string }
  /** `detail` is the command, path or pattern the tool got, cut to one line. */
  | { readonly type: "tool"; readonly name: string; readonly detail: string }
  | { readonly type: "retry"; readonly message: string }
  | { readonly type: "turns"; readonly turns: number }
  /** So far, of this call, sub-agents included; `costUsd` is `null` until the CLI names one. */
  | { readonly type: "usage"; readonly tokens: number; readonly costUsd: number | null };

export interface ModelUsage {
  /** US dollars; `null` is unknown, never 0. */
  readonly costUsd: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** Summed over the models. */
export interface ClaudeUsage extends ModelUsage {
  /** The same by model, where the CLI tells it apart. */
  readonly models?: Readonly<Record<string, ModelUsage>> | undefined;
}

/** An earlier conversation that a call goes on with (`continue_session`). */
export interface ClaudeResume {
  readonly session: string;
  /** What the CLI last said that this conversation had used: newer ones go on counting from there. */
  readonly reported: ClaudeUsage | null;
}

export interface ClaudeReport {
  readonly end: ProcessEnd;
  readonly durationMs: number;
  /** The success rule of spec 6.2, judged by mmm; `code` is stable, `message` for people. */
  readonly verdict:
    | { readonly ok: true }
    | {
        readonly ok: false;
        readonly code: string;
        readonly message: string;
        readonly next: readonly string[];
        /** Worth another try soon (spec 2.4); never a refused request, a missing login or a usage limit. */
        readonly transient: boolean;
        /** The wait that the service asked for; `null`: it did not say. */
        readonly retryAfterMs: number | null;
        /** ISO; set only for `usage-limit`, when the moment of its reset is known. */
        readonly resetsAt: string | null;
      };
  /**
   * The result's text (or what a program without events printed), with an `output_schema` the JSON that fits it;
   * whole in `textFile`, here at most 1 MiB.
   */
  readonly text: string;
  /** Absolute path of a file that holds the whole text. */
  readonly textFile: string;
  /** `null`: the program printed no usage. */
  readonly usage: ClaudeUsage | null;
  readonly turns: number | null;
  readonly model: string | null;
  readonly claudeSession: string | null;
  /** What the CLI said the conversation has used, as it said it: for {@link ClaudeResume}. `usage` is this call's share. */
  readonly reported?: ClaudeUsage | null;
  /** The last lines for a failure message: stderr, else the result's text. */
  readonly tail: string;
  readonly warnings: readonly string[];
  /** `***` stands for a secret somewhere in what was kept. */
  readonly masked?: boolean;
}

export interface ClaudePort {
  run(request: ClaudeRequest, signal: AbortSignal): Promise<ClaudeReport>;
  /** This call was answered from the journal of the session: a recording moves on. */
  recalled?(request: ClaudeRequest): Promise<void>;
}

export interface TreeChange {
  /** Relative to the repository, `/` between folders. */
  readonly path: string;
  readonly kind: "added" | "modified" | "deleted" | "unmerged" | "nested-repository";
}

/**
 * The working tree at one moment, seen with one `git status`.
 *
 * `changes` leaves out what never counts as dirt (spec 5: playbook, `.mmm/**`, `.claude/**`, files that
 * were dirty at the start under `--allow-dirty`) as long as no step has changed those files.
 */
export interface TreeLook {
  readonly head: string;
  /** `null`: detached. */
  readonly branch: string | null;
  readonly changes: readonly TreeChange[];
}

/** A state one can compare with and go back to. `tree` is a tree object when it was not just HEAD's. */
export interface TreePoint {
  readonly head: string;
  readonly branch: string | null;
  readonly tree: string | null;
}

export interface CommitInfo {
  readonly sha: string;
  readonly subject: string;
}

export interface CommitRequest {
  /** Subject, maybe body; the trailers are appended by the port. */
  readonly message: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  readonly changes: readonly TreeChange[];
  /** `true`: `auto_commit: all`, no limits on what is swept in. */
  readonly everything: boolean;
}

export type CommitOutcome =
  | { readonly kind: "committed"; readonly sha: string; readonly subject: string }
  /** After hooks nothing was left to commit. */
  | { readonly kind: "nothing" }
  /** A hook or git itself refused; `text` is what it said. */
  | { readonly kind: "refused"; readonly text: string }
  /** Too many, too big, nested repositories, names that look secret: not committed (spec 5). */
  | {
      readonly kind: "blocked";
      readonly reasons: readonly string[];
      readonly ignoreLines: readonly string[];
    }
  /** Over 60 s, mostly a passphrase prompt. */
  | { readonly kind: "timed-out"; readonly afterMs: number };

export interface FileChange {
  readonly path: string;
  readonly status: "added" | "modified" | "deleted";
}

export interface TreePort {
  /** Absolute path of the top of the session's tree. */
  readonly root: string;
  /** One git process. */
  look(): Promise<TreeLook>;
  /** The state as it is, to come back to; makes a tree object only when `look` has changes. */
  mark(look: TreeLook): Promise<TreePoint>;
  /** How HEAD went from one to the other; `sideways`: another branch or not a descendant. */
  movement(from: TreePoint, to: TreeLook): Promise<"same" | "forward" | "backward" | "sideways">;
  /** Oldest first. */
  commitsBetween(from: string, to: string): Promise<readonly CommitInfo[]>;
  /** Start against the look, committed or not, ignored files and mmm's own left out; newest first, then by name. */
  filesSince(from: TreePoint, to: TreeLook): Promise<readonly FileChange[]>;
  /** Same files with the same content? */
  sameTree(from: TreePoint, to: TreeLook): Promise<boolean>;
  commit(request: CommitRequest, signal: AbortSignal): Promise<CommitOutcome>;
  /**
   * The commit of `request` that HEAD is, when an earlier process of the session was killed right after
   * it: a child of `from` with the same trailers; else `null`.
   */
  madeBefore(request: CommitRequest, from: string): Promise<CommitInfo | null>;
  /** Some files of the user's are left alone: those are what {@link recalled} is about. */
  readonly hasProtected: boolean;
  /** An earlier process of the session has made this commit: its files are ordinary ones from now on. */
  recalled(request: CommitRequest): void;
  /** Keeps the whole working tree as a commit under `refs/mmm/failed/<session>[/n]` and returns that name. */
  keepFailed(): Promise<string>;
  /** Keeps a commit, in the same way. */
  keepCommit(commit: string): Promise<string>;
  /** Back to `point`: branch, HEAD, index and files; ignored, protected and submodule files stay. */
  rollback(point: TreePoint): Promise<void>;
  /** `commit: off`: a snapshot commit under `refs/mmm/snap/<session>`, whose tree the point holds. */
  snapshot(): Promise<TreePoint>;
  /** Does this path of the session's tree exist (relative to `root`)? */
  exists(path: string): Promise<boolean>;
  /** Absolute path of a directory in the tree, symlinks resolved; `null` when outside of it or missing. */
  directoryInside(path: string): Promise<string | null>;
}

/** The session's own folder. */
export interface StorePort {
  /** Absolute path under `logs/` or `claude/`; the folder exists. */
  file(kind: "log" | "stdout" | "stderr" | "events", unit: string): string;
  /** Writes a value into `outputs/`, once a content and name; absolute path. */
  writeOutput(name: string, content: string): Promise<string>;
  /** Bytes; 0 when the file does not exist. */
  size(file: string): Promise<number>;
  /**
   * The whole text; the caller has looked at `size`. `exact` is false when bytes that are not UTF-8
   * were replaced. A file that does not exist is empty.
   */
  read(file: string): Promise<{ readonly text: string; readonly exact: boolean }>;
  /** A piece of a text, cut at bytes; less at its end, and empty behind it. */
  readPiece(file: string, from: number, bytes: number): Promise<string>;
}

export interface AnalysisPort {
  /** Refreshes `.mmm/context` when it is older than allowed; the text is in the asked format. */
  refresh(options: AnalysisOptions): Promise<{ readonly text: string; readonly fresh: boolean }>;
  /** `MMM_CONTEXT_DIR` and `MMM_CONTEXT_AVAILABLE`. */
  location(): Promise<{ readonly directory: string; readonly available: boolean }>;
}

/** The project's own commands, each a text for `sh -c` in the top folder; `null`: none was found. `format` rewrites files. */
export type ProjectCommands = Readonly<
  Record<"test" | "lint" | "build" | "format" | "bench", string | null>
>;

/** What a coverage report says, or why it says nothing. `file`: as it was asked for, or found. */
export type CoverageReading =
  | {
      readonly kind: "read";
      readonly file: string;
      /** Percent of lines. */
      readonly figure: number;
      /** Another one each time that the file is written. */
      readonly stamp: string;
    }
  | { readonly kind: "missing"; readonly file: string }
  | { readonly kind: "unreadable"; readonly file: string; readonly why: string };

/** What is known of the project in the session's tree, now. */
export interface ProjectPort {
  /** The config's over those that the manifests tell. */
  commands(): Promise<ProjectCommands>;
  /** @param file relative to where steps run; `null`: the newest in the usual places */
  coverage(file: string | null): Promise<CoverageReading>;
}

export interface RandomPort {
  /** At least 0, below 1. */
  fraction(): Promise<number>;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: RandomPort;
  readonly shell: ShellPort;
  readonly claude: ClaudePort;
  readonly tree: TreePort;
  readonly store: StorePort;
  readonly analysis: AnalysisPort;
  readonly project: ProjectPort;
}
