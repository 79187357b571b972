/**
 * Inputs that are done are merged one at a time (spec 8.4): of those that wait, the one with the fewest
 * predicted conflicts first, then in their order.
 *
 * A prediction is a process of git, so that it is only made for what may conflict: branches that touch the same names,
 * and the session's branch again after something of the same names has come into it.
 */
import { onAbort } from "../lib/on-abort.ts";
import type { InputTrees } from "./input-trees.ts";
import { mayConflict, type Touched, touchedBy } from "./overlap.ts";

interface Waiting {
  readonly index: number;
  readonly branch: string;
  readonly grant: (release: Release | null) => void;
}

export type Release = () => void;

export class MergeTurns {
  readonly #trees: Pick<InputTrees, "predict" | "changes">;
  readonly #tell: (message: string) => void;
  #isTaken = false;
  #waiting: Waiting[] = [];
  /** Pairs of branches that stand still, as long as both wait. */
  readonly #known = new Map<string, Promise<readonly string[]>>();
  /** Of a branch with the session's, until that gets something which may conflict. */
  readonly #home = new Map<string, Promise<readonly string[]>>();
  /** By branch; `null`: nobody knows. */
  readonly #touched = new Map<string, Promise<Touched | null>>();

  /** @param tell of an overlap, once for each pair */
  constructor(trees: Pick<InputTrees, "predict" | "changes">, tell: (message: string) => void) {
    this.#trees = trees;
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
    const next = (): void => {
      this.#isTaken = false;
      this.#offer();
    };
    const grant = async (one: Waiting | null): Promise<void> => {
      const touched = one === null ? undefined : this.#touched.get(one.branch);
      if (one === null || !this.#leave(one)) next();
      else one.grant(() => void this.#forget(touched).finally(next));
    };
    void this.#best().then(grant, async () => {
      // A prediction is only advice: without it, the first one.
      const [first = null] = this.#inOrder();
      await grant(first);
    });
  }

  /** What has come into the session's branch makes predictions about it old. */
  async #forget(merged: Promise<Touched | null> | undefined): Promise<void> {
    const touched = (await merged) ?? null;
    for (const branch of this.#home.keys()) {
      const own = touched === null ? null : await this.#touchedBy(branch);
      if (touched === null || own === null || mayConflict(touched, own)) this.#home.delete(branch);
    }
  }

  #leave(waiting: Waiting): boolean {
    const at = this.#waiting.indexOf(waiting);
    if (at === -1) return false;
    this.#waiting.splice(at, 1);
    this.#home.delete(waiting.branch);
    this.#touched.delete(waiting.branch);
    for (const key of this.#known.keys())
      if (key.split("\0").includes(waiting.branch)) this.#known.delete(key);
    return true;
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
    const home = async (): Promise<readonly string[]> => this.#trees.predict(one.branch, null);
    let sum = (await once(this.#home, one.branch, home)).length;
    for (const other of all) if (other !== one) sum += (await this.#pair(one, other)).length;
    return sum;
  }

  async #pair(first: Waiting, second: Waiting): Promise<readonly string[]> {
    const [low, high] = first.index < second.index ? [first, second] : [second, first];
    const key = `${low.branch}\0${high.branch}`;
    const isNew = !this.#known.has(key);
    const files = await once(this.#known, key, async () => {
      const [one, other] = [await this.#touchedBy(low.branch), await this.#touchedBy(high.branch)];
      if (one !== null && other !== null && !mayConflict(one, other)) return [];
      return this.#trees.predict(low.branch, high.branch);
    });
    if (isNew && files.length > 0) {
      const where = `${files.slice(0, 3).join(", ")}${files.length > 3 ? ", ..." : ""}`;
      this.#tell(`inputs ${low.index} and ${high.index} change the same lines: ${where}`);
    }
    return files;
  }

  async #touchedBy(branch: string): Promise<Touched | null> {
    return once(this.#touched, branch, async () => {
      const changes = await this.#trees.changes(branch).catch(() => null);
      return changes === null ? null : touchedBy(changes);
    });
  }
}

/** What cannot be found out is asked again. */
async function once<T>(
  known: Map<string, Promise<T>>,
  key: string,
  find: () => Promise<T>,
): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find();
  known.set(key, found);
  return found.catch((error: unknown) => {
    known.delete(key);
    throw error;
  });
}
