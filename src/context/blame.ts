/** When lines were written, and by whom: `git blame` of those lines alone, bounded in files and time. */
import { gitRecords } from "./git-facts.ts";

export interface LineOrigin {
  readonly author: string;
  /** Author time, seconds since 1970. */
  readonly time: number;
  /** It stood there already where the history was cut off: it may be older. */
  readonly atLeast: boolean;
}

/** Each is a process of its own. */
const maxFiles = 40;
/** Of all of them together. */
const totalMs = 8000;
/** At once: one for each core that a small machine has. */
const lanes = 2;

/**
 * `path:line` to where that line comes from, for the first 40 files asked for. A line that is not committed
 * yet, or that git could not tell in time, is left out.
 */
export async function originsOf(
  root: string,
  lines: ReadonlyMap<string, readonly number[]>,
  isShallow: boolean,
): Promise<ReadonlyMap<string, LineOrigin>> {
  const origins = new Map<string, LineOrigin>();
  const waiting = [...lines].slice(0, maxFiles);
  const deadline = AbortSignal.timeout(totalMs);
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (deadline.aborted) return;
      const [file, numbers] = next;
      const ranges = numbers.flatMap((line) => ["-L", `${line},${line}`]);
      const args = ["blame", "--porcelain", "--no-textconv", ...ranges, "--", file];
      const { ok, records } = await gitRecords(root, args, deadline);
      if (ok)
        for (const found of linesIn(records.join("\0"), isShallow))
          origins.set(`${file}:${found.line}`, found.origin);
    }
  }
  await Promise.all(Array.from({ length: lanes }, work));
  return origins;
}

interface Commit {
  author: string;
  time: number;
  boundary: boolean;
}

/** The porcelain form: a commit's facts stand with its first line only. */
function linesIn(
  text: string,
  isShallow: boolean,
): readonly { readonly line: number; readonly origin: LineOrigin }[] {
  const commits = new Map<string, Commit>();
  const found: { line: number; id: string }[] = [];
  let commit: Commit | null = null;
  for (const line of text.split("\n")) {
    const start = /^([0-9a-f]{40,64}) \d+ (\d+)/u.exec(line);
    if (start !== null) {
      const id = start[1] ?? "";
      commit = commits.get(id) ?? { author: "", time: 0, boundary: false };
      commits.set(id, commit);
      found.push({ line: Number(start[2]), id });
    } else if (commit === null || line.startsWith("\t")) {
      commit = null;
    } else if (line.startsWith("author ")) commit.author = line.slice(7);
    else if (line.startsWith("author-time ")) commit.time = Number(line.slice(12));
    else if (line === "boundary") commit.boundary = true;
  }
  return found.flatMap(({ line, id }) => {
    const from = commits.get(id);
    // all zeros: not committed yet
    if (from === undefined || /^0+$/u.test(id)) return [];
    const { author, time, boundary } = from;
    return [{ line, origin: { author, time, atLeast: boundary && isShallow } }];
  });
}
