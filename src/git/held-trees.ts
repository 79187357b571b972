import { commitTree } from "./keep.ts";
import { type Place, plumb, tryPlumb } from "./place.ts";
import { deleteRefs } from "./session-refs.ts";

/**
 * Trees a session may come back to, under `refs/mmm/snap/<session>`: a commit for each, the newest at the
 * tip, so that no `git gc` between a stop and a resume takes them away.
 */
export class HeldTrees {
  readonly #place: Place;
  readonly #ref: string;
  readonly #session: string;
  readonly #held = new Set<string>();
  /** `null`: not looked up yet; empty: there is none. */
  #tip: string | null = null;

  constructor(place: Place, session: string) {
    this.#place = place;
    this.#session = session;
    this.#ref = `refs/mmm/snap/${session}`;
  }

  async hold(tree: string, head: string): Promise<void> {
    const key = `${head} ${tree}`;
    if (this.#held.has(key)) return;
    this.#tip ??= await this.#lookUp();
    const message = `mmm: before a step of ${this.#session}`;
    const parents = [head, this.#tip];
    this.#tip = await commitTree(this.#place, { tree, parents, message });
    await plumb(this.#place, { args: ["update-ref", this.#ref, this.#tip] });
    this.#held.add(key);
  }

  /** @param earlier an earlier process may have held some */
  async release(earlier: boolean): Promise<void> {
    if (this.#tip === null && !earlier) return;
    // The worktree itself may be gone.
    const { commonDir: root, env } = this.#place;
    const shared = { ...env, GIT_DIR: root, GIT_WORK_TREE: root };
    await deleteRefs({ ...this.#place, root, env: shared }, [this.#ref]);
    this.#tip = "";
    this.#held.clear();
  }

  async #lookUp(): Promise<string> {
    const args = ["rev-parse", "--verify", "--quiet", this.#ref];
    const { stdout } = await tryPlumb(this.#place, { args });
    return stdout.toString("utf8").trim();
  }
}
