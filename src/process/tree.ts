/**
 * Ends everything that descends from a child (spec 7, 11), also what left its group, its session and
 * its parent: the whole tree is collected before the first signal, and again before the last.
 */
import type { ProcessIdentity } from "../engine/ports.ts";
import { systemProcessTable } from "./process-table.ts";
import type { ProcessRow, ProcessTable } from "./process-table.ts";

/** Which processes: the living of `seeds`, theirs, and all whose `MMM_UNIT` fits. */
export interface TreeQuery {
  readonly seeds: readonly ProcessIdentity[];
  readonly hasUnit: (unit: string) => boolean;
  /** Nothing older than this can belong to the tree; `null`: no such limit is known. */
  readonly oldest: ProcessIdentity | null;
}

export interface Ending {
  /** Those that even SIGKILL could not end (of another user, or stuck in the kernel). */
  readonly done: Promise<readonly ProcessIdentity[]>;
  /** SIGKILL at once instead of waiting for the rest of the grace time. */
  hurry(): void;
}

interface EndingOptions {
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly table?: ProcessTable;
}

interface OrphanOptions {
  readonly graceMs?: number;
  readonly table?: ProcessTable;
  /** `Children.owner` of mmms that are gone, where known: finds also what left every journalled session. */
  readonly owners?: readonly string[];
}

/** How long a process may take to vanish after SIGKILL before it is given up. */
const KILL_WAIT_MS = 2000;

/**
 * All living processes of the tree, parents before children where parents live. Never this process,
 * never pid 1, never one of this process's own session that is not a descendant or marked.
 */
export function collectTree(table: ProcessTable, query: TreeQuery): readonly ProcessRow[] {
  const rows = table
    .list()
    .filter((row) => !row.zombie && row.pid > 1 && row.pid !== process.pid)
    .filter((row) => query.oldest === null || !table.isOlder(row, query.oldest));
  const byParent = groupBy(rows, (row) => row.parent);
  const bySession = groupBy(rows, (row) => row.session);
  const ownSession = table.alive([table.identify(process.pid)])[0]?.session ?? 0;
  const units = table.unitsOf(rows);
  const queue = [
    ...rowsOf(rows, table.alive(query.seeds)),
    ...rows.filter((row) => query.hasUnit(units.get(row.pid) ?? "")),
  ];

  const found = new Map<number, ProcessRow>();
  for (const row of queue) {
    if (found.has(row.pid)) continue;
    found.set(row.pid, row);
    queue.push(...(byParent.get(row.pid) ?? []));
    // Nobody joins a session from outside, so who shares one with ours is ours.
    if (row.session !== ownSession && row.session > 1) {
      queue.push(...(bySession.get(row.session) ?? []));
    }
  }
  return [...found.values()];
}

/** SIGTERM (and SIGCONT for the stopped) to the whole tree, SIGKILL to what is left after the grace time. */
export function endTree(query: TreeQuery, options: EndingOptions): Ending {
  const hurry = new AbortController();
  const table = options.table ?? systemProcessTable();
  return {
    done: terminate(query, table, options.graceMs, hurry.signal),
    hurry: () => hurry.abort(),
  };
}

/** SIGKILL to the whole tree, without waiting: for the last moment before this process exits. */
export function killTreeNow(query: TreeQuery, table: ProcessTable): void {
  // A second round for what was forked during the first.
  for (let round = 0; round < 2; round += 1) signalAll(collectTree(table, query), "SIGKILL");
}

/**
 * Ends what a killed mmm left (spec 7): the journalled children, all that carries the mark of the same
 * mmm, and what is left of the sessions of children that are gone.
 *
 * @returns how many processes were found.
 */
export async function endOrphans(
  journalled: readonly ProcessIdentity[],
  options: OrphanOptions = {},
): Promise<number> {
  const { graceMs = 5000, table = systemProcessTable() } = options;
  const rows = table.list();
  const units = table.unitsOf(rows);
  const leaders = new Map(journalled.map((identity) => [identity.pid, identity]));
  const alive = table.alive(journalled);
  const ours = new Set(alive.map((row) => row.pid));
  // A pid that lives with another start time is somebody else's by now, and so is its session.
  for (const row of rows) if (!row.zombie && !ours.has(row.pid)) leaders.delete(row.pid);
  const owners = new Set(options.owners);
  const isLeft = (row: ProcessRow): boolean => {
    const leader = leaders.get(row.session);
    const owner = ownerOf(units.get(row.pid));
    if (leader === undefined || owner === undefined || table.isOlder(row, leader)) return false;
    return options.owners === undefined || owners.has(owner);
  };
  const seeds = [...alive, ...rows.filter(isLeft)];
  for (const row of seeds) owners.add(ownerOf(units.get(row.pid)) ?? "");
  owners.delete("");
  const query: TreeQuery = {
    seeds,
    hasUnit: (unit) => owners.has(ownerOf(unit) ?? ""),
    oldest: null,
  };
  const count = collectTree(table, query).length;
  if (count > 0) await endTree(query, { graceMs, table }).done;
  return count;
}

function ownerOf(unit: string | undefined): string | undefined {
  return unit?.split(".")[0];
}

function groupBy(
  rows: readonly ProcessRow[],
  key: (row: ProcessRow) => number,
): ReadonlyMap<number, readonly ProcessRow[]> {
  const groups = new Map<number, ProcessRow[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group === undefined) groups.set(key(row), [row]);
    else group.push(row);
  }
  return groups;
}

function rowsOf(rows: readonly ProcessRow[], alive: readonly ProcessRow[]): ProcessRow[] {
  const pids = new Set(alive.map((row) => row.pid));
  return rows.filter((row) => pids.has(row.pid));
}

async function terminate(
  query: TreeQuery,
  table: ProcessTable,
  graceMs: number,
  hurry: AbortSignal,
): Promise<readonly ProcessIdentity[]> {
  const known = new Map<number, ProcessIdentity>();
  /** The tree as it is now, those included that were found earlier and have lost every tie since. */
  const collect = (): readonly ProcessRow[] => {
    const rows = collectTree(table, { ...query, seeds: [...query.seeds, ...known.values()] });
    for (const row of rows) known.set(row.pid, row);
    return rows;
  };

  const deadline = performance.now() + graceMs;
  let waitMs = 5;
  while (!hurry.aborted && performance.now() < deadline) {
    const fresh = collect();
    if (fresh.length === 0) return [];
    signalAll(fresh, "SIGTERM");
    signalAll(fresh, "SIGCONT");
    while (!hurry.aborted && performance.now() < deadline) {
      await pause(Math.min(waitMs, deadline - performance.now()), hurry);
      waitMs = Math.min(waitMs * 2, 50);
      if (table.alive([...known.values()]).length === 0) break;
    }
  }

  const lastMoment = performance.now() + KILL_WAIT_MS;
  for (;;) {
    const left = collect();
    if (left.length === 0 || performance.now() > lastMoment) return left;
    signalAll(left, "SIGKILL");
    await pause(10, null);
  }
}

/** The rows were read in this very turn of the event loop, so their pids are still theirs. */
function signalAll(rows: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const { pid } of rows) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone since, or of another user (sudo): the caller looks again.
    }
  }
}

function pause(ms: number, hurry: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, Math.max(ms, 1));
    function finish(): void {
      clearTimeout(timer);
      hurry?.removeEventListener("abort", finish);
      resolve();
    }
    hurry?.addEventListener("abort", finish);
  });
}
