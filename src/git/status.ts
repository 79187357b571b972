import { MmmError } from "../errors.ts";
import { isOwnState } from "../engine/own-state.ts";
import type { TreeChange } from "../engine/ports.ts";
import { splitNul } from "./path.ts";
import { pinnedArgs } from "./environment.ts";
import type { Environment } from "./environment.ts";
import { runGitOk } from "./run.ts";

/** One path that git status names; `HEAD`, index and working tree are three states of it. */
export interface StatusEntry {
  readonly path: string;
  /** `null`: index and working tree together bring HEAD's state back to nothing (added, then removed). */
  readonly kind: TreeChange["kind"] | null;
  /** Does the index differ from HEAD? Then both sides, to go back and forth; mode 0: not there. */
  readonly staged: { readonly head: IndexSide; readonly index: IndexSide } | null;
  readonly submodule: boolean;
}

export interface IndexSide {
  readonly mode: string;
  readonly id: string;
}

/** All that one `git status` said, mmm's own state left out. */
export interface RawStatus {
  /** Empty: HEAD names a branch without commits. */
  readonly head: string;
  readonly branch: string | null;
  readonly entries: ReadonlyMap<string, StatusEntry>;
}

export interface StatusOptions {
  /**
   * Checked out a moment ago: files and index are of the same second, and git compares the content of each, one
   * after the other, whatever it has found out about them in parallel before.
   */
  readonly isFresh?: boolean;
  /** Pathspecs; empty: all of it. */
  readonly only?: readonly string[];
}

const absent = "000000";

/**
 * Reads the tree with one process. Submodules count when their HEAD moved, not for what lies in them;
 * a nested repository is one entry.
 */
export async function readStatus(
  place: { readonly root: string; readonly env: Environment },
  { isFresh = false, only = [] }: StatusOptions = {},
): Promise<RawStatus> {
  const output = await runGitOk({
    cwd: place.root,
    env: place.env,
    args: [
      ...pinnedArgs,
      ...(isFresh ? ["-c", "core.preloadIndex=false"] : []),
      "status",
      "--porcelain=v2",
      "--branch",
      "-z",
      "--no-ahead-behind",
      "--untracked-files=all",
      "--no-renames",
      "--ignore-submodules=dirty",
      "--",
      ...only,
    ],
  });
  return parseStatus(output);
}

/** Parses `git status --porcelain=v2 --branch -z`; linear. */
export function parseStatus(output: Buffer): RawStatus {
  let head = "";
  let branch: string | null = null;
  const entries = new Map<string, StatusEntry>();
  const parts = splitNul(output);
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? "";
    if (part.startsWith("# branch.oid "))
      head = part.slice(13) === "(initial)" ? "" : part.slice(13);
    else if (part.startsWith("# branch.head "))
      branch = part.slice(14) === "(detached)" ? null : part.slice(14);
    else if (part.startsWith("#")) continue;
    else {
      const entry = parseEntry(part);
      // `2` (a rename) has its old name as the next part; --no-renames keeps them away
      if (part.startsWith("2 ")) index += 1;
      if (entry !== null && !isOwnState(entry.path)) add(entries, entry);
    }
  }
  return { head, branch, entries };
}

function parseEntry(part: string): StatusEntry | null {
  switch (part.charAt(0)) {
    case "?":
      return untracked(part.slice(2));
    case "!":
      return null;
    case "1":
      return ordinary(fields(part, 8));
    case "2":
      return ordinary(fields(part, 9));
    case "u":
      return { path: last(fields(part, 10)), kind: "unmerged", staged: null, submodule: false };
    default:
      throw new MmmError("git-output", 3, {
        message: `git status printed a line mmm cannot read: ${JSON.stringify(part.slice(0, 200))}`,
        next: ["git --version"],
      });
  }
}

function untracked(path: string): StatusEntry {
  return path.endsWith("/")
    ? { path: path.slice(0, -1), kind: "nested-repository", staged: null, submodule: false }
    : { path, kind: "added", staged: null, submodule: false };
}

/** `1 XY sub mH mI mW hH hI path` */
function ordinary(field: readonly string[]): StatusEntry {
  const [, xy = "", sub = "", mH = "", mI = "", mW = "", hH = "", hI = ""] = field;
  return {
    path: last(field),
    kind: kindOf(mH, mW),
    staged: xy.startsWith(".") ? null : { head: { mode: mH, id: hH }, index: { mode: mI, id: hI } },
    submodule: sub.startsWith("S"),
  };
}

function kindOf(inHead: string, inTree: string): StatusEntry["kind"] {
  if (inTree === absent) return inHead === absent ? null : "deleted";
  return inHead === absent ? "added" : "modified";
}

/** A path may come twice: taken out of the index and still there. */
function add(entries: Map<string, StatusEntry>, entry: StatusEntry): void {
  const first = entries.get(entry.path);
  if (first === undefined) entries.set(entry.path, entry);
  else
    entries.set(entry.path, {
      ...first,
      kind: first.kind === "deleted" ? "modified" : entry.kind,
      staged: first.staged ?? entry.staged,
    });
}

/** The first `count` words, then the rest, which may hold spaces. */
function fields(part: string, count: number): readonly string[] {
  const found: string[] = [];
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    const end = part.indexOf(" ", start);
    found.push(part.slice(start, end));
    start = end + 1;
  }
  found.push(part.slice(start));
  return found;
}

function last(field: readonly string[]): string {
  return field.at(-1) ?? "";
}
