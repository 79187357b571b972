import type { TreePort } from "./ports.ts";

/** Shas; empty: HEAD is where it was. */
export async function commitsSince(
  tree: TreePort,
  from: string,
  to: string,
): Promise<ReadonlySet<string>> {
  const reachable = from === to ? [] : await tree.commitsBetween(from, to);
  return new Set(reachable.map(({ sha }) => sha));
}
