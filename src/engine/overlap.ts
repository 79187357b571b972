/** Can two branches be in each other's way at all? Told by the names they touch, without a merge (spec 8.4). */
import type { FileChange } from "./ports.ts";

/** What a branch has changed, ready to be compared with many. */
export interface Touched {
  readonly paths: ReadonlySet<string>;
  /** Folders above them. */
  readonly folders: ReadonlySet<string>;
  /** Folders that a file was taken out of, and that one was put into: git moves new files after renamed folders. */
  readonly emptied: ReadonlySet<string>;
  readonly filled: ReadonlySet<string>;
}

export function touchedBy(changes: readonly Pick<FileChange, "path" | "status">[]): Touched {
  const [paths, folders] = [new Set<string>(), new Set<string>()];
  const [emptied, filled] = [new Set<string>(), new Set<string>()];
  for (const { path, status } of changes) {
    paths.add(path);
    for (const folder of foldersOf(path)) {
      folders.add(folder);
      if (status === "deleted") emptied.add(folder);
      if (status === "added") filled.add(folder);
    }
  }
  return { paths, folders, emptied, filled };
}

/** `false`: git merges them without a conflict. */
export function mayConflict(one: Touched, other: Touched): boolean {
  return (
    meet(one.paths, other.paths) ||
    meet(one.paths, other.folders) ||
    meet(one.folders, other.paths) ||
    meet(one.emptied, other.filled) ||
    meet(one.filled, other.emptied)
  );
}

/** All above it; the top of the repository, empty, only of what lies directly in it. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split("/");
  if (parts.length === 1) return [""];
  return parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

function meet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  const [few, many] = one.size < other.size ? [one, other] : [other, one];
  for (const name of few) if (many.has(name)) return true;
  return false;
}
