/** The merge of an input's branch with the session's: made beside all trees, shown to gates, landed (spec 8.4). */
import type { InputPlace, MadeMerge, Refused } from "../../engine/input-trees.ts";
import { MmmError } from "../../errors.ts";
import { commitMerge, mergeTrees, moveForward, switchTo } from "../../git/merge.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { isAncestor } from "../../git/worktree.ts";
import { shellWord } from "../../lib/shell-word.ts";

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

  /** Puts a merge into the input's tree; else why that cannot be. */
  async show({ path }: Pick<InputPlace, "path">, commit: string): Promise<string | null> {
    return this.#switch(path, { commit });
  }

  /** Puts its own branch back; else why that cannot be. */
  async unshow({ path, name }: Pick<InputPlace, "path" | "name">): Promise<string | null> {
    return this.#switch(path, { branch: name });
  }

  /** @param now where the session's branch stands; the result, too, `null`: it has moved since the merge was made */
  async land(
    { commit, onto }: { readonly commit: string; readonly onto: string },
    now: string,
  ): Promise<string | Refused | null> {
    // Killed between the move and its word.
    if (now === commit) return commit;
    if (now !== onto) return null;
    const start = this.#start;
    const move = { branch: this.#into, from: onto, to: commit, tree: start };
    try {
      await moveForward(start, { ...move, action: `mmm ${this.#into} merge` });
    } catch (error) {
      if (!(error instanceof MmmError)) throw error;
      const { code, message, next } = error;
      if (code === "target-moved") return null;
      // Of those for a file in the way only the one that adds no commit to the session's branch.
      if (code === "target-elsewhere" || code === "in-the-way")
        return { refused: message, next: next.slice(0, 1) };
      // A lock, a file that somebody has edited in there: no trouble of the other inputs.
      if (code !== "git-failed") throw error;
      return { refused: message, next: [`git -C ${shellWord(start.root)} status`] };
    }
    return commit;
  }

  /** `null`: done. */
  async #switch(root: string, to: Parameters<typeof switchTo>[1]): Promise<string | null> {
    try {
      await switchTo({ root, env: this.#start.env }, to, `mmm ${this.#into} gates`);
      return null;
    } catch (error) {
      // A lock or a file that its steps have left: no trouble of the other inputs.
      if (error instanceof MmmError && error.code === "git-failed") return error.message;
      throw error;
    }
  }
}
