/** `mmm worktree merge NAME | --all` (spec 8.3). */
import path from "node:path";
import type { SessionRecord } from "../../engine/session-record.ts";
import { NOTHING_SPENT, type Spent } from "../../engine/totals.ts";
import { MmmError } from "../../errors.ts";
import { say } from "../../report/line.ts";
import type { Invocation } from "../cook-request.ts";
import { requestIn } from "../saved-request.ts";
import { openPrinter } from "../sessions/print.ts";
import { findWorktree, type KnownWorktree, type OpenedWorktrees, openWorktrees } from "./known.ts";
import { mergeLine, openOwner } from "./merge.ts";
import { mergeMaker } from "./make-merge.ts";
import { contextAgain } from "./merge-context.ts";
import { openTold } from "./merge-told.ts";
import { settleMerge } from "./settle.ts";

export interface MergeRequest {
  readonly name: string | null;
  readonly all: boolean;
}

/** The exit code: of the first that failed, when there are several. */
export async function mergeCommand(
  { name, all }: MergeRequest,
  invocation: Invocation,
): Promise<number> {
  if (all === (name !== null)) {
    throw new MmmError("merge-what", 2, {
      message: all ? "a name and --all exclude each other" : "which worktree is to be merged",
      next: ["mmm worktree merge NAME", "mmm worktree merge --all"],
    });
  }
  const opened = await openWorktrees(invocation);
  if (name !== null) return await mergeNamed(opened, name, invocation);
  let exitCode = 0;
  const skipped: string[] = [];
  // Oldest first: what came later was made with more knowledge.
  for (const known of opened.known.toReversed()) {
    if (known.record === null || known.tip === null) continue;
    if (known.session?.status !== "completed") {
      skipped.push(`${known.name} is left alone: it is ${known.session?.status ?? "unknown"}`);
      continue;
    }
    const code = await mergeOne(opened, known, invocation);
    if (exitCode === 0) exitCode = code;
  }
  openPrinter(invocation).lines(skipped.map((text) => say(text)));
  if (opened.known.length === 0) invocation.stderr.write("there are no worktrees to merge\n");
  return exitCode;
}

async function mergeNamed(
  opened: OpenedWorktrees,
  name: string,
  invocation: Invocation,
): Promise<number> {
  const known = findWorktree(opened, name);
  if (known === null) {
    openPrinter(invocation).lines([say(`nothing of ${name} is left to merge`)]);
    return 0;
  }
  if (known.session?.status === "running") {
    throw new MmmError("still-running", 3, {
      message: `${name} is at work: it can be merged when it has ended`,
      next: [mergeLine(name)],
    });
  }
  // Its session would find its branch moved, and this input gone.
  const owner = openOwner(known);
  if (owner !== null) {
    throw new MmmError("session-open", 3, {
      message: `${name} belongs to ${owner}, which is not finished: a resume merges it`,
      next: [`mmm resume ${owner}`],
    });
  }
  if (known.record === null) {
    throw new MmmError("no-target", 3, {
      message: `the folder of the session ${name} was removed: nobody knows what it is to be merged into`,
      next: [`git merge --no-ff ${name}`],
    });
  }
  return mergeOne(opened, known, invocation);
}

async function mergeOne(
  opened: OpenedWorktrees,
  { record, directory, session }: KnownWorktree,
  invocation: Invocation,
): Promise<number> {
  if (record === null) return 0;
  const { start: here, mainRoot } = opened;
  const saved = requestIn(directory);
  const typed = [saved?.request.playbook, saved?.request.paramFile, saved?.request.replay];
  const from = saved?.from ?? mainRoot;
  const told = openTold(directory, invocation);
  const place = { here, record, directory };
  try {
    return await settleMerge({
      ...place,
      ownFiles: typed.flatMap((file) => (file ? [path.resolve(from, file)] : [])),
      make: mergeMaker({
        ...place,
        mainRoot,
        context: async () => {
          const known = await contextAgain(saved, { here, mainRoot, invocation });
          if (!("why" in known)) told.mask(known.secrets.redactor);
          return known;
        },
        spent: spentBy(session),
        tell: told.tell,
      }),
      stays: hasOpenInputs(opened, { record, session }),
      tell: told.tell,
      // A signal ends mmm itself, and everything is as before.
      signal: new AbortController().signal,
    });
  } finally {
    told.close();
  }
}

/** A resume of the session goes on with them, and in its worktree. */
function hasOpenInputs(
  { known }: OpenedWorktrees,
  { record, session }: Pick<KnownWorktree, "record" | "session">,
): boolean {
  if (session === null || !session.resumable || record?.name !== session.name) return false;
  return (
    session.stopReason === "input-failed" ||
    known.some((each) => each.session?.name === session.name && each.name !== session.name)
  );
}

function spentBy(session: SessionRecord | null): Spent {
  if (session === null) return NOTHING_SPENT;
  return {
    ...NOTHING_SPENT,
    knownCostUsd: session.knownCostUsd ?? 0,
    isCostUnknown: session.costUsd === null,
    tokens: session.tokens ?? 0,
    durationMs: session.durationMs ?? 0,
  };
}
