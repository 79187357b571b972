/** Worktrees are made one at a time (spec 8.4): among processes by a lock, in this one by a queue. */
import type { RepositoryStart } from "../../git/repository.ts";
import { inTurn, type Turn } from "../../session/turn.ts";
import type { Invocation } from "../cook-request.ts";
import { makingLock } from "./place.ts";

const PATIENCE_MS = 10 * 60_000;

/** For the inputs of one session: they wait for each other without asking the lock again and again. */
export class MakingTurns {
  readonly #turn: Turn;
  #before: Promise<unknown> = Promise.resolve();

  constructor(start: RepositoryStart, { stderr }: Pick<Invocation, "stderr">) {
    this.#turn = {
      file: makingLock(start),
      what: "another mmm that makes a worktree in this repository",
      waitMs: PATIENCE_MS,
      tell: (message) => void stderr.write(`mmm: ${message}\n`),
    };
  }

  /** `null`: mmm was told to stop while it waited. Throws `MmmError` (exit 3) when the turn does not come. */
  async take<T>(signal: AbortSignal, use: () => Promise<T>): Promise<T | null> {
    let began = false;
    const mine = this.#before.then(async () => {
      if (signal.aborted) return null;
      return inTurn({ ...this.#turn, signal }, () => {
        began = true;
        return use();
      });
    });
    this.#before = mine.catch(() => undefined);
    return mine.catch((error: unknown) => {
      if (signal.aborted && !began) return null;
      throw error;
    });
  }
}
