/** Merges that were to land on the session's branch when it was cut short (spec 7, 8.4). */
import type { MadeMerge } from "../engine/input-trees.ts";
import type { Story } from "./story.ts";

/** Commits. */
export interface Landing {
  /** Where the session's branch stood. */
  readonly from: string;
  readonly to: string;
}

/** Made, and neither landed nor refused. */
export function openLandings({ trees, lanes }: Pick<Story, "trees" | "lanes">): readonly Landing[] {
  const found: Landing[] = [];
  for (const lane of trees.keys()) {
    const last = lanes
      .get(lane)
      ?.findLast((each) => each.type === "answer" && /^(?:merge|land)$/.test(each.call));
    if (last?.type !== "answer" || last.call !== "merge") continue;
    const made = last.value as MadeMerge; // The answer of that name.
    if (made.kind === "made") found.push({ from: made.onto, to: made.commit });
  }
  return found;
}
