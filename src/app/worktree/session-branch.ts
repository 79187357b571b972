/** The branch into which worktrees of inputs are merged, moved with no checkout of it (spec 8.4). */
import type { MadeMerge } from "../../engine/input-trees.ts";
import { MmmError } from "../../errors.ts";
import { commitMerge, mergeTrees, moveForward } from "../../git/merge.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { isAncestor, tipOf } from "../../git/worktree.ts";

export class SessionBranch {
  readonly name: string;
  readonly #start: RepositoryStart;

  constructor(start: RepositoryStart, name: string) {
    this.#start = start;
    this.name = name;
  }

  async tip(): Promise<string> {
    const tip = await tipOf(this.#start, this.name);
    if (tip !== null) return tip;
    throw new MmmError("branch-gone", 3, {
      message: `the branch ${this.name} of this session is not there any more`,
      next: [`git reflog shows where it was; git branch ${this.name} COMMIT makes it again`],
    });
  }

  /** A commit that is on no branch yet. */
  async merge(name: string, tip: string): Promise<MadeMerge> {
    const onto = await this.tip();
    if (await isAncestor(this.#start, { ancestor: tip, of: onto })) return { kind: "nothing" };
    const merged = await mergeTrees(this.#start, { ours: onto, theirs: tip });
    if (merged.kind === "conflict") return merged;
    const message = `Merge branch '${name}' into ${this.name}\n\nMmm-Session: ${this.name}`;
    const parents = [onto, tip] as const;
    const commit = await commitMerge(this.#start, { tree: merged.tree, parents, message });
    return { kind: "made", onto, commit };
  }

  /** @returns `null`: it has moved meanwhile, and is let be. */
  async land(made: { readonly commit: string; readonly onto: string }): Promise<string | null> {
    const { commit, onto } = made;
    const now = await this.tip();
    // Killed between the move and its word.
    if (now === commit) return commit;
    if (now !== onto) return null;
    const move = { branch: this.name, from: onto, to: commit, tree: this.#start };
    await moveForward(this.#start, { ...move, action: `mmm ${this.name} merge` });
    return commit;
  }
}
