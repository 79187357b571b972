/** What the tree of an input gets beside its commit, from the tree that the user stands in (spec 8.1, 8.4). */
import path from "node:path";
import type { InputValue } from "../../engine/events.ts";
import { uncommittedSettings } from "../../git/ready.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { changedBetween } from "../../git/worktree.ts";
import type { WorktreeSetup } from "../../playbook/model.ts";
import type { Prepared } from "../prepared.ts";
import { carryNamed, carrySettings } from "./carry.ts";

export class InputFilling {
  readonly #prepared: Prepared;
  /** As they lie there when the first input begins. */
  #settings: Promise<readonly string[]> | null = null;

  constructor(prepared: Prepared) {
    this.#prepared = prepared;
  }

  /** Returns a word for each name that is not there. */
  async fill(
    start: RepositoryStart,
    { file }: Pick<InputValue, "file">,
    setup: WorktreeSetup,
  ): Promise<readonly string[]> {
    const { home, worktree } = this.#prepared;
    const mapped = file === null ? [] : [path.join(home.root, file)];
    this.#settings ??= uncommittedSettings(home);
    // What an earlier input has brought into the branch is newer than what lies in the user's tree.
    const base = typeof worktree === "object" && worktree !== null ? worktree.base : start.head;
    const all = await this.#settings;
    const merged = all.length === 0 ? null : await changedBetween(start, base, start.head);
    const settings = all.filter((name) => merged?.has(name) !== true);
    const files = [...this.#parameterFiles(), ...mapped];
    await carrySettings({ from: home, to: start.root, settings, files });
    return carryNamed({ from: home, to: start.root }, setup);
  }

  /** The playbook is read from where it lies (spec 8.1), recordings too. */
  #parameterFiles(): readonly string[] {
    const { file, request, invocation, ownFiles } = this.#prepared;
    const elsewhere = [file.absolute, request.record, request.replay].map((name) =>
      name === null ? null : path.resolve(invocation.cwd, name),
    );
    return ownFiles.filter((name) => !elsewhere.includes(name));
  }
}
