/** `mmm worktree clean NAME | --all | --merged` (spec 8.2). */
import { MmmError } from "../../errors.ts";
import { findRepository } from "../../git/repository.ts";
import { showPath } from "../../git/path.ts";
import { type Line, say } from "../../report/line.ts";
import type { Invocation } from "../cook-request.ts";
import { lookAtLock } from "../look-at-lock.ts";
import { openPrinter } from "../sessions/print.ts";
import { type AsideFolder, asideFolders, isAsideName, removeAside } from "./aside.ts";
import { findWorktree, type KnownWorktree, type OpenedWorktrees, openWorktrees } from "./known.ts";
import { isMerged } from "./list.ts";
import { mergeLine, openOwner } from "./merge.ts";
import { removeWholly } from "./remove.ts";
import { uncommitted, unmerged } from "./work.ts";

export interface CleanRequest {
  readonly name: string | null;
  readonly all: boolean;
  readonly merged: boolean;
  readonly force: boolean;
}

export async function cleanCommand(
  { name, all, merged, force }: CleanRequest,
  invocation: Invocation,
): Promise<number> {
  if ([name !== null, all, merged].filter(Boolean).length !== 1) {
    throw new MmmError("clean-what", 2, {
      message: "one of NAME, --all and --merged says which worktrees go",
      next: ["mmm worktree clean NAME", "mmm worktree clean --merged", "mmm worktree clean --all"],
    });
  }
  const opened = await openWorktrees(invocation);
  const printer = openPrinter(invocation);
  const aside = merged ? [] : await asideFolders(opened, invocation);
  const removeFolder = async (folder: AsideFolder): Promise<void> => {
    await removeAside(opened.start, folder, force);
    printer.lines([say(`removed folder: ${folder.name}`)]);
  };
  if (name !== null) {
    const folder = aside.find((each) => each.name === name);
    if (folder !== undefined) {
      await removeFolder(folder);
      return 0;
    }
    const known = isAsideName(name) ? null : findWorktree(opened, name);
    if (known === null) printer.lines([say(`nothing of ${name} is left to remove`)]);
    else await remove(opened, { known, force, isOnly: true, invocation });
    return 0;
  }
  const refused: MmmError[] = [];
  const attempt = async (removing: () => Promise<void>): Promise<void> => {
    try {
      await removing();
    } catch (error) {
      if (!(error instanceof MmmError)) throw error;
      refused.push(error);
    }
  };
  let seen = 0;
  for (const known of opened.known) {
    if (merged && !(await isMerged(opened.start, known))) continue;
    seen += 1;
    const owner = force ? null : resumedIn(opened, known);
    // Of the merged ones it was not asked for: it is not done with.
    if (merged && owner !== null) {
      printer.lines(staysLines(known.name, owner));
      continue;
    }
    await attempt(async () => {
      if (owner !== null) throw resumable(known.name, owner);
      await remove(opened, { known, force, isOnly: false, invocation });
    });
  }
  for (const folder of aside) await attempt(() => removeFolder(folder));
  if (opened.known.length + aside.length === 0)
    printer.lines([say("there are no worktrees to remove")]);
  else if (merged && seen === 0)
    printer.lines([say("none of them is merged: nothing was removed")]);
  for (const { message, next } of refused)
    invocation.stderr.write(`mmm: ${message}\n${next.map((line) => `  ${line}\n`).join("")}`);
  return refused.length === 0 ? 0 : 3;
}

/** The session that `mmm resume` can go on with there; `null`: none. Whoever names it means it. */
function resumedIn({ known: all }: OpenedWorktrees, { session }: KnownWorktree): string | null {
  if (session === null || !session.resumable) return null;
  // Without its own tree it cannot, whatever is left of its inputs.
  return all.some(({ name, isThere }) => name === session.name && isThere) ? session.name : null;
}

function staysLines(name: string, owner: string): readonly Line[] {
  return [
    say(`${name} stays: its session is not finished`),
    say(`  mmm resume ${owner}   (goes on there)`),
    say(`  mmm worktree clean ${name}   (removes it all the same)`),
  ];
}

function resumable(name: string, owner: string): MmmError {
  return new MmmError("session-open", 3, {
    message: `${name} stays: its session is not finished`,
    next: [
      `mmm resume ${owner}   (goes on there)`,
      `mmm worktree clean ${name}   (removes it all the same, unless work would be lost)`,
    ],
  });
}

async function remove(
  opened: OpenedWorktrees,
  {
    known,
    force,
    isOnly,
    invocation,
  }: {
    readonly known: KnownWorktree;
    readonly force: boolean;
    /** false: what else there is of its session goes, too. */
    readonly isOnly: boolean;
    readonly invocation: Invocation;
  },
): Promise<void> {
  const { name, path, isThere, session } = known;
  // Its steps would go on in a folder that is gone.
  if (session?.status === "running") {
    throw new MmmError("still-running", 3, {
      message: `${name} is at work: stop it first`,
      next: ["stop it with Ctrl-C where it runs"],
    });
  }
  if (!force) await refuseWork(opened, known);
  // Something else that lies at this place is not a worktree of ours.
  if (!isThere) await refuseStrange(path);
  else await endKilled(opened, path, invocation);
  const tell = (message: string): boolean => invocation.stderr.write(`mmm: ${message}\n`);
  // A signal ends mmm itself, and it is safe to repeat.
  await removeWholly(opened.start, { name, path }, tell, new AbortController().signal);
  const owner = resumedIn(opened, known);
  openPrinter(invocation).lines([
    say(`removed worktree and branch: ${name}`),
    ...(owner === name ? overLines(isOnly ? opened.known : [], name) : []),
  ]);
}

/** What goes with the tree of a session that was not finished, and what does not. */
function overLines(stay: readonly KnownWorktree[], owner: string): readonly Line[] {
  const inputs = stay.flatMap(({ name, session }) =>
    session?.name === owner && name !== owner ? [name] : [],
  );
  return [
    say(`  ${owner} cannot be resumed any more`),
    ...(inputs.length === 0
      ? []
      : [
          say(`  left of its inputs: ${inputs.join(", ")}`),
          say("  mmm worktree merge NAME   (merges one where the session's was to go)"),
        ]),
  ];
}

/** Steps of a session that was killed would go on in a folder that is gone, too. */
async function endKilled(
  { start }: OpenedWorktrees,
  path: string,
  invocation: Invocation,
): Promise<void> {
  const tree = await findRepository(path, start.env).catch(() => null);
  if (tree?.root === path) await lookAtLock(tree, invocation);
}

async function refuseStrange(place: string): Promise<void> {
  const { isThere } = await import("./place.ts");
  if (!isThere(place)) return;
  throw new MmmError("not-a-worktree", 3, {
    message: `${place} is no worktree of this repository: it is left as it is`,
    next: [`look at it, and move it away: ls -la '${place}'`],
  });
}

const MOST_LISTED = 10;

async function refuseWork(opened: OpenedWorktrees, known: KnownWorktree): Promise<void> {
  const { name, path, directory } = known;
  const dirt = await uncommitted(opened.start, { name, path, directory });
  const commits = await unmerged(opened.start, { name, path });
  if (dirt.length === 0 && commits === 0) return;
  const owner = openOwner(known);
  const merge = owner === null ? mergeLine(name) : `mmm resume ${owner}   (goes on with it)`;
  const listed = dirt.slice(0, MOST_LISTED).map((file) => `\n  ${showPath(file)}`);
  const more = dirt.length > MOST_LISTED ? `\n  and ${dirt.length - MOST_LISTED} more` : "";
  const what = [
    ...(commits > 0 ? [`${commits} ${commits === 1 ? "commit" : "commits"} not merged`] : []),
    ...(dirt.length > 0 ? [`${dirt.length} uncommitted:${listed.join("")}${more}`] : []),
  ];
  throw new MmmError("work-left", 3, {
    message: `${name} has work that is nowhere else: ${what.join(", ")}`,
    next: [
      ...(commits > 0 ? [merge] : []),
      `mmm worktree clean ${name} --force   (throws it away)`,
    ],
  });
}
