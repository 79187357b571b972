/** Claude steps through the real CLI (spec 6.1 to 6.3). */
import type { ClaudePort, ClaudeReport, ClaudeRequest, ClaudeResume } from "../engine/ports.ts";
import type { ProcessEnd } from "../engine/outcome.ts";
import { commandName } from "../playbook/plan-steps.ts";
import { noRedactor, type Redactor } from "../lib/redact.ts";
import type { Reserve } from "../process/reserve.ts";
import type { Children } from "../process/children.ts";
import { claudeCommandLine, refuseRoot } from "./command-line.ts";
import { EventStream, type StreamSummary } from "./event-stream.ts";
import { Keeper } from "./keeper.ts";
import { readSchema } from "./output-schema.ts";
import { lasting } from "./result-trouble.ts";
import { shareOf } from "./usage.ts";
import { judge, type Evidence } from "./verdict.ts";

export interface ClaudeRunnerOptions {
  readonly children: Children;
  /** As `findClaude` gives it. */
  readonly bin: string;
  /** `null` where there are no user ids. */
  readonly uid: number | null;
  /** `IS_SANDBOX` of the environment mmm was started in. */
  readonly sandbox: string | undefined;
  readonly strictPermissions: boolean;
  /** Names of the variables of the environment mmm was started in: what an outer Claude Code set is taken away. */
  readonly variables?: readonly string[];
  /**
   * Commands that were found beforehand; any other slash command is stopped before its first model call
   * when the first event lists commands and not this one (spec 6.3).
   */
  readonly isResolved: (command: string) => boolean;
  /** How long a process may live on after its last result; default 15 s (spec 6.2). */
  readonly lingerMs?: number;
  readonly redactor?: Redactor;
  /** Room for the answer, should the disk be full. */
  readonly reserve?: Reserve;
}

const DEFAULT_LINGER_MS = 15_000;

/**
 * Set by an outer Claude Code; a CLI that finds them believes to be part of that session. `undefined` takes
 * them away.
 */
const OF_OUTER_CLAUDE = ["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT"];

function notInherited(variables: readonly string[]): Readonly<Record<string, undefined>> {
  const more = variables.filter((name) => name.startsWith("CLAUDECODE"));
  return Object.fromEntries([...OF_OUTER_CLAUDE, ...more].map((name) => [name, undefined]));
}

/** Rejects only with an `MmmError`: root without a way (`claude-root`), a log that cannot be written. */
export function createClaudePort(options: ClaudeRunnerOptions): ClaudePort {
  return { run: (request, signal) => new Call(options, request, signal).run() };
}

/** One call, from its start to its verdict. */
class Call {
  readonly #options: ClaudeRunnerOptions;
  readonly #request: ClaudeRequest;
  readonly #signal: AbortSignal;
  readonly #own = new AbortController();
  readonly #stream: EventStream;
  readonly #keeper: Keeper;
  readonly #command: string | null;
  #stopped: Evidence["stopped"] = null;
  #linger: NodeJS.Timeout | null = null;
  #silence: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(options: ClaudeRunnerOptions, request: ClaudeRequest, signal: AbortSignal) {
    this.#options = options;
    this.#request = request;
    this.#signal = signal;
    this.#command = commandName(request.prompt);
    this.#keeper = new Keeper(request.eventsFile, request.logFile, {
      redactor: options.redactor ?? noRedactor,
      reserve: options.reserve ?? null,
    });
    this.#stream = new EventStream({
      redactor: options.redactor ?? noRedactor,
      ...(request.onActivity === undefined ? {} : { onActivity: request.onActivity }),
      onInit: ({ slashCommands }) => this.#checkCommand(slashCommands),
      onEvent: () => this.#stillAtWork(),
      onResult: () => this.#mayLinger(),
    });
  }

  async run(): Promise<ClaudeReport> {
    const request = this.#request;
    refuseRoot(request.options, {
      uid: this.#options.uid,
      sandbox: request.env["IS_SANDBOX"] ?? this.#options.sandbox,
    });
    try {
      const schema = await readSchema(request.options.outputSchema ?? null, request.cwd);
      if (!schema.ok) return this.#refused(schema.error);
      const line = claudeCommandLine(request.prompt, request.options, {
        resume: request.resume?.session ?? null,
        maxBudgetUsd: request.maxBudgetUsd ?? null,
        schema: schema.value,
      });
      this.#listen();
      const report = await this.#options.children.start(
        {
          command: this.#options.bin,
          args: line.args,
          cwd: request.cwd,
          env: { ...notInherited(this.#options.variables ?? []), ...request.env },
          stdin: line.stdin,
          timeoutMs: request.timeoutMs,
          ...(request.onStart === undefined ? {} : { onStart: request.onStart }),
          onStdout: (chunk) => this.#take(chunk),
          onStderr: (chunk) => {
            this.#listen();
            this.#keeper.stderr(chunk);
          },
        },
        AbortSignal.any([this.#signal, this.#own.signal]),
      );
      return this.#report(report.end, report.durationMs);
    } finally {
      this.#stillAtWork();
      if (this.#silence !== null) clearTimeout(this.#silence);
    }
  }

  /** Nothing was started, and nothing was paid for. */
  #refused(message: string): ClaudeReport {
    this.#isOver = true;
    const summary = this.#stream.end();
    const trouble = lasting("output-schema", message, ["correct output_schema of the step"]);
    return {
      end: { kind: "not-started", reason: message },
      durationMs: 0,
      verdict: { ok: false, ...trouble },
      ...this.#keeper.finish(summary),
      ...factsOf(summary, null),
      warnings: [],
    };
  }

  #take(chunk: Buffer): void {
    // A background process that kept the pipe may write long after; the call is over.
    if (this.#isOver) return;
    this.#listen();
    this.#keeper.stdout(chunk);
    this.#stream.push(chunk);
  }

  #report(seen: ProcessEnd, durationMs: number): ClaudeReport {
    const isLingering = this.#linger !== null;
    this.#isOver = true;
    const summary = this.#stream.end();
    // The limit struck when the work was done and paid for.
    if (isLingering && seen.kind === "timed-out") this.#stopped = "lingered";
    const end = this.#endAs(seen);
    const wantsStructure = this.#request.options.outputSchema !== undefined;
    const { verdict, warnings } = judge({
      end,
      stream: summary,
      stopped: this.#stopped,
      command: this.#command,
      strictPermissions: this.#options.strictPermissions,
      idleMs: this.#request.options.idleTimeoutMs ?? null,
      wantsStructure,
      now: new Date(),
    });
    const kept = this.#keeper.finish(summary, wantsStructure && verdict.ok);
    return {
      end,
      durationMs,
      verdict,
      text: kept.text,
      textFile: kept.textFile,
      ...factsOf(summary, this.#request.resume ?? null),
      tail: kept.tail,
      masked: kept.masked,
      warnings: this.#stopped === "lingered" ? [...warnings, LINGERED] : warnings,
    };
  }

  /** An end of our own making is not `cancelled`: nobody told mmm to stop. */
  #endAs(seen: ProcessEnd): ProcessEnd {
    if (this.#stopped === "lingered") return { kind: "exited", code: 0 };
    return this.#stopped === null ? seen : { kind: "signalled", signal: "SIGTERM" };
  }

  #checkCommand(listed: readonly string[]): void {
    const command = this.#command;
    if (command === null || listed.length === 0 || listed.includes(command)) return;
    if (!this.#options.isResolved(command)) this.#stop("unknown-command");
  }

  /** Something came: the wait for silence begins anew. After a result the rule for lingering holds. */
  #listen(): void {
    const idleMs = this.#request.options.idleTimeoutMs;
    if (idleMs === undefined || this.#isOver) return;
    if (this.#silence === null)
      this.#silence = setTimeout(() => {
        if (this.#linger === null) this.#stop("idle");
      }, idleMs);
    else this.#silence.refresh();
  }

  #mayLinger(): void {
    this.#linger = setTimeout(
      () => this.#stop("lingered"),
      this.#options.lingerMs ?? DEFAULT_LINGER_MS,
    );
  }

  /** Any event: a command in the background can wake a process up after a result. */
  #stillAtWork(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
  }

  #stop(why: Exclude<Evidence["stopped"], null>): void {
    if (this.#signal.aborted || this.#own.signal.aborted) return;
    this.#stopped = why;
    this.#own.abort();
  }
}

const LINGERED = "claude went on living after its result and was ended";

/** Up to here a resumed call told what it alone had used; later ones go on counting. */
const LAST_WITHOUT_SUM = [2, 1, 112] as const;

function factsOf(
  { init, result, usageSince }: StreamSummary,
  resume: ClaudeResume | null,
): Pick<ClaudeReport, "usage" | "reported" | "turns" | "model" | "claudeSession"> {
  const reported = result?.usage ?? null;
  const before = resume?.reported ?? null;
  const isCumulative = isNewer(init?.version ?? null);
  const own =
    reported === null || resume === null
      ? reported
      : shareOf(reported, { before, since: usageSince, isCumulative });
  return {
    usage: own,
    reported,
    turns: result?.turns ?? null,
    model: init?.model ?? result?.model ?? null,
    claudeSession: result?.session ?? init?.session ?? null,
  };
}

function isNewer(version: string | null): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version ?? "")?.slice(1) ?? [];
  for (const [at, limit] of LAST_WITHOUT_SUM.entries()) {
    const part = Number(parts[at] ?? 0);
    if (part !== limit) return part > limit;
  }
  return false;
}
