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

  /**
   * In the order in which they can be typed. A worktree that is gone, or will be merged and removed in a moment, is no
   * place to type a line for; nor is one that a resume goes on in: it refuses what it does not know.
   */
  lines(
    status: SessionStatus,
    results: readonly InputResult[],
    { worktree: own, home }: Pick<Run["facts"], "worktree" | "home">,
  ): readonly string[] {
    const goesOn = isOpen(status);
    const said: string[] = [];
    const undone: string[] = [];
    for (const told of this.#told) {
      if (typeof told === "string") {
        (goesOn ? said : undone).push(told);
        continue;
      }
      const { worktree } = told;
      const input = results.find(({ branch }) => branch !== null && branch === worktree);
      if (worktree !== null && isOpen(worktree === own ? status : input?.status)) continue;
      const stays = worktree === own ? status !== "completed" : (input?.path ?? null) !== null;
      const isThere = worktree === null || stays;
      undone.push(isThere ? restoreLine(told.undone) : elsewhereLine(told.undone, home));
    }
    return [...new Set([...said, ...undone])];
  }
}

function isOpen(status: InputResult["status"] | undefined): boolean {
  return status === "interrupted" || status === "suspended";
}
