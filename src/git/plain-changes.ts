/** What differs from HEAD, read off `git status` alone, where that is all there is to know. */
import type { TreeDifference } from "./staging.ts";
import type { StatusEntry } from "./status.ts";

const absent = "000000";
const someFile = "100644";

/**
 * The differences between HEAD and the working tree, as a tree object made of it would show them; `null`: only
 * that object can tell. What git calls modified may be the same once its filters have seen it; what is staged,
 * in conflict, or a repository of its own has more than one answer.
 */
export function plainChanges(entries: Iterable<StatusEntry>): readonly TreeDifference[] | null {
  const found: TreeDifference[] = [];
  for (const { path, kind, staged, submodule } of entries) {
    if (staged !== null || submodule) return null;
    if (kind === "added") found.push({ path, from: absent, to: someFile });
    else if (kind === "deleted") found.push({ path, from: someFile, to: absent });
    else return null;
  }
  return found;
}
