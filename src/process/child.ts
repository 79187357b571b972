/**
 * One child process: started in a session of its own, bounded in time, ended with its whole tree.
 *
 * Bare `spawn`, not execa: this is the hot path, and it needs `detached`, real pipes, a start that reports
 * instead of throwing, and an end that waits for the tree rather than for the pipes.
 */
import { setMaxListeners } from "node:events";

import type { ProcessEnd } from "../engine/outcome.ts";
import type { ProcessIdentity } from "../engine/ports.ts";
import type { EnvironmentChanges } from "./environment.ts";
import { launch } from "./launch.ts";
import type { Launched } from "./launch.ts";
import type { ProcessTable } from "./process-table.ts";
import { StreamPump } from "./stream-pump.ts";
import type { ChunkSink } from "./stream-pump.ts";
import { endTree } from "./tree.ts";
import type { Ending, TreeQuery } from "./tree.ts";

export interface ChildSpec {
  /** Looked up on the child's PATH unless it has a slash. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: EnvironmentChanges;
  /** `null`: empty and closed. */
  readonly stdin: string | null;
  /** `null`: as long as it takes. */
  readonly timeoutMs: number | null;
  /** From SIGTERM to SIGKILL; 5000 when left out. */
  readonly graceMs?: number;
  /**
   * `true`: stderr goes through stdout's pipe, so that `onStdout` gets both in the order in which they
   * were printed; where the system has no FIFOs, `onStderr` gets it still.
   */
  readonly merge?: boolean;
  readonly onStart?: (identity: ProcessIdentity) => void;
  /** What they throw or reject with ends the child, and the start rejects with it. */
  readonly onStdout: ChunkSink;
  readonly onStderr: ChunkSink;
}

export interface ChildReport {
  readonly end: ProcessEnd;
  readonly durationMs: number;
  /** Set when a background process still holds the pipes: it goes on into the sinks until this resolves. */
  readonly stillOpen: Promise<void> | null;
}

/** Spec 7: SIGTERM, after 5 s SIGKILL. */
export const GRACE_MS = 5000;

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A child under way, as {@link runChild} hands it to `onRunning`. */
export interface RunningChild {
  readonly identity: ProcessIdentity;
  readonly unit: string;
  /** Ends the whole tree; the report says `cancelled`. `now`: without the grace time. */
  cancel(now: boolean): void;
}

export interface ChildContext {
  readonly unit: string;
  readonly env: Record<string, string>;
  readonly table: ProcessTable;
  readonly onRunning: (child: RunningChild) => void;
}

/** Runs `spec` to its end. Rejects only with what a sink failed with. */
export async function runChild(
  spec: ChildSpec,
  context: ChildContext,
  signal: AbortSignal,
): Promise<ChildReport> {
  const startedAt = performance.now();
  const report = (end: ProcessEnd, stillOpen: Promise<void> | null = null): ChildReport => ({
    end,
    durationMs: Math.round(performance.now() - startedAt),
    stillOpen,
  });
  if (signal.aborted) return report({ kind: "cancelled" });
  const launched = await launch({
    command: spec.command,
    args: spec.args,
    cwd: spec.cwd,
    env: context.env,
    stdin: spec.stdin,
    merge: spec.merge ?? false,
  });
  if (typeof launched === "string") return report({ kind: "not-started", reason: launched });

  const run = new Run(launched, spec, context);
  const cancel = (): void => run.stop({ kind: "cancelled" });
  // As many children as there are parallel inputs share one signal; that is no leak.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    const { end, stillOpen } = await run.finished();
    return report(end, stillOpen);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

class Run {
  readonly #context: ChildContext;
  readonly #graceMs: number;
  readonly #identity: ProcessIdentity;
  readonly #pump: StreamPump;
  readonly #exited: Promise<Exit>;
  #timer: NodeJS.Timeout | null = null;
  #leave: (exit: Exit) => void = () => undefined;
  #gone = false;
  /** Why mmm itself ended the child. */
  #stopped: ProcessEnd | null = null;
  #ending: Ending | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(launched: Launched, spec: ChildSpec, context: ChildContext) {
    const { child, pid, stdout, stderr } = launched;
    this.#context = context;
    this.#graceMs = spec.graceMs ?? GRACE_MS;
    this.#exited = new Promise((resolve) => {
      this.#leave = (exit) => {
        this.#gone = true;
        if (this.#timer !== null) clearTimeout(this.#timer);
        resolve(exit);
      };
      child.once("exit", (code, signal) => this.#leave({ code, signal }));
    });
    this.#identity = context.table.identify(pid);
    this.#pump = new StreamPump(
      [[stdout, spec.onStdout], ...(stderr === null ? [] : [[stderr, spec.onStderr] as const])],
      (error) => this.#fail(error),
    );
    child.on("error", () => undefined);
    if (spec.timeoutMs !== null) this.#arm(spec.timeoutMs, performance.now() + spec.timeoutMs);
    this.#announce(spec);
  }

  /** Ends the tree, once; the first reason counts. A leader that is gone already has ended by itself. */
  stop(reason: ProcessEnd): void {
    if (this.#gone || this.#ending !== null) return;
    this.#stopped = reason;
    const query = treeOf(this.#identity, this.#context.unit);
    this.#ending = endTree(query, { graceMs: this.#graceMs, table: this.#context.table });
    void this.#ending.done.then((survivors) => {
      // Of another user (sudo): it cannot be ended, and mmm does not wait for it.
      if (survivors.some(({ pid }) => pid === this.#identity.pid)) {
        this.#leave({ code: null, signal: "SIGKILL" });
      }
    });
  }

  async finished(): Promise<{ end: ProcessEnd; stillOpen: Promise<void> | null }> {
    const exit = await this.#exited;
    await this.#ending?.done;
    if (!this.#pump.isClosed) await Promise.race([this.#pump.closed, this.#pump.drained()]);
    await this.#pump.idle();
    if (this.#failure !== null) throw this.#failure.error;
    const end = this.#stopped ?? endOf(exit);
    if (this.#pump.isClosed) return { end, stillOpen: null };
    this.#pump.unref();
    return { end, stillOpen: this.#pump.closed };
  }

  #announce(spec: ChildSpec): void {
    this.#context.onRunning({
      identity: this.#identity,
      unit: this.#context.unit,
      cancel: (now) => {
        this.stop({ kind: "cancelled" });
        if (now) this.#ending?.hurry();
      },
    });
    try {
      spec.onStart?.(this.#identity);
    } catch (error) {
      this.#fail(error);
    }
  }

  #arm(timeoutMs: number, deadline: number): void {
    const left = deadline - performance.now();
    this.#timer = setTimeout(
      () => {
        if (performance.now() + 1 < deadline) this.#arm(timeoutMs, deadline);
        else this.stop({ kind: "timed-out", afterMs: timeoutMs });
      },
      Math.min(Math.max(left, 0), MAX_TIMER_MS),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.stop({ kind: "cancelled" });
  }
}

/** Everything that belongs to one child. */
export function treeOf(leader: ProcessIdentity, unit: string): TreeQuery {
  return { seeds: [leader], hasUnit: (found) => found === unit, oldest: leader };
}

function endOf({ code, signal }: Exit): ProcessEnd {
  return signal === null ? { kind: "exited", code: code ?? 1 } : { kind: "signalled", signal };
}
