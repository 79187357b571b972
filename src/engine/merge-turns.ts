/**
 * Inputs that are done are merged one at a time (spec 8.4): of those that wait, the one with the fewest
 * predicted conflicts first, then in their order.
 */
import { onAbort } from "../lib/on-abort.ts";
import type { InputTrees } from "./input-trees.ts";

interface Waiting {
  readonly index: number;
  readonly branch: string;
  readonly grant: (release: Release | null) => void;
}

export type Release = () => void;

export class MergeTurns {
  readonly #predict: InputTrees["predict"];
  readonly #tell: (message: string) => void;
  #isTaken = false;
  #waiting: Waiting[] = [];
  /** Pairs of branches that stand still, as long as both wait. */
  readonly #known = new Map<string, Promise<readonly string[]>>();

  /** @param tell of an overlap, once for each pair */
  constructor(predict: InputTrees["predict"], tell: (message: string) => void) {
    this.#predict = predict;
    this.#tell = tell;
  }

  /** Resolves when it is its turn; `null`: mmm was told to stop. */
  async take(
    { index, branch }: { readonly index: number; readonly branch: string },
    signal: AbortSignal,
  ): Promise<Release | null> {
    if (signal.aborted) return null;
    let giveUp = (): void => undefined;
    const turn = new Promise<Release | null>((grant) => {
      const waiting = { index, branch, grant };
      this.#waiting.push(waiting);
      giveUp = () => {
        if (this.#leave(waiting)) grant(null);
      };
    });
    const stopListening = onAbort(signal, giveUp);
    this.#offer();
    const release = await turn;
    // The signal outlives all inputs.
    stopListening();
    return release;
  }

  #offer(): void {
    if (this.#isTaken || this.#waiting.length === 0) return;
    this.#isTaken = true;
    const release = (): void => {
      this.#isTaken = false;
      this.#offer();
    };
    void this.#best().then(
      (best) => {
        if (best !== null && this.#leave(best)) best.grant(release);
        else release();
      },
      // A prediction is only advice: without it, the first one.
      () => {
        const [first = null] = this.#inOrder();
        if (first !== null && this.#leave(first)) first.grant(release);
        else release();
      },
    );
  }

  #leave(waiting: Waiting): boolean {
    const at = this.#waiting.indexOf(waiting);
    if (at !== -1) this.#waiting.splice(at, 1);
    if (at !== -1)
      for (const key of this.#known.keys())
        if (key.split("\0").includes(waiting.branch)) this.#known.delete(key);
    return at !== -1;
  }

  #inOrder(): readonly Waiting[] {
    return [...this.#waiting].sort((a, b) => a.index - b.index);
  }

  async #best(): Promise<Waiting | null> {
    const all = this.#inOrder();
    const [first = null] = all;
    if (all.length < 2) return first;
    let best = first;
    let least = Number.POSITIVE_INFINITY;
    for (const one of all) {
      const conflicts = await this.#conflictsOf(one, all);
      if (conflicts < least) [best, least] = [one, conflicts];
    }
    return best;
  }

  async #conflictsOf(one: Waiting, all: readonly Waiting[]): Promise<number> {
    let sum = (await this.#predict(one.branch, null)).length;
    for (const other of all) if (other !== one) sum += (await this.#pair(one, other)).length;
    return sum;
  }

  async #pair(one: Waiting, other: Waiting): Promise<readonly string[]> {
    const [low, high] = one.index < other.index ? [one, other] : [other, one];
    const key = `${low.branch}\0${high.branch}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#predict(low.branch, high.branch);
    this.#known.set(key, found);
    const files = await found.catch((error: unknown) => {
      this.#known.delete(key);
      throw error;
    });
    if (files.length > 0) {
      const where = `${files.slice(0, 3).join(", ")}${files.length > 3 ? ", ..." : ""}`;
      this.#tell(`inputs ${low.index} and ${high.index} change the same lines: ${where}`);
    }
    return files;
  }
}
