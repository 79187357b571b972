/** `mmm worktree ls`: what there is, and how far it is (spec 8.2). */
import { commitsAhead, isAncestor, tipOf } from "../../git/worktree.ts";
import { type WorktreeRow, worktreeRows } from "../../report/worktree-list-wording.ts";
import type { Invocation } from "../cook-request.ts";
import { openPrinter, snakeKeys } from "../sessions/print.ts";
import { systemClock } from "../world.ts";
import { type AsideFolder, asideFolders } from "./aside.ts";
import { type KnownWorktree, type OpenedWorktrees, openWorktrees } from "./known.ts";

export async function listCommand(
  { json }: { readonly json: boolean },
  invocation: Invocation,
): Promise<number> {
  const opened = await openWorktrees(invocation);
  const rows: WorktreeRow[] = [];
  for (const known of opened.known) rows.push(await rowOf(opened, known));
  rows.push(...(await asideFolders(opened, invocation)).map(asideRow));
  if (json) {
    invocation.stdout.write(`${JSON.stringify(rows.map(snakeKeys), null, 2)}\n`);
    return 0;
  }
  openPrinter(invocation).lines(worktreeRows(rows));
  if (rows.length === 0)
    invocation.stderr.write(
      "no worktrees of sessions in this repository; mmm cook --worktree makes one\n",
    );
  return 0;
}

function asideRow({ name, path }: AsideFolder): WorktreeRow {
  return {
    name,
    branch: null,
    path,
    target: null,
    status: "aside",
    merged: false,
    iterations: null,
    commitsAhead: null,
    createdAt: null,
    ageMs: null,
    playbook: null,
  };
}

async function rowOf(
  { start }: OpenedWorktrees,
  { name, path, isThere, tip, record, session }: KnownWorktree,
): Promise<WorktreeRow> {
  const target = record?.target ?? null;
  const ahead = await aheadOf(start, { tip, target, base: record?.base ?? null });
  const createdAt = record?.createdAt ?? session?.startedAt ?? null;
  const born = Date.parse(createdAt ?? "");
  return {
    name,
    branch: tip === null ? null : name,
    path: isThere ? path : null,
    target,
    status: session?.status ?? "unknown",
    merged: await isMerged(start, { name, path, isThere, tip, record, session }),
    iterations: session?.iterations ?? null,
    commitsAhead: ahead,
    createdAt,
    ageMs: Number.isNaN(born) ? null : Math.max(0, systemClock.now().getTime() - born),
    playbook: session?.playbook ?? null,
  };
}

/** Of the target, else of where it began; `null`: neither is known. */
async function aheadOf(
  start: OpenedWorktrees["start"],
  {
    tip,
    target,
    base,
  }: { readonly tip: string | null; readonly target: string | null; readonly base: string | null },
): Promise<number | null> {
  const from = (target === null ? null : await tipOf(start, target)) ?? base;
  return tip === null || from === null ? null : await commitsAhead(start, { from, to: tip });
}

/** It has made commits, and the target has all of them. */
export async function isMerged(
  start: OpenedWorktrees["start"],
  { tip, record }: Omit<KnownWorktree, "directory">,
): Promise<boolean> {
  if (tip === null) return record !== null && record.mergedAt !== null;
  if (record === null || record.target === null || tip === record.base) return false;
  const target = await tipOf(start, record.target);
  return target !== null && (await isAncestor(start, { ancestor: tip, of: target }));
}
