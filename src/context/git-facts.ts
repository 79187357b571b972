/** What git knows of a repository, read with one bounded process a question (spec 2.7, 11). */
import { lstat, realpath } from "node:fs/promises";
import path from "node:path";
import { runGitTool } from "../process/git-tool.ts";

export interface TrackedFile {
  /** Relative to the repository, `/` between folders. */
  readonly path: string;
  /** Bytes; 0 when the file is gone from the working tree. */
  readonly size: number;
}

interface GitText {
  readonly ok: boolean;
  /** `false`: there is no git, or no such folder. */
  readonly started: boolean;
  /** Whole NUL-terminated records only when git was stopped at a limit. */
  readonly records: readonly string[];
  readonly cut: boolean;
}

/**
 * Runs `git` in `root` and splits what it prints at NUL.
 *
 * Waits for no lock, asks nothing, starts no file-system monitor; past 64 MiB (`git ls-files` of half a
 * million files) or 60 s what came whole counts (`cut`).
 */
export async function gitRecords(root: string, args: readonly string[]): Promise<GitText> {
  const flags = ["--no-optional-locks", "-c", "core.fsmonitor=false"];
  const report = await runGitTool([...flags, ...args], { cwd: root });
  const { end } = report;
  const cut = report.truncated || (end.kind !== "exited" && end.kind !== "not-started");
  const records = report.stdout.toString("utf8").split("\0");
  const last = records.pop();
  if (last !== undefined && last !== "" && !cut) records.push(last);
  const ok = end.kind === "exited" && end.code === 0;
  return { ok, started: end.kind !== "not-started", records, cut };
}

/**
 * The regular files that git tracks, with their size now; symlinks and submodules left out, and every file
 * whose folder is reached through a symlink.
 */
export async function trackedFiles(
  root: string,
): Promise<{ readonly files: readonly TrackedFile[]; readonly complete: boolean }> {
  const listed = await gitRecords(root, ["ls-files", "--stage", "-z"]);
  const paths = new Set<string>();
  for (const record of listed.records) {
    const tab = record.indexOf("\t");
    // 100644 and 100755; 120000 is a symlink, 160000 a submodule
    if (tab > 0 && record.startsWith("100")) paths.add(record.slice(tab + 1));
  }
  const real = await realFolders(root, paths);
  const inside = [...paths].filter((file) => real.has(path.posix.dirname(file)));
  const sizes = await mapBounded(inside, async (file) => sizeOf(path.join(root, file)));
  const files = inside.flatMap((file, index) => {
    const size = sizes[index] ?? null;
    return size === null ? [] : [{ path: file, size }];
  });
  return { files, complete: listed.ok && !listed.cut };
}

/** The folders of `paths` that are where their names say, once symlinks are followed. */
async function realFolders(root: string, paths: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const base = await realpath(root);
  const folders = [...new Set([...paths].map((file) => path.posix.dirname(file)))];
  const resolved = await mapBounded(folders, async (folder) =>
    realpath(path.join(base, folder)).catch(() => null),
  );
  return new Set(folders.filter((folder, index) => resolved[index] === path.join(base, folder)));
}

/** `null`: now something else than a regular file. */
async function sizeOf(file: string): Promise<number | null> {
  const stats = await lstat(file).catch(() => null);
  if (stats === null) return 0;
  return stats.isFile() ? stats.size : null;
}

/** 64 at once: enough to keep a disk busy, far below any limit on open files. */
async function mapBounded<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += 64) {
    results.push(...(await Promise.all(items.slice(start, start + 64).map(work))));
  }
  return results;
}

/** Full name of HEAD's commit; `null` on an unborn branch. */
export async function headOf(root: string): Promise<string | null> {
  const answer = await gitRecords(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  const name = answer.records[0]?.trim();
  return answer.ok && name !== undefined && name !== "" ? name : null;
}

/** The newest subjects first, merges left out; none on an unborn branch. */
export async function lastSubjects(root: string, count: number): Promise<readonly string[]> {
  const args = ["log", "-z", "--no-merges", "--format=%s", `--max-count=${count}`, "HEAD", "--"];
  const answer = await gitRecords(root, args);
  return answer.records;
}
