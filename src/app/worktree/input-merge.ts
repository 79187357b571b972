/** The merge of an input's branch with the session's, made beside all trees (spec 8.4). */
import type { MadeMerge } from "../../engine/input-trees.ts";
import { commitMerge, mergeTrees } from "../../git/merge.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { isAncestor } from "../../git/worktree.ts";

export interface InputMerge {
  /** Of the input. */
  readonly name: string;
  /** The commit of its branch. */
  readonly tip: string;
  /** The commit it began on: the session's branch has had it ever since. */
  readonly base: string;
  /** An earlier process of the session has made its worktree, and may have merged it. */
  readonly isOld: boolean;
}

export class InputMerges {
  readonly #start: RepositoryStart;
  readonly #into: string;
  /** What has the same files as the newest merge may have no commits of its own. `null`: not known. */
  #newest: { commit: string; tree: string | null } | null = null;

  /** @param into the session's branch */
  constructor(start: RepositoryStart, into: string) {
    this.#start = start;
    this.#into = into;
  }

  /** @param onto where the session's branch stands */
  async make({ name, tip, base, isOld }: InputMerge, onto: string): Promise<MadeMerge> {
    const start = this.#start;
    const message = `Merge branch '${name}' into ${this.#into}\n\nMmm-Session: ${this.#into}`;
    if (tip === base || tip === onto) return { kind: "nothing" };
    const isIn = (): Promise<boolean> => isAncestor(start, { ancestor: tip, of: onto });
    if (isOld && (await isIn())) return { kind: "nothing" };
    const parents = [onto, tip] as const;
    if (!isOld && onto === base) {
      // Nobody else has merged anything: the tree is the input's own.
      const commit = await commitMerge(start, { tree: `${tip}^{tree}`, parents, message });
      this.#newest = { commit, tree: null };
      return { kind: "made", onto, commit };
    }
    const merged = await mergeTrees(start, { ours: onto, theirs: tip });
    if (merged.kind === "conflict") return merged;
    const { tree } = merged;
    const before = this.#newest?.commit === onto ? this.#newest.tree : null;
    const isMore = before !== null && before !== tree;
    if (!isOld && !isMore && (await isIn())) return { kind: "nothing" };
    const commit = await commitMerge(start, { tree, parents, message });
    this.#newest = { commit, tree };
    return { kind: "made", onto, commit };
  }
}
