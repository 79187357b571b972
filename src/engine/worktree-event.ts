/** `steps`: those of the playbook's `merge`. */
export type MergedBy = "git" | "claude" | "steps";

/** Of a session with a worktree of its own (spec 8): around its steps, never among them. */
export type WorktreeEvent =
  | {
      readonly type: "worktree-created";
      /** Of the session, the worktree and its branch. */
      readonly session: string;
      readonly path: string;
      /** The branch it is to be merged into; `null`: a detached HEAD. */
      readonly target: string | null;
      /** The commit it begins on. */
      readonly base: string;
    }
  | {
      readonly type: "worktree-completed";
      readonly session: string;
      readonly path: string;
    }
  | {
      readonly type: "worktree-merged";
      readonly session: string;
      readonly target: string;
      /** Where the target stands now. */
      readonly commit: string;
      readonly by: MergedBy;
    }
  | {
      readonly type: "worktree-removed";
      readonly session: string;
      readonly why: "merged" | "unchanged";
    }
  | {
      readonly type: "worktree-kept";
      readonly session: string;
      readonly path: string;
      /** `null`: nobody asked for more. */
      readonly why: string | null;
      /** Lines to type, most useful first. */
      readonly next: readonly string[];
    };
