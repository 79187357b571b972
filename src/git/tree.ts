import { isOwnState } from "../engine/own-state.ts";
import type {
  CommitInfo,
  CommitRequest,
  FileChange,
  TreeLook,
  TreePoint,
  TreePort,
} from "../engine/ports.ts";
import { commitChanges } from "./commit.ts";
import { trailerLine } from "./commit-message.ts";
import type { CommitLimits } from "./commit.ts";
import { excludeOwnState } from "./exclude.ts";
import { realDirectoryInside, realInside } from "./inside.ts";
import { fileChanges } from "./file-changes.ts";
import { HeldTrees } from "./held-trees.ts";
import { History } from "./history.ts";
import { commitTree, keepCommit } from "./keep.ts";
import { type KnownLooks, knownLooks, nothingKnown } from "./known-looks.ts";
import { plainChanges } from "./plain-changes.ts";
import { createPlace } from "./place.ts";
import type { Place } from "./place.ts";
import { protect } from "./protection.ts";
import type { Protection, SavedFingerprint } from "./protection.ts";
import type { Ready } from "./ready.ts";
import type { RepositoryStart } from "./repository.ts";
import { rollBack } from "./rollback.ts";
import { diffTrees, writeWorkingTree } from "./staging.ts";
import type { TreeDifference } from "./staging.ts";
import { readStatus } from "./status.ts";
import type { RawStatus, StatusEntry } from "./status.ts";

export interface OpenTreeOptions {
  readonly start: RepositoryStart;
  /** Name of the session; part of ref names. */
  readonly session: string;
  readonly ready: Ready;
  /** Of a moment ago, and nothing has run since: the first look. */
  readonly status?: RawStatus;
  /** When it is asked for the second look: has still nothing run since `status`? Then that is the second one, too. */
  readonly isUntouched?: () => boolean;
  /** Only tests shorten them. */
  readonly limits?: Partial<CommitLimits>;
  /** Ends waits for the index; what was begun comes to its end. */
  readonly signal?: AbortSignal;
}

export interface SessionTree extends TreePort {
  /** What is protected, for a later process of the session. */
  protectedFiles(): readonly SavedFingerprint[];
  /**
   * The session is complete: nobody will come back to what was marked in it.
   *
   * @param earlier processes of the session may have marked something too
   */
  release(earlier: boolean): Promise<void>;
  /** Keeps mmm's own state out of `git status` (spec 7): lines in the shared `info/exclude`. */
  exclude(): Promise<void>;
}

/** Takes the fingerprints of what is protected, so call it before anything runs. */
export async function openTree(options: OpenTreeOptions): Promise<SessionTree> {
  const place = createPlace(options.start);
  return new GitTree({
    place,
    session: options.session,
    protection: await protect(place.root, options.ready.protectedPaths, options.ready.saved),
    limits: { lockWaitMs: 10_000, passphraseMs: 60_000, hookMs: 600_000, ...options.limits },
    signal: options.signal,
    known: knownLooks(options),
  });
}

interface Setting {
  readonly place: Place;
  readonly session: string;
  readonly protection: Protection;
  readonly limits: CommitLimits;
  readonly signal: AbortSignal | undefined;
  readonly known: KnownLooks;
}

/** Status and what of it is protected and unchanged. */
interface Seen {
  readonly status: RawStatus;
  readonly unchanged: ReadonlySet<string>;
}

/** The tree object of a HEAD with protected files only. */
interface Quiet {
  readonly head: string;
  readonly paths: readonly string[];
  readonly tree: string;
}

class GitTree implements SessionTree {
  readonly root: string;
  private readonly setting: Setting;
  private readonly place: Place;
  private readonly seen = new WeakMap<TreeLook, Seen>();
  /** No process while nothing else is dirty. */
  private quiet: Quiet | null = null;
  private clean: { readonly head: string; readonly tree: string } | null = null;
  private readonly held: HeldTrees;
  private known: KnownLooks;
  /** The newest look, until something else is asked for than what is to be read: before each child there is a mark. */
  private newest: (Pick<Seen, "status"> & { readonly changes: TreeLook["changes"] }) | null = null;
  private readonly history: History;
  private snapped: TreePoint | null = null;

  constructor(setting: Setting) {
    this.setting = setting;
    this.place = setting.place;
    this.root = setting.place.root;
    this.known = setting.known;
    this.history = new History(setting.place);
    this.held = new HeldTrees(setting.place, setting.session);
  }

  async look(): Promise<TreeLook> {
    const known = this.known();
    const seen = await (known === null ? this.see() : this.seeing(known));
    const changes = [];
    for (const { path, kind } of seen.status.entries.values())
      if (kind !== null && !seen.unchanged.has(path)) changes.push({ path, kind });
    const look: TreeLook = { head: seen.status.head, branch: seen.status.branch, changes };
    this.seen.set(look, seen);
    this.newest = { changes, status: seen.status };
    return look;
  }

  async mark(look: TreeLook): Promise<TreePoint> {
    this.newest = null;
    const seen = this.seen.get(look) ?? (await this.see());
    const tree = await this.treeOf(seen);
    if (tree !== null) await this.held.hold(tree, look.head);
    return { head: look.head, branch: look.branch, tree };
  }

  async movement(
    from: TreePoint,
    to: TreeLook,
  ): Promise<"same" | "forward" | "backward" | "sideways"> {
    if (from.branch !== to.branch) return "sideways";
    if (from.head === to.head) return "same";
    if (to.head === "") return "sideways";
    const base = await this.place.client.answer("merge-base", from.head, to.head);
    if (base === from.head) return "forward";
    return base === to.head ? "backward" : "sideways";
  }

  async commitsBetween(from: string, to: string): Promise<readonly CommitInfo[]> {
    return await this.history.between(from, to);
  }

  async filesSince(from: TreePoint, to: TreeLook): Promise<readonly FileChange[]> {
    const seen = this.seen.get(to) ?? (await this.see());
    return fileChanges(this.root, await this.differences(from, seen));
  }

  async sameTree(from: TreePoint, to: TreeLook): Promise<boolean> {
    const seen = this.seen.get(to) ?? (await this.see());
    return (await this.differences(from, seen)).length === 0;
  }

  async commit(
    ...[request, signal]: Parameters<TreePort["commit"]>
  ): ReturnType<TreePort["commit"]> {
    const status = this.newest?.changes === request.changes ? this.newest.status : null;
    this.newest = null;
    this.known = nothingKnown;
    const { limits } = this.setting;
    const outcome = await commitChanges(this.place, { request, status, limits, signal });
    if (outcome.kind !== "committed") return outcome;
    this.setting.protection.forget(request.changes.map((change) => change.path));
    this.history.made(outcome);
    const { sha, subject } = outcome;
    return { kind: "committed", sha, subject };
  }

  async madeBefore(request: CommitRequest, from: string): Promise<CommitInfo | null> {
    const text = await this.place.client.text("log", "-1", "--format=%H%x00%P%x00%s%x00%B", "HEAD");
    const [sha = "", parents = "", subject = "", body = ""] = text.split("\0");
    const lines = new Set(body.split("\n"));
    const ours = request.trailers.every((trailer) => lines.has(trailerLine(trailer)));
    return ours && parents === from ? { sha, subject } : null;
  }

  protectedFiles(): readonly SavedFingerprint[] {
    return this.setting.protection.saved();
  }

  get hasProtected(): boolean {
    return this.setting.protection.saved().length > 0;
  }

  recalled(request: CommitRequest): void {
    this.setting.protection.forget(request.changes.map(({ path }) => path));
  }

  async keepFailed(): Promise<string> {
    const status = await readStatus(this.place);
    const tree = await writeWorkingTree(this.place, status);
    const commit = await commitTree(this.place, {
      tree,
      parents: [status.head],
      message: `mmm: left by a failed step of ${this.setting.session}`,
    });
    return await keepCommit(this.place, this.setting.session, commit);
  }

  async keepCommit(commit: string): Promise<string> {
    return await keepCommit(this.place, this.setting.session, commit);
  }

  async rollback(point: TreePoint): Promise<void> {
    this.newest = null;
    this.known = nothingKnown;
    await rollBack(this.place, point, {
      session: this.setting.session,
      protection: this.setting.protection,
      lockWaitMs: this.setting.limits.lockWaitMs,
      signal: this.setting.signal,
    });
  }

  async snapshot(): Promise<TreePoint> {
    this.newest = null;
    const seen = await this.see();
    const { head, branch } = seen.status;
    const tree = (await this.treeOf(seen)) ?? (await this.headTree(seen.status));
    if (this.snapped?.head !== head || this.snapped.tree !== tree) await this.held.hold(tree, head);
    this.snapped = { head, branch, tree };
    return this.snapped;
  }

  async exists(path: string): Promise<boolean> {
    return (await realInside(this.root, path)) !== null;
  }

  async directoryInside(path: string): Promise<string | null> {
    return await realDirectoryInside(this.root, path);
  }

  async release(earlier: boolean): Promise<void> {
    await this.held.release(earlier);
  }

  async exclude(): Promise<void> {
    await excludeOwnState(this.place.commonDir);
  }

  private async see(): Promise<Seen> {
    return await this.seeing(await readStatus(this.place));
  }

  private async seeing(status: RawStatus): Promise<Seen> {
    return { status, unchanged: await this.setting.protection.unchanged(status) };
  }

  /** `null`: just HEAD's. */
  private async treeOf({ status, unchanged }: Seen): Promise<string | null> {
    if (status.entries.size === 0 && status.head !== "") return null;
    if (unchanged.size !== status.entries.size) return await writeWorkingTree(this.place, status);
    const { head } = status;
    const paths = [...status.entries.keys()];
    if (this.quiet?.head !== head || this.quiet.paths.join("\0") !== paths.join("\0"))
      this.quiet = { head, paths, tree: await writeWorkingTree(this.place, status) };
    return this.quiet.tree;
  }

  private async headTree(status: RawStatus): Promise<string> {
    if (this.clean?.head !== status.head)
      this.clean = { head: status.head, tree: await writeWorkingTree(this.place, status) };
    return this.clean.tree;
  }

  private async differences(from: TreePoint, seen: Seen): Promise<readonly TreeDifference[]> {
    const plain = this.isOwnHead(from, seen) ? plainChanges(changedEntries(seen)) : null;
    if (plain !== null) return plain;
    const now = (await this.treeOf(seen)) ?? seen.status.head;
    const found = await diffTrees(this.place, from.tree ?? from.head, now);
    return found.filter(({ path }) => !seen.unchanged.has(path) && !isOwnState(path));
  }

  /** Was there nothing but HEAD, and what is protected and lies there still, as it is on HEAD now? */
  private isOwnHead(from: TreePoint, { status, unchanged }: Seen): boolean {
    if (from.head !== status.head || status.head === "") return false;
    if (from.tree === null) return true;
    const { quiet } = this;
    return (
      from.tree === quiet?.tree &&
      from.head === quiet.head &&
      quiet.paths.every((path) => unchanged.has(path))
    );
  }
}

function changedEntries({ status, unchanged }: Seen): readonly StatusEntry[] {
  return [...status.entries.values()].filter(({ path }) => !unchanged.has(path));
}
