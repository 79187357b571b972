/** What the engine needs to give each input a tree of its own (spec 8.4). */
import type { Run } from "./context.ts";
import type { InputValue } from "./events.ts";
import type { FileChange, Ports } from "./ports.ts";

/** Where an input is at work; plain JSON, as it goes into the journal. */
export interface InputPlace {
  /** Of its worktree and its branch. */
  readonly name: string;
  /** Absolute: top of its tree. */
  readonly path: string;
  /** Absolute: where its steps run. */
  readonly cwd: string;
  /** The commit it began on. */
  readonly base: string;
  /** For people: what was asked for and is not there, what an earlier one has left. */
  readonly notes: readonly string[];
}

/** A merge of an input's branch with the session's, made beside all trees. */
export type MadeMerge =
  /** No commit that the session's branch has not. */
  | {
      readonly kind: "nothing";
      /** Somebody has merged it by hand. */
      readonly already?: true;
    }
  | {
      readonly kind: "made";
      readonly commit: string;
      /** Where the session's branch stood; it moves only from there. */
      readonly onto: string;
    }
  | { readonly kind: "conflict"; readonly files: readonly string[] };

/** Something is in the way in the session's own tree; its branch has not moved. */
export interface Refused {
  readonly refused: string;
  /** Lines to type. */
  readonly next: readonly string[];
}

export interface InputWorld {
  readonly ports: Ports;
  readonly facts: Pick<Run["facts"], "cwd" | "worktree" | "git">;
}

export interface InputTrees {
  /** The session's branch. */
  readonly into: string;
  /**
   * Makes the worktree; what an earlier process left in its place is kept under a ref first. `null`: mmm was
   * told to stop.
   */
  open(input: InputValue, signal: AbortSignal): Promise<InputPlace | null>;
  /** Touches nothing before one of the ports is used. */
  world(place: InputPlace): InputWorld;
  /** Files in which a merge of two branches (or of one with the session's, `null`) would meet conflicts. */
  predict(one: string, other: string | null): Promise<readonly string[]>;
  /** What a branch has changed since it began; `null`: nobody knows. */
  changes(branch: string): Promise<readonly Pick<FileChange, "path" | "status">[] | null>;
  merge(place: InputPlace): Promise<MadeMerge>;
  /** Puts what was merged into the input's tree, to be looked at by gates; else why that cannot be. */
  show(place: InputPlace, commit: string): Promise<string | null>;
  /** Puts the input's own branch back into its tree; else why that cannot be. */
  unshow(place: InputPlace): Promise<string | null>;
  /**
   * Moves the session's branch, and its tree along: where it stands then; `null`: it is not any more where the
   * merge was made.
   */
  land(made: { readonly commit: string; readonly onto: string }): Promise<string | Refused | null>;
  /** What of it is not there any more: a step, or somebody, may have removed it. */
  missing(place: Pick<InputPlace, "name" | "path">): Promise<readonly ("worktree" | "branch")[]>;
  /** Removes worktree and branch; `kept`: there is something uncommitted in it. */
  close(place: InputPlace): Promise<"removed" | "kept">;
}
