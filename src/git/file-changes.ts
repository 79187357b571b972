import { lstatSync } from "node:fs";
import type { FileChange } from "../engine/ports.ts";
import { absolutePath } from "./path.ts";
import type { TreeDifference } from "./staging.ts";

/** Newest first, then by name. */
export function fileChanges(
  root: string,
  differences: readonly TreeDifference[],
): readonly FileChange[] {
  return differences
    .map((difference) => ({
      path: difference.path,
      status: statusOf(difference),
      mtimeNs: mtimeNs(root, difference.path),
    }))
    .sort((a, b) => {
      if (a.mtimeNs !== b.mtimeNs) return a.mtimeNs > b.mtimeNs ? -1 : 1;
      return a.path < b.path ? -1 : 1;
    })
    .map(({ path, status }) => ({ path, status }));
}

function statusOf(difference: TreeDifference): FileChange["status"] {
  if (difference.from === "000000") return "added";
  return difference.to === "000000" ? "deleted" : "modified";
}

/** 0: not there any more. */
function mtimeNs(root: string, path: string): bigint {
  try {
    return lstatSync(absolutePath(root, path), { bigint: true }).mtimeNs;
  } catch {
    return 0n;
  }
}
