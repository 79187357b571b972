/** What a call did to the repository: new commits, and what it left uncommitted (spec 6.6). */
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { isOwnState } from "../engine/own-state.ts";
import { git, gitLine } from "./git.ts";
import type { RecordedChange, RecordedCommit } from "./recording.ts";
import { whyNotInTree } from "./tree-path.ts";

/** A working tree at one moment, untracked files in, ignored ones out. */
export interface Moment {
  readonly head: string;
  /** By path. */
  readonly files: ReadonlyMap<string, Entry>;
}

interface Entry {
  readonly mode: string;
  readonly sha: string;
}

export interface Captured {
  readonly commits: readonly RecordedCommit[];
  readonly changes: readonly RecordedChange[];
  /** What a recording cannot hold. */
  readonly warnings: readonly string[];
}

const MODES = ["100644", "100755", "120000"] as const;

/** Writes a tree object through an index of its own; neither tree nor index of the repository are touched. */
export async function lookAt(root: string): Promise<Moment> {
  const head = await gitLine(["rev-parse", "--verify", "HEAD"], { cwd: root });
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "mmm-record-"));
  try {
    const index = path.join(folder, "index");
    const own = await gitLine(["rev-parse", "--path-format=absolute", "--git-path", "index"], {
      cwd: root,
    });
    await fs.copyFile(own, index).catch(() => undefined);
    const call = { cwd: root, env: { GIT_INDEX_FILE: index } };
    await git(["add", "-A", "--", "."], call);
    const tree = await gitLine(["write-tree"], call);
    return { head, files: await filesOf(tree, root) };
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

export async function whatChanged(root: string, before: Moment, after: Moment): Promise<Captured> {
  const reader = new Reader(root);
  const lost = await gitLine(["rev-list", "--count", `${after.head}..${before.head}`], {
    cwd: root,
  });
  if (lost !== "0") reader.warn("HEAD moved backwards; its moves are not recorded");
  const shas =
    lost === "0"
      ? (
          await gitLine(
            ["rev-list", "--reverse", "--first-parent", `${before.head}..${after.head}`],
            { cwd: root },
          )
        )
          .split("\n")
          .filter((sha) => sha !== "")
      : [];
  const expected = new Map(before.files);
  const commits: RecordedCommit[] = [];
  for (const sha of shas) commits.push(await reader.commit(sha, expected));
  const changes = await reader.between(expected, after.files);
  return { commits, changes, warnings: reader.warnings };
}

async function filesOf(tree: string, root: string): Promise<ReadonlyMap<string, Entry>> {
  const files = new Map<string, Entry>();
  for (const record of records(await git(["ls-tree", "-r", "-z", tree], { cwd: root }))) {
    const [, mode = "", sha = "", file = ""] = /^(\d+) \w+ ([0-9a-f]+)\t([^]*)$/.exec(record) ?? [];
    // Taken out here: as a pathspec for `git add` it is an error where the files are ignored, as they are in a session.
    if (!isOwnState(file)) files.set(file, { mode, sha });
  }
  return files;
}

class Reader {
  readonly warnings: string[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  warn(message: string): void {
    this.warnings.push(`recording: ${message}`);
  }

  /** Carries the commit's changes over into `files`. */
  async commit(sha: string, files: Map<string, Entry>): Promise<RecordedCommit> {
    const call = { cwd: this.#root };
    const body = await gitLine(["log", "-1", "--format=%b", sha], call);
    const subject = await gitLine(["log", "-1", "--format=%s", sha], call);
    const raw = records(
      await git(["diff-tree", "-r", "-z", "--no-renames", `${sha}^1`, sha], call),
    );
    const changes: RecordedChange[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const [, mode = "", , blob = ""] = (raw[i] ?? "").split(" ");
      const file = raw[i + 1] ?? "";
      const entry = mode === "000000" ? null : { mode, sha: blob };
      if (entry === null) files.delete(file);
      else files.set(file, entry);
      changes.push(...(await this.#change(file, entry)));
    }
    const text = body.trimEnd();
    return { subject, ...(text === "" ? {} : { body: text }), changes };
  }

  async between(
    from: ReadonlyMap<string, Entry>,
    to: ReadonlyMap<string, Entry>,
  ): Promise<RecordedChange[]> {
    const changes: RecordedChange[] = [];
    for (const [file, entry] of to) {
      const old = from.get(file);
      if (old?.sha !== entry.sha || old.mode !== entry.mode)
        changes.push(...(await this.#change(file, entry)));
    }
    for (const file of from.keys())
      if (!to.has(file)) changes.push(...(await this.#change(file, null)));
    return changes;
  }

  /** None when a recording cannot hold it. */
  async #change(file: string, entry: Entry | null): Promise<RecordedChange[]> {
    const trouble = whyNotInTree(file);
    if (trouble !== null) {
      this.warn(`left out: ${trouble}`);
      return [];
    }
    if (entry === null) return [{ path: file, delete: true }];
    const mode = MODES.find((known) => known === entry.mode);
    if (mode === undefined) {
      this.warn(`left out: ${JSON.stringify(file)} is a nested repository`);
      return [];
    }
    const bytes = await git(["cat-file", "blob", entry.sha], { cwd: this.#root });
    const text = bytes.toString("utf8");
    const isText = Buffer.from(text).equals(bytes);
    return [
      {
        path: file,
        ...(isText ? { content: text } : { base64: bytes.toString("base64") }),
        ...(mode === "100644" ? {} : { mode }),
      },
    ];
  }
}

function records(output: Buffer): string[] {
  return output.toString("utf8").split("\0").slice(0, -1);
}
