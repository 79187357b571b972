/** `mmm worktree merge NAME | --all` (spec 8.3). */
import path from "node:path";
import type { Event } from "../../engine/events.ts";
import type { WorktreeEvent } from "../../engine/worktree-event.ts";
import { MmmError } from "../../errors.ts";
import { noRedactor } from "../../lib/redact.ts";
import { say } from "../../report/line.ts";
import { chooseSymbols } from "../../report/symbols.ts";
import { worktreeWords } from "../../report/worktree-wording.ts";
import { readConfig } from "../config.ts";
import type { Invocation } from "../cook-request.ts";
import { requestIn } from "../saved-request.ts";
import { openPrinter } from "../sessions/print.ts";
import { findWorktree, type KnownWorktree, type OpenedWorktrees, openWorktrees } from "./known.ts";
import { mergeLine } from "./merge.ts";
import { claudeResolver } from "./resolve.ts";
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
  { record, directory }: KnownWorktree,
  invocation: Invocation,
): Promise<number> {
  if (record === null) return 0;
  const { start: here, mainRoot } = opened;
  const saved = requestIn(directory);
  const typed = [saved?.request.playbook, saved?.request.paramFile, saved?.request.replay];
  const from = saved?.from ?? mainRoot;
  const config = await readConfig(invocation, mainRoot);
  const secrets = { values: new Map<string, string>(), redactor: noRedactor };
  const request = { replay: saved?.request.replay ?? null, model: saved?.request.model ?? null };
  return settleMerge({
    here,
    record,
    directory,
    ownFiles: typed.flatMap((file) => (file ? [path.resolve(from, file)] : [])),
    resolve: claudeResolver({ here, mainRoot, directory, config, invocation, secrets, request }),
    tell: teller(invocation),
    // A signal ends mmm itself, and everything is as before.
    signal: new AbortController().signal,
  });
}

function teller(invocation: Invocation): (event: Event) => void {
  const printer = openPrinter(invocation);
  const symbols = chooseSymbols(true);
  return (event) => {
    if (event.type === "note") invocation.stderr.write(`mmm: ${event.message}\n`);
    if (!isWorktreeEvent(event)) return;
    for (const line of worktreeWords(event, symbols))
      if (line.problem) invocation.stderr.write(`${line.text}\n`);
      else printer.lines([line]);
  };
}

function isWorktreeEvent(event: Event): event is WorktreeEvent {
  return event.type.startsWith("worktree-");
}
