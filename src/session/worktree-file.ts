/** `worktree.json` in a session's folder: which worktree it has, and where that is to go (spec 8.1). */
import path from "node:path";
import { type Format, readVersioned, writeVersioned } from "./versioned-file.ts";

export interface WorktreeRecord {
  /** Of the session, its branch and its folder. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The branch the user stood on; `null`: a detached HEAD. */
  readonly target: string | null;
  /** The commit it began on. */
  readonly base: string;
  readonly createdAt: string;
  /** `null`: mmm has not merged it. */
  readonly mergedAt: string | null;
}

const FORMAT: Format<WorktreeRecord> = {
  version: 1,
  migrations: new Map(),
  read: (content) => {
    const { name, path: place, target, base, created_at, merged_at } = content;
    if (typeof name !== "string" || typeof place !== "string" || typeof base !== "string")
      return null;
    // What goes into a git command line or a path is looked at here (spec 0, data is data).
    if (!NAME.test(name) || path.basename(place) !== name || !path.isAbsolute(place)) return null;
    if (!/^[0-9a-f]{40,64}$/.test(base)) return null;
    return {
      name,
      path: place,
      target: typeof target === "string" && !target.startsWith("-") ? target : null,
      base,
      createdAt: String(created_at),
      mergedAt: typeof merged_at === "string" ? merged_at : null,
    };
  },
};

const NAME = /^[a-z0-9][a-z0-9-]*$/;

/** `null`: the session has none, or what stands there is damaged. */
export function readWorktreeRecord(directory: string): WorktreeRecord | null {
  const found = readVersioned(path.join(directory, "worktree.json"), FORMAT);
  if (found.kind !== "sound" || found.value.name !== path.basename(directory)) return null;
  return found.value;
}

/** Throws `MmmError` (exit 3). */
export function writeWorktreeRecord(directory: string, record: WorktreeRecord): void {
  writeVersioned(path.join(directory, "worktree.json"), {
    version: 1,
    name: record.name,
    path: record.path,
    target: record.target,
    base: record.base,
    created_at: record.createdAt,
    merged_at: record.mergedAt,
  });
}
