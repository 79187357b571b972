/** Worktrees of inputs that are at work at once: made, merged into the session's branch, removed (spec 8.4). */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { InputValue } from "../../engine/events.ts";
import type { InputPlace, InputTrees, InputWorld, MadeMerge } from "../../engine/input-trees.ts";
import type { Ports } from "../../engine/ports.ts";
import { lazyTree } from "../../git/lazy-tree.ts";
import { changesBetween, conflictsOf } from "../../git/merge.ts";
import { readyAsItIs } from "../../git/ready.ts";
import type { RepositoryStart } from "../../git/repository.ts";
import { openTree, type SessionTree } from "../../git/tree.ts";
import {
  addWorktree,
  deleteBranch,
  isWorktreeOf,
  mayHaveTraces,
  removeClean,
  removeWorktree,
  tipOf,
} from "../../git/worktree.ts";
import { ownChildren } from "../../process/children.ts";
import { type Lock, takeLock } from "../../session/lock.ts";
import {
  forgetInputRecord,
  inputName,
  inputNumber,
  readInputRecord,
  writeInputRecord,
} from "../../session/worktree-file.ts";
import type { Prepared } from "../prepared.ts";
import { gitFrom, lockFile, portsInTree, systemClock } from "../world.ts";
import { InputFilling } from "./input-filling.ts";
import { branchGone, missingOf, notOurs } from "./input-gone.ts";
import { InputMerges } from "./input-merge.ts";
import { setupOf } from "./open.ts";
import { MakingTurns } from "./making-turns.ts";
import { projectFolder } from "./place.ts";
import { putAside } from "./put-aside.ts";
import { prepareInput } from "./prepare-input.ts";
import { protectedIn, treeAt } from "./work.ts";

export interface InputTreesSetting {
  /** With the session's own tree. */
  readonly prepared: Prepared;
  readonly session: string;
  /** Absolute; of the session. */
  readonly directory: string;
  /** Of the session: what is not of a tree is shared. */
  readonly ports: Ports;
  /** Earlier processes of the session may have left anything. */
  readonly isResumed: boolean;
  /** Lanes of inputs that somebody has merged by hand since. */
  readonly merged: ReadonlySet<string>;
}

/** Call `release` when the session is over: whatever is kept may then be used by others. */
export async function openInputTrees(
  setting: InputTreesSetting,
): Promise<InputTrees & { readonly release: () => void }> {
  const { mainRoot, config, request, invocation } = setting.prepared;
  const { skipAnalysis } = request;
  const { version } = invocation;
  const inTree = await portsInTree({ mainRoot, project: config.project, skipAnalysis, version });
  return new GitInputTrees(setting, inTree);
}

class GitInputTrees implements InputTrees {
  readonly into: string;
  readonly #setting: InputTreesSetting;
  readonly #inTree: Awaited<ReturnType<typeof portsInTree>>;
  readonly #locks = new Map<string, Lock>();
  /** Those that were opened in this process and are not closed. */
  readonly #trees = new Map<string, SessionTree>();
  readonly #filling: InputFilling;
  /** Those whose worktrees this process has made. */
  readonly #made = new Set<string>();
  readonly #turns: MakingTurns;
  readonly #merges: InputMerges;

  constructor(setting: InputTreesSetting, inTree: Awaited<ReturnType<typeof portsInTree>>) {
    this.#setting = setting;
    this.#inTree = inTree;
    this.into = setting.session;
    const { start, invocation } = setting.prepared;
    this.#turns = new MakingTurns(start, invocation);
    this.#merges = new InputMerges(start, this.into);
    this.#filling = new InputFilling(setting.prepared);
  }

  async open(input: InputValue, signal: AbortSignal): Promise<InputPlace | null> {
    const { prepared, session } = this.#setting;
    const { start: own, mainRoot, invocation } = prepared;
    const name = inputName(session, input.index);
    const place = path.join(projectFolder(own, mainRoot, invocation), name);
    const notes: string[] = [];
    const start = await this.#turns.take(signal, async () => {
      notes.push(...(await this.#putAside(name, place)));
      const base = await this.#tip();
      return addWorktree(own, { path: place, branch: name, commit: base });
    });
    if (start === null) return null;
    const made = await this.#fit({ name, input, start, notes }, signal).catch(async (error) => {
      await this.#unmake(name, place).catch(() => undefined);
      throw error;
    });
    if (made === null) await this.#unmake(name, place);
    return made;
  }

  /** Fills and prepares it; `null`: mmm was told to stop. */
  async #fit(
    {
      name,
      input,
      start,
      notes,
    }: {
      readonly name: string;
      readonly input: InputValue;
      readonly start: RepositoryStart;
      readonly notes: string[];
    },
    signal: AbortSignal,
  ): Promise<InputPlace | null> {
    const { prepared, session, directory } = this.#setting;
    const record = {
      name,
      path: start.root,
      target: session,
      base: start.head,
      createdAt: systemClock.now().toISOString(),
      mergedAt: null,
      needs: null,
      input: input.index,
    };
    writeInputRecord(directory, { ...record, protectedFiles: [] });
    const setup = setupOf(prepared);
    notes.push(...(await this.#filling.fill(start, input, setup)));
    const cwd = path.join(start.root, path.relative(prepared.start.root, prepared.cwd));
    mkdirSync(cwd, { recursive: true });
    const work = { prepared, session, directory, input, run: setup.run };
    if (!(await prepareInput(work, start.root, signal))) return null;
    // What lies there before the first step is nobody's work: it is in no commit.
    const tree = await openTree({ start, session: name, ...(await readyAsItIs(start)) });
    const protectedFiles = tree.protectedFiles();
    if (protectedFiles.length > 0) writeInputRecord(directory, { ...record, protectedFiles });
    this.#trees.set(name, tree);
    this.#made.add(name);
    await this.#lock(name, start);
    return { name, path: start.root, cwd, base: start.head, notes };
  }

  world({ name, path: root, cwd }: InputPlace): InputWorld {
    const { ports, prepared } = this.#setting;
    const tree = lazyTree(
      root,
      async () => this.#trees.get(name) ?? (await this.#again(name, root)),
    );
    return {
      ports: { ...ports, ...this.#inTree(tree, cwd) },
      facts: { cwd, worktree: name, git: gitFrom(prepared.invocation.cwd, root) },
    };
  }

  async predict(one: string, other: string | null): Promise<readonly string[]> {
    return conflictsOf(this.#setting.prepared.start, one, other ?? this.into);
  }

  async changes(branch: string): ReturnType<InputTrees["changes"]> {
    const { prepared, directory } = this.#setting;
    const { start: own } = prepared;
    const base = readInputRecord(directory, inputNumber(branch))?.base ?? null;
    const tip = await tipOf(own, branch);
    return base === null || tip === null ? null : changesBetween(own, base, tip);
  }

  async merge({ name, base }: InputPlace): Promise<MadeMerge> {
    if (this.#setting.merged.has(`input-${inputNumber(name)}`))
      return { kind: "nothing", already: true };
    const isOld = !this.#made.has(name);
    const tip = await this.#tip(name);
    return this.#merges.make({ name, tip, base, isOld }, await this.#tip());
  }

  async show(place: InputPlace, commit: string): Promise<string | null> {
    return this.#merges.show(place, commit);
  }

  async unshow(place: InputPlace): Promise<string | null> {
    return this.#merges.unshow(place);
  }

  async land(made: Parameters<InputTrees["land"]>[0]): ReturnType<InputTrees["land"]> {
    return this.#merges.land(made, await this.#tip());
  }

  async missing(place: Parameters<InputTrees["missing"]>[0]): ReturnType<InputTrees["missing"]> {
    return missingOf(this.#setting.prepared.start, place);
  }

  async close({ name, path: root }: InputPlace): Promise<"removed" | "kept"> {
    const { prepared, directory } = this.#setting;
    const { start: own } = prepared;
    // Killed while git removed it, it may be half gone: that is no tree to look at. git is asked of one made earlier.
    const isThere = this.#made.has(name)
      ? await isWorktreeOf(own, root)
      : (await treeAt(own, root)) !== null;
    const tree = isThere ? (this.#trees.get(name) ?? (await this.#again(name, root))) : null;
    // Nobody comes back to what was marked in it, and where it stands may be gone in a moment.
    await tree?.release(!this.#made.has(name));
    const clean = { path: root, branch: name };
    if (!(isThere && (await removeClean(own, clean)))) {
      // Not all that git calls dirt is somebody's work.
      const changes = tree === null ? [] : await this.#dirtOf(name, tree);
      if (changes.length > 0) return this.#letGo(name, "kept");
      await removeWorktree(own, root);
      await deleteBranch(own, name);
    }
    forgetInputRecord(directory, inputNumber(name));
    return this.#letGo(name, "removed");
  }

  /** What would be lost with it. */
  async #dirtOf(name: string, tree: SessionTree): Promise<readonly unknown[]> {
    const { changes } = await tree.look();
    // Of one that git was removing when mmm was killed some files are gone already: all of them are in its commit.
    return this.#made.has(name) ? changes : changes.filter(({ kind }) => kind !== "deleted");
  }

  release(): void {
    for (const lock of this.#locks.values()) lock.release();
    this.#locks.clear();
  }

  #letGo<T>(name: string, outcome: T): T {
    this.#made.delete(name);
    this.#trees.delete(name);
    this.#locks.get(name)?.release();
    this.#locks.delete(name);
    return outcome;
  }

  /** Another process of the session has made it. */
  async #again(name: string, root: string): Promise<SessionTree> {
    const { prepared, directory } = this.#setting;
    const start = await treeAt(prepared.start, root);
    if (start === null) throw notOurs(root);
    const record = readInputRecord(directory, inputNumber(name));
    const saved = protectedIn(record);
    const ready = { protectedPaths: saved.map((file) => file.path), saved };
    const tree = await openTree({ start, session: name, ready });
    this.#trees.set(name, tree);
    await this.#lock(name, start);
    return tree;
  }

  async #lock(name: string, start: RepositoryStart): Promise<void> {
    if (this.#locks.has(name)) return;
    const holder = { session: this.into, owner: ownChildren.owner, now: systemClock.now() };
    this.#locks.set(name, await takeLock(lockFile(start), holder));
  }

  /** One that never was ready has nothing of anybody's in it. */
  async #unmake(name: string, place: string): Promise<void> {
    const { prepared, directory } = this.#setting;
    await removeWorktree(prepared.start, place);
    await deleteBranch(prepared.start, name);
    forgetInputRecord(directory, inputNumber(name));
    this.#letGo(name, null);
  }

  async #putAside(name: string, place: string): Promise<readonly string[]> {
    const { prepared, directory } = this.#setting;
    const { start: own } = prepared;
    const base = readInputRecord(directory, inputNumber(name))?.base ?? null;
    const isNew = base === null && !this.#setting.isResumed;
    if (isNew && !(await mayHaveTraces(own, { path: place, branch: name }))) return [];
    const open = (): Promise<SessionTree> => this.#again(name, place);
    const notes = await putAside(own, { name, path: place, base, open });
    return this.#letGo(name, notes);
  }

  async #tip(branch = this.into): Promise<string> {
    const tip = await tipOf(this.#setting.prepared.start, branch);
    if (tip !== null) return tip;
    throw branchGone(branch);
  }
}
