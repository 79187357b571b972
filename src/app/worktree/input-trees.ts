/** Worktrees of inputs that are at work at once: made, merged into the session's branch, removed (spec 8.4). */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { InputValue } from "../../engine/events.ts";
import type { InputPlace, InputTrees, InputWorld, MadeMerge } from "../../engine/input-trees.ts";
import type { Ports } from "../../engine/ports.ts";
import { MmmError } from "../../errors.ts";
import { lazyTree } from "../../git/lazy-tree.ts";
import { conflictsOf } from "../../git/merge.ts";
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
import { InputMerges } from "./input-merge.ts";
import { setupOf } from "./open.ts";
import { MakingTurns } from "./making-turns.ts";
import { projectFolder } from "./place.ts";
import { putAside } from "./put-aside.ts";
import { prepareWorktree } from "./prepare.ts";
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
    const { prepared, session, directory } = this.#setting;
    const { start: own, mainRoot, invocation, secrets, request } = prepared;
    const name = inputName(session, input.index);
    const place = path.join(projectFolder(own, mainRoot, invocation), name);
    const notes: string[] = [];
    const start = await this.#turns.take(signal, async () => {
      notes.push(...(await this.#putAside(name, place)));
      const base = await this.#tip();
      return addWorktree(own, { path: place, branch: name, commit: base });
    });
    if (start === null) return null;
    const record = {
      name,
      path: place,
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
    const cwd = path.join(start.root, path.relative(own.root, prepared.cwd));
    mkdirSync(cwd, { recursive: true });
    const tell = (message: string): void => {
      if (request.verbosity >= 1) invocation.stderr.write(`[${input.index}] ${message}\n`);
    };
    const unit = `${input.index}-0000-prepare`;
    const { redactor } = secrets;
    const preparing = {
      run: setup.run,
      root: start.root,
      session,
      directory,
      unit,
      redactor,
      tell,
      // Nothing of what the others have done is paid again.
      goesOn: `mmm resume ${session}`,
    };
    if (!(await prepareWorktree(preparing, signal))) return null;
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

  async merge({ name, base }: InputPlace): Promise<MadeMerge> {
    const isOld = !this.#made.has(name);
    const tip = await this.#tip(name);
    return this.#merges.make({ name, tip, base, isOld }, await this.#tip());
  }

  async show(place: InputPlace, commit: string): Promise<string | null> {
    return this.#merges.show(place, commit);
  }

  async unshow(place: InputPlace): Promise<void> {
    await this.#merges.unshow(place);
  }

  async land(made: Parameters<InputTrees["land"]>[0]): Promise<string | null> {
    return this.#merges.land(made, await this.#tip());
  }

  async missing({ name, path: root }: InputPlace): Promise<readonly ("worktree" | "branch")[]> {
    const { start: own } = this.#setting.prepared;
    const isTreeThere = await isWorktreeOf(own, root);
    const isBranchThere = (await tipOf(own, name)) !== null;
    return [
      ...(isTreeThere ? [] : ["worktree" as const]),
      ...(isBranchThere ? [] : ["branch" as const]),
    ];
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
    throw new MmmError("branch-gone", 3, {
      message: `the branch ${branch} of this session is not there any more`,
      next: [`git reflog shows where it was; git branch ${branch} COMMIT makes it again`],
    });
  }
}

function notOurs(root: string): MmmError {
  return new MmmError("worktree-gone", 3, {
    message: `the worktree of an input is not there any more: ${root}`,
    next: ["mmm worktree ls shows those that are"],
  });
}
