/** Who changed what, how often, and with what else: one `git log` of names, no diff of any content. */
import { gitStream } from "./git-facts.ts";

/** Enough to see where the work is; older ones say what once was. */
const maxCommits = 2000;

/** A commit that touches more files says nothing of any two of them. */
const maxTogether = 15;

/** Pairs kept in memory. */
const maxPairs = 300_000;

interface FileHistory {
  /** Commits that touch it. */
  readonly changes: number;
  /** Newest first; at most 3. */
  readonly authors: readonly string[];
  /** Of the newest one, seconds since 1970. */
  readonly lastChanged: number;
}

export interface History {
  /** Looked at, merges left out. */
  readonly commits: number;
  /** Author time of the oldest one looked at, seconds since 1970; `null`: there is none. */
  readonly since: number | null;
  /** The same of the newest one. */
  readonly newest: number | null;
  /** `false`: git was stopped at a limit before it came to the end. */
  readonly complete: boolean;
  readonly files: ReadonlyMap<string, FileHistory>;
  readonly pairs: readonly FilePair[];
}

export interface FilePair {
  readonly first: string;
  readonly second: string;
  /** Commits of at most 15 files that touch both. */
  readonly commits: number;
}

/**
 * The newest 2 000 commits of HEAD; empty on an unborn branch. Only files that `counts` is true for are
 * kept. Names are those of that time: what was renamed starts anew.
 */
export async function readHistory(
  root: string,
  counts: (file: string) => boolean,
): Promise<History> {
  const tally = new Tally(counts);
  const end = await gitStream(
    root,
    [
      "log",
      "-z",
      "--no-merges",
      "--no-renames",
      "--name-only",
      "--no-ext-diff",
      "--no-textconv",
      "--no-show-signature",
      "--format=%x01%H%x1f%at%x1f%aN",
      `--max-count=${maxCommits}`,
      "HEAD",
      "--",
    ],
    (record) => tally.add(record),
  );
  return tally.finish(!end.cut);
}

const header = /^\u0001[0-9a-f]{40,64}\u001f(\d+)\u001f(.*)$/su;

interface Entry {
  readonly id: number;
  readonly path: string;
  changes: number;
  lastChanged: number;
  readonly authors: string[];
}

class Tally {
  readonly #counts: (file: string) => boolean;
  readonly #files = new Map<string, Entry>();
  readonly #byId: Entry[] = [];
  readonly #pairs = new Map<number, number>();
  #commit: { readonly time: number; readonly author: string; readonly ids: number[] } | null = null;
  #commits = 0;
  #since: number | null = null;
  #newest: number | null = null;

  constructor(counts: (file: string) => boolean) {
    this.#counts = counts;
  }

  /** A header, or a file of the header before it; git puts a line end before a commit's first file. */
  add(record: string): void {
    const match = header.exec(record);
    if (match !== null) {
      this.#endCommit();
      const time = Number(match[1]);
      this.#commit = { time, author: match[2] ?? "", ids: [] };
      this.#commits += 1;
      this.#since = Math.min(this.#since ?? time, time);
      this.#newest = Math.max(this.#newest ?? time, time);
      return;
    }
    const file = record.startsWith("\n") ? record.slice(1) : record;
    if (this.#commit === null || file === "" || !this.#counts(file)) return;
    const entry = this.#entryOf(file);
    entry.changes += 1;
    const { author, ids, time } = this.#commit;
    entry.lastChanged = Math.max(entry.lastChanged, time);
    if (entry.authors.length < 3 && !entry.authors.includes(author)) entry.authors.push(author);
    ids.push(entry.id);
  }

  finish(complete: boolean): History {
    this.#endCommit();
    const pairs = [...this.#pairs].flatMap(([key, commits]) => {
      const first = this.#byId[Math.floor(key / idRange)]?.path;
      const second = this.#byId[key % idRange]?.path;
      return first === undefined || second === undefined || commits < 2
        ? []
        : [{ first, second, commits }];
    });
    return {
      commits: this.#commits,
      since: this.#since,
      newest: this.#newest,
      complete,
      files: this.#files,
      pairs,
    };
  }

  #entryOf(file: string): Entry {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const entry = { id: this.#byId.length, path: file, changes: 0, lastChanged: 0, authors: [] };
    this.#files.set(file, entry);
    this.#byId.push(entry);
    return entry;
  }

  #endCommit(): void {
    const ids = [...new Set(this.#commit?.ids)].sort((a, b) => a - b);
    if (ids.length < 2 || ids.length > maxTogether) return;
    ids.forEach((first, index) => {
      for (const second of ids.slice(index + 1)) {
        const key = first * idRange + second;
        const known = this.#pairs.get(key);
        if (known !== undefined) this.#pairs.set(key, known + 1);
        else if (this.#pairs.size < maxPairs) this.#pairs.set(key, 1);
      }
    });
  }
}

/** Two numbers of files in one: 2^25 files, and still exact as a double. */
const idRange = 2 ** 25;
