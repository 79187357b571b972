import type { ProcessIdentity } from "../engine/ports.ts";
import { GRACE_MS, runChild, treeOf } from "./child.ts";
import type { ChildReport, ChildSpec, RunningChild } from "./child.ts";
import { childEnvironment } from "./environment.ts";
import { systemProcessTable } from "./process-table.ts";
import type { ProcessTable } from "./process-table.ts";
import { collectTree, endTree, killTreeNow } from "./tree.ts";
import type { Ending, TreeQuery } from "./tree.ts";

/** How long the last words of ended background processes are waited for. */
const LAST_WORDS_MS = 1000;

/**
 * All that one mmm has started: each child while it runs, and what stays behind in the background, until
 * {@link Children.endAll}. No child outlives mmm (spec 11).
 */
export class Children {
  /** First part of `MMM_UNIT` in all of these children. */
  readonly owner = globalThis.crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  readonly #table: ProcessTable = systemProcessTable();
  readonly #running = new Set<RunningChild>();
  /** What was left of a child's session when the child had exited. */
  readonly #left: ProcessIdentity[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #endings = new Set<Ending>();
  #oldest: ProcessIdentity | null = null;
  #count = 0;

  /**
   * Runs a child to its end. Never rejects for how the child ended; only for what a sink of the caller
   * failed with. `cancelled` when `signal` was aborted, after the whole tree is gone.
   */
  async start(spec: ChildSpec, signal: AbortSignal): Promise<ChildReport> {
    this.#count += 1;
    const unit = `${this.owner}.${this.#count}`;
    const env = childEnvironment(process.env, spec.env, unit);
    let running: RunningChild | null = null;
    const onRunning = (child: RunningChild): void => {
      running = child;
      this.#oldest ??= child.identity;
      this.#running.add(child);
    };
    try {
      const report = await runChild(spec, { unit, env, table: this.#table, onRunning }, signal);
      this.#remember(report);
      return report;
    } finally {
      if (running !== null) this.#leave(running);
    }
  }

  /** How many children there have been by now, those that run included. */
  get started(): number {
    return this.#count;
  }

  /** Background processes of children that have ended. */
  leftovers(): readonly ProcessIdentity[] {
    const units = new Set([...this.#running].map((child) => child.unit));
    const inUse = new Set(
      [...this.#running].flatMap((child) =>
        collectTree(this.#table, treeOf(child.identity, child.unit)).map((row) => row.pid),
      ),
    );
    const query = {
      ...this.#everything(),
      hasUnit: (unit: string) => this.#owns(unit) && !units.has(unit),
    };
    return collectTree(this.#table, { ...query, seeds: this.#left })
      .filter((row) => !inUse.has(row.pid))
      .map(({ pid, startTime }) => ({ pid, startTime }));
  }

  /**
   * Ends all that still lives of what was ever started, running children included (they report
   * `cancelled`). `now`: SIGKILL at once, also for what is being ended already. Safe to repeat.
   *
   * @returns what could not be ended.
   */
  async endAll(now: boolean, graceMs = GRACE_MS): Promise<readonly ProcessIdentity[]> {
    if (this.#oldest === null) return [];
    for (const child of this.#running) child.cancel(now);
    if (now) for (const ending of this.#endings) ending.hurry();
    const ending = endTree(this.#everything(), { graceMs, table: this.#table });
    if (now) ending.hurry();
    this.#endings.add(ending);
    try {
      const survivors = await ending.done;
      await withinMs(LAST_WORDS_MS, Promise.all(this.#open));
      if (survivors.length === 0 && this.#running.size === 0) this.#forget();
      return survivors;
    } finally {
      this.#endings.delete(ending);
    }
  }

  /** SIGKILL to all of it without waiting: for `process.on("exit")`, where nothing asynchronous runs. */
  killAllNow(): void {
    if (this.#oldest !== null) killTreeNow(this.#everything(), this.#table);
  }

  /** Nothing is left, so there is nothing to look for until the next start. */
  #forget(): void {
    this.#oldest = null;
    this.#left.length = 0;
  }

  #owns(unit: string): boolean {
    return unit.startsWith(`${this.owner}.`);
  }

  #everything(): TreeQuery {
    return {
      seeds: [...[...this.#running].map((child) => child.identity), ...this.#left],
      hasUnit: (unit) => this.#owns(unit),
      oldest: this.#oldest,
    };
  }

  #remember({ stillOpen }: ChildReport): void {
    if (stillOpen === null) return;
    this.#open.add(stillOpen);
    void stillOpen.then(() => this.#open.delete(stillOpen));
  }

  /** One system call for each child, a look at all processes only when somebody is left in its group. */
  #leave(child: RunningChild): void {
    this.#running.delete(child);
    try {
      process.kill(-child.identity.pid, 0);
    } catch {
      return;
    }
    const rows = collectTree(this.#table, treeOf(child.identity, child.unit));
    const session = this.#table.list().filter((row) => row.session === child.identity.pid);
    for (const { pid, startTime } of [...rows, ...session]) this.#left.push({ pid, startTime });
  }
}

/** What this process has started. */
export const ownChildren = new Children();

async function withinMs(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
