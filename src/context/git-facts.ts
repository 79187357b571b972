/** What git knows of a repository, read with one bounded process a question (spec 2.7, 11). */
import { lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { runGitTool } from "../process/git-tool.ts";

export interface TrackedFile {
  /** Relative to the repository, `/` between folders. */
  readonly path: string;
  /** Bytes; 0 when the file is gone from the working tree. */
  readonly size: number;
}

interface GitEnd {
  readonly ok: boolean;
  /** `false`: there is no git, or no such folder. */
  readonly started: boolean;
  /** git was stopped at a limit. */
  readonly cut: boolean;
}

interface GitText extends GitEnd {
  /** Whole NUL-terminated records only when git was stopped at a limit. */
  readonly records: readonly string[];
}

/** Waits for no lock, starts no file-system monitor, fetches nothing that a partial clone left out. */
const flags = ["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"];
const env = { GIT_NO_LAZY_FETCH: "1" };

/**
 * Runs `git` in `root` and splits what it prints at NUL.
 *
 * Past 64 MiB (`git ls-files` of half a million files) or 60 s what came whole counts (`cut`).
 */
export async function gitRecords(
  root: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<GitText> {
  const report = await runGitTool([...flags, ...args], {
    cwd: root,
    env,
    ...(signal === undefined ? {} : { signal }),
  });
  const { end } = report;
  const cut = report.truncated || (end.kind !== "exited" && end.kind !== "not-started");
  const records = report.stdout.toString("utf8").split("\0");
  const last = records.pop();
  if (last !== undefined && last !== "" && !cut) records.push(last);
  const ok = end.kind === "exited" && end.code === 0;
  return { ok, started: end.kind !== "not-started", records, cut };
}

/**
 * As {@link gitRecords}, each record handed on as it comes, so that memory stays small; git is ended after
 * 256 MiB or 20 s. `onRecord` must not throw.
 */
export async function gitStream(
  root: string,
  args: readonly string[],
  onRecord: (record: string) => void,
): Promise<GitEnd> {
  const stop = new AbortController();
  let left = Buffer.alloc(0);
  let bytes = 0;
  const { end } = await runGitTool([...flags, ...args], {
    cwd: root,
    env,
    timeoutMs: 20_000,
    signal: stop.signal,
    onStdout: (chunk) => {
      bytes += chunk.length;
      if (bytes > 256 * 1024 * 1024) stop.abort();
      if (stop.signal.aborted) return;
      const last = chunk.lastIndexOf(0);
      if (last === -1) {
        left = Buffer.concat([left, chunk]);
        return;
      }
      const whole = Buffer.concat([left, chunk.subarray(0, last)]).toString("utf8");
      for (const record of whole.split("\0")) onRecord(record);
      left = Buffer.from(chunk.subarray(last + 1));
    },
  });
  if (left.length > 0 && end.kind === "exited") onRecord(left.toString("utf8"));
  return {
    ok: end.kind === "exited" && end.code === 0,
    started: end.kind !== "not-started",
    cut: end.kind !== "exited" && end.kind !== "not-started",
  };
}

/** What git tracks, as far as it lies in the working tree. */
export interface TrackedFiles {
  readonly files: readonly TrackedFile[];
  /** `false`: git was stopped at a limit. */
  readonly complete: boolean;
}

/**
 * The regular files that git tracks, with their size now; symlinks and submodules left out, and every file
 * whose folder is reached through a symlink.
 */
export async function trackedFiles(root: string): Promise<TrackedFiles> {
  const listed = await gitRecords(root, ["ls-files", "--stage", "-z"]);
  const paths = new Set<string>();
  for (const record of listed.records) {
    const tab = record.indexOf("\t");
    // 100644 and 100755; 120000 is a symlink, 160000 a submodule
    if (tab > 0 && record.startsWith("100")) paths.add(record.slice(tab + 1));
  }
  return await filesAt(root, paths, listed);
}

/** The same of those that git would track, for a repository where nothing was added yet. */
export async function trackableFiles(root: string): Promise<TrackedFiles> {
  const tracked = await trackedFiles(root);
  if (tracked.files.length > 0) return tracked;
  const listed = await gitRecords(root, ["ls-files", "--others", "--exclude-standard", "-z"]);
  return await filesAt(root, new Set(listed.records), listed);
}

async function filesAt(
  root: string,
  paths: ReadonlySet<string>,
  listed: GitText,
): Promise<TrackedFiles> {
  const real = await realFolders(root, paths);
  const files: TrackedFile[] = [];
  await inTurns(paths, (file) => {
    const size = real.has(path.posix.dirname(file)) ? sizeOf(`${root}/${file}`) : null;
    if (size !== null) files.push({ path: file, size });
  });
  return { files, complete: listed.ok && !listed.cut };
}

/** The folders of `paths` that are where their names say, once symlinks are followed. */
async function realFolders(root: string, paths: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const base = realpathSync(root);
  const folders = new Set<string>();
  for (const file of paths) folders.add(path.posix.dirname(file));
  const real = new Set<string>();
  await inTurns(folders, (folder) => {
    const place = path.join(base, folder);
    try {
      if (realpathSync.native(place) === place) real.add(folder);
    } catch {
      // gone from the working tree, and its files with it
    }
  });
  return real;
}

/** `null`: now something else than a regular file. */
function sizeOf(file: string): number | null {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  return stats.isFile() ? stats.size : null;
}

/**
 * Quick synchronous work on many items, the event loop served after each 500: a fifth of the time that a
 * promise for each file costs.
 */
export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let count = 0;
  for (const item of items) {
    work(item);
    count += 1;
    if (count % 500 === 0) await setImmediate();
  }
}

/** Does the history end where a `git clone --depth` cut it off? */
export async function isShallow(root: string): Promise<boolean> {
  const answer = await gitRecords(root, ["rev-parse", "--is-shallow-repository"]);
  return answer.records[0]?.trim() === "true";
}

/** The newest subjects first, merges left out; none on an unborn branch. */
export async function lastSubjects(root: string, count: number): Promise<readonly string[]> {
  const args = ["log", "-z", "--no-merges", "--format=%s", `--max-count=${count}`, "HEAD", "--"];
  const answer = await gitRecords(root, args);
  return answer.records;
}
