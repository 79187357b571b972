/** What the end of a session says to type: put into words when it is known which trees are still there. */
import type { Run } from "./context.ts";
import type { InputResult } from "./input-events.ts";
import type { SessionStatus } from "./outcome.ts";
import { elsewhereLine, restoreLine, type Undone } from "./restore-line.ts";

interface Told {
  readonly undone: Undone;
  /** Where it was undone; `null`: in the tree one stands in. */
  readonly worktree: string | null;
}

/** A line twice is said once. */
export class NextLines {
  readonly #told: (Told | string)[] = [];

  line(text: string): void {
    this.#told.push(text);
  }

  undone(told: Told): void {
    this.#told.push(told);
  }

  /** A worktree that is gone, or will be merged and removed in a moment, is no place to type a line for. */
  lines(
    status: SessionStatus,
    results: readonly InputResult[],
    { worktree: own, home }: Pick<Run["facts"], "worktree" | "home">,
  ): readonly string[] {
    const kept = new Set(results.flatMap(({ branch, path }) => (path === null ? [] : branch)));
    const stays = (worktree: string): boolean =>
      worktree === own ? status !== "completed" : kept.has(worktree);
    const lines = this.#told.map((told) => {
      if (typeof told === "string") return told;
      const { undone, worktree } = told;
      const isThere = worktree === null || stays(worktree);
      return isThere ? restoreLine(undone) : elsewhereLine(undone, home);
    });
    return [...new Set(lines)];
  }
}
