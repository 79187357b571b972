/** `mmm init`: puts the shipped Claude commands into a repository (spec 9.1). */
import { lstat, readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { gitRecords } from "../context/git-facts.ts";
import { MmmError } from "../errors.ts";
import { shellWord } from "../lib/shell-word.ts";
import { findRepository } from "../git/repository.ts";
import { nearest } from "../lib/nearest.ts";
import { writeTogether, type PlannedFile } from "./write-together.ts";
import { shippedCommands, type ShippedCommand } from "./shipped-commands.ts";

export interface InitRequest {
  /** Absolute path; the commands go to the top of the repository around it. */
  readonly cwd: string;
  /** Replace files that differ from the shipped ones. */
  readonly force: boolean;
  /** Names, with or without `/` and `mmm-`; `null`: all. */
  readonly only: readonly string[] | null;
  /** The installed package: the folder above `dist/`. */
  readonly packageRoot: string;
  /** The user's home folder: commands in its `.claude/commands` hide those of a repository. */
  readonly home?: string;
  /** The environment mmm was started in. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface InitFile {
  /** `mmm-lint`. */
  readonly name: string;
  /** Relative to the repository. */
  readonly path: string;
  /** `kept`: it differs from the shipped one and `force` was not given. */
  readonly outcome: "installed" | "unchanged" | "replaced" | "kept";
}

export interface InitReport {
  /** Top of the repository. */
  readonly root: string;
  readonly files: readonly InitFile[];
  /** Names that a different file in the home folder hides; Claude prefers that one. */
  readonly hidden: readonly string[];
  /** Lines to type next; the last commits what was written. None when nothing was, or git ignores it all. */
  readonly next: readonly string[];
}

/**
 * Installs; all or nothing.
 *
 * @throws MmmError exit 2 for unknown names; exit 3 when there is no repository, a file or a symlink is in the way,
 *   or a folder cannot be written; nothing is changed then
 */
export async function initCommands(request: InitRequest): Promise<InitReport> {
  const root = await repositoryTop(request.cwd, request.env);
  const shipped = await shippedCommands(request.packageRoot);
  const chosen = choose(shipped, request.only);
  const folder = await targetFolder(root);
  const plans = await Promise.all(
    chosen.map(async ([name, command]) => plan({ root, folder, name, command, request })),
  );
  await writeTogether(
    folder,
    plans.flatMap((item) => (item.write === null ? [] : [item.write])),
  );
  const files = plans.map((item) => item.file);
  const wrote = files.some((file) => file.outcome === "installed" || file.outcome === "replaced");
  return {
    root,
    files,
    hidden: await hiddenNames(chosen, request.home),
    next: wrote && !(await isIgnored(root)) ? [commitLine(root, await realpath(request.cwd))] : [],
  };
}

async function repositoryTop(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const stats = await lstat(cwd).catch(() => null);
  if (stats === null) {
    throw new MmmError("no-directory", 3, {
      message: `there is no directory ${cwd}`,
      next: [`mkdir -p ${shellWord(cwd)}`],
    });
  }
  const answer = await gitRecords(cwd, ["rev-parse", "--show-toplevel"]);
  if (!answer.started) {
    throw new MmmError("no-git", 3, {
      message: `git could not be started in ${cwd}`,
      next: ["git --version"],
    });
  }
  const top = answer.records[0]?.replace(/\n$/u, "");
  if (!answer.ok || top === undefined || top === "") {
    await refuseForeign(cwd, env);
    throw new MmmError("no-repository", 3, {
      message: `${cwd} is not inside a git repository with a working tree, nothing was written`,
      next: ["git init"],
    });
  }
  return top;
}

/** A repository that is there and that git does not trust wants another advice than none. */
async function refuseForeign(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const trouble = await findRepository(cwd, env).catch((error: unknown) => error);
  const codes = ["repository-owner", "repository-broken"];
  if (trouble instanceof MmmError && codes.includes(trouble.code)) throw trouble;
}

function choose(
  shipped: ReadonlyMap<string, ShippedCommand>,
  only: readonly string[] | null,
): readonly (readonly [string, ShippedCommand])[] {
  if (only === null) return [...shipped];
  const known = [...shipped.keys()];
  const asked = only.map((name) => name.trim()).filter((name) => name !== "");
  const names = asked.map((name) => fullName(name, shipped));
  const unknown = asked.filter((_, index) => !shipped.has(names[index] ?? ""));
  if (unknown.length > 0) {
    const own = (name: string): string => name.replace(/^mmm-/u, "");
    const hints = unknown.map((name) => {
      const near = nearest(own(fullName(name, shipped)), known.map(own));
      return JSON.stringify(name) + (near === null ? "" : ` (did you mean mmm-${near}?)`);
    });
    throw new MmmError("unknown-command", 2, {
      message: `mmm ships no command ${hints.join(", ")}`,
      next: ["mmm init --list"],
    });
  }
  if (names.length === 0) {
    throw new MmmError("no-command", 2, {
      message: "no command was named",
      next: ["mmm init --list", "mmm init"],
    });
  }
  return [...shipped].filter(([name]) => names.includes(name));
}

/** `/mmm-lint`, `mmm-lint.md` and `lint` are `mmm-lint`. */
function fullName(name: string, shipped: ReadonlyMap<string, ShippedCommand>): string {
  const bare = name.replace(/^\//u, "").replace(/\.md$/u, "");
  return shipped.has(bare) || bare.startsWith("mmm-") ? bare : `mmm-${bare}`;
}

/** `.claude/commands` with symlinks resolved as far as it exists. */
async function targetFolder(root: string): Promise<string> {
  let place = await realpath(root);
  const base = place;
  for (const part of [".claude", "commands"]) {
    const next = path.join(place, part);
    const stats = await lstat(next).catch(() => null);
    if (stats === null) {
      place = next;
      continue;
    }
    const real = await realpath(next).catch(() => null);
    if (real === null || !isWithin(base, real)) throw leadsOutside(next, real);
    if (!(await lstat(real)).isDirectory()) {
      throw new MmmError("not-a-folder", 3, {
        message: `${next} is a file where a folder should be, nothing was written`,
        next: [`mv ${shellWord(next)} ${shellWord(`${next}.old`)}`],
      });
    }
    place = real;
  }
  return place;
}

async function plan(job: {
  readonly root: string;
  readonly folder: string;
  readonly name: string;
  readonly command: ShippedCommand;
  readonly request: InitRequest;
}): Promise<{ readonly file: InitFile; readonly write: PlannedFile | null }> {
  const target = path.join(job.folder, `${job.name}.md`);
  const file = (outcome: InitFile["outcome"]): InitFile => ({
    name: job.name,
    path: `.claude/commands/${job.name}.md`,
    outcome,
  });
  const stats = await lstat(target).catch(() => null);
  const { text } = job.command;
  if (stats === null) return { file: file("installed"), write: { target, text, mode: 0o644 } };

  const real = await realpath(target).catch(() => null);
  if (real === null || !isWithin(await realpath(job.root), real)) throw leadsOutside(target, real);
  const there = await lstat(real);
  if (!there.isFile()) {
    throw new MmmError("not-a-file", 3, {
      message: `${target} is not a file, nothing was written`,
      next: [`mv ${shellWord(target)} ${shellWord(`${target}.old`)}`],
    });
  }
  if ((await readFile(real)).equals(Buffer.from(text))) {
    return { file: file("unchanged"), write: null };
  }
  if (!job.request.force) return { file: file("kept"), write: null };
  return { file: file("replaced"), write: { target: real, text, mode: there.mode & 0o777 } };
}

function isWithin(base: string, place: string): boolean {
  return place.startsWith(base + path.sep);
}

/** @param real `null`: it leads nowhere */
function leadsOutside(link: string, real: string | null): MmmError {
  const where = real === null ? "to nothing" : `out of the repository, to ${real}`;
  return new MmmError("symlink-outside", 3, {
    message: `${link} is a symlink that leads ${where}, nothing was written`,
    next: [`rm ${shellWord(link)}`],
  });
}

async function hiddenNames(
  chosen: readonly (readonly [string, ShippedCommand])[],
  home: string | undefined,
): Promise<readonly string[]> {
  if (home === undefined) return [];
  const texts = await Promise.all(
    chosen.map(async ([name]) =>
      readFile(path.join(home, ".claude", "commands", `${name}.md`), "utf8").catch(() => null),
    ),
  );
  return chosen.flatMap(([name, command], index) => {
    const text = texts[index] ?? null;
    return text === null || text === command.text ? [] : [name];
  });
}

/** Whoever ignores these files does not want them committed; worktrees get a copy all the same. */
async function isIgnored(root: string): Promise<boolean> {
  return (await gitRecords(root, ["check-ignore", "-q", "--", ".claude/commands/mmm-lint.md"])).ok;
}

function commitLine(root: string, cwd: string): string {
  const git = root === cwd ? "git" : `git -C ${shellWord(root)}`;
  return `${git} add .claude/commands && ${git} commit -m "chore: install mmm commands"`;
}
