/** Inputs of a session whose surroundings broke: what is still there of them, and how far they have come. */
import type { InputResult } from "./input-events.ts";
import type { InputTrees } from "./input-trees.ts";

/**
 * Corrects what was told of them before: a tree that could not be put away may be gone all the same, and its input is
 * merged.
 *
 * @param merged numbers of inputs that the session's branch has
 */
export async function standing(
  results: readonly InputResult[],
  { merged, trees }: { readonly merged: ReadonlySet<number>; readonly trees: InputTrees | null },
): Promise<readonly InputResult[]> {
  const all: InputResult[] = [];
  for (const result of results) {
    const { branch: name, path, stop, input } = result;
    const isMerged = stop === null && merged.has(input.index);
    const done = isMerged ? { ...result, status: "completed" as const } : result;
    if (trees === null || name === null || path === null) {
      all.push(done);
      continue;
    }
    // What broke may be what could tell.
    const missing = await trees.missing({ name, path }).catch((): readonly string[] => []);
    all.push({
      ...done,
      branch: missing.includes("branch") ? null : name,
      path: missing.includes("worktree") ? null : path,
    });
  }
  return all;
}
