import { createHash } from "node:crypto";
import { createReadStream, lstatSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { absolutePath } from "./path.ts";
import type { RawStatus } from "./status.ts";

/**
 * Files that were dirty when the session began and are nobody's business as long as no step changes
 * them (spec 5): the playbook, parameter files, `.mmm/**`, `.claude/**`, all under `--allow-dirty`.
 */
export interface Protection {
  /** Those of `status` that still are as they were; forgets those that git does not name any more. */
  unchanged(status: RawStatus): Promise<ReadonlySet<string>>;
  /** mmm has committed these: ordinary files from now on. */
  forget(paths: readonly string[]): void;
  /** As at the start, to be handed to {@link protect} by a later process of the session. */
  saved(): readonly SavedFingerprint[];
  /** A rollback has put these back: as at the start they count again. */
  remember(paths: readonly string[]): void;
}

/** Plain JSON; numbers as text, as some do not fit into a number. */
export interface SavedFingerprint {
  readonly path: string;
  readonly stat: Readonly<Record<keyof Stat, string>> | null;
  readonly hash: string | null;
}

interface Fingerprint {
  readonly stat: Stat | null;
  /** `null`: not a file or link, or over 64 MiB. */
  readonly hash: string | null;
}

interface Stat {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
}

/** Hashing more than that at the start costs seconds; such a file counts as changed when touched. */
const maxHashedBytes = 64n * 1024n * 1024n;

/**
 * Takes the fingerprints now: call it before anything runs.
 *
 * @param saved those that an earlier process of the session took, instead
 */
export async function protect(
  root: string,
  paths: Iterable<string>,
  saved: readonly SavedFingerprint[] = [],
): Promise<Protection> {
  const known = new Map<string, Fingerprint>();
  for (const path of paths) known.set(path, await fingerprint(root, path));
  for (const { path, stat, hash } of saved) known.set(path, { stat: statFrom(stat), hash });
  const active = new Map(known);
  return {
    async unchanged(status) {
      const same = new Set<string>();
      for (const [path, start] of active) {
        if (!status.entries.has(path)) active.delete(path);
        else if (await isSame(root, path, start, active)) same.add(path);
      }
      return same;
    },
    saved: () => [...known].map(([path, { stat, hash }]) => ({ path, stat: statText(stat), hash })),
    forget(paths) {
      for (const path of paths) {
        active.delete(path);
        known.delete(path);
      }
    },
    remember(paths) {
      for (const path of paths) {
        const start = known.get(path);
        if (start !== undefined) active.set(path, start);
      }
    },
  };
}

function statText(stat: Stat | null): SavedFingerprint["stat"] {
  if (stat === null) return null;
  const { size, mtimeNs, ino, mode } = stat;
  return { size: `${size}`, mtimeNs: `${mtimeNs}`, ino: `${ino}`, mode: `${mode}` };
}

function statFrom(text: SavedFingerprint["stat"]): Stat | null {
  if (text === null) return null;
  const { size, mtimeNs, ino, mode } = text;
  return { size: BigInt(size), mtimeNs: BigInt(mtimeNs), ino: BigInt(ino), mode: BigInt(mode) };
}

async function fingerprint(root: string, path: string): Promise<Fingerprint> {
  const stat = look(root, path);
  return { stat, hash: stat === null ? null : await hash(root, path, stat) };
}

async function isSame(
  root: string,
  path: string,
  start: Fingerprint,
  active: Map<string, Fingerprint>,
): Promise<boolean> {
  const now = look(root, path);
  if (now === null || start.stat === null) return now === start.stat;
  // what lies in a folder (nested repository, submodule) is not mmm's to look at
  if (isFolder(now) && isFolder(start.stat)) return true;
  if (now.size !== start.stat.size || now.mode !== start.stat.mode) return false;
  if (now.mtimeNs === start.stat.mtimeNs && now.ino === start.stat.ino) return true;
  if (start.hash === null || (await hash(root, path, now)) !== start.hash) return false;
  active.set(path, { stat: now, hash: start.hash });
  return true;
}

function look(root: string, path: string): Stat | null {
  // ENOTDIR (a folder on the way became a file) is thrown in spite of throwIfNoEntry
  try {
    return lstatSync(absolutePath(root, path), { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

async function hash(root: string, path: string, stat: Stat): Promise<string | null> {
  const file = absolutePath(root, path);
  const sum = createHash("sha256");
  try {
    if (isLink(stat)) return sum.update(await readlink(file, { encoding: "buffer" })).digest("hex");
    if (!isFile(stat) || stat.size > maxHashedBytes) return null;
    await pipeline(createReadStream(file), sum);
    return sum.digest("hex");
  } catch {
    // unreadable: only its stat can say whether it changed
    return null;
  }
}

const typeBits = 0o170_000n;

function isFolder(stat: Stat): boolean {
  return (stat.mode & typeBits) === 0o040_000n;
}

function isLink(stat: Stat): boolean {
  return (stat.mode & typeBits) === 0o120_000n;
}

function isFile(stat: Stat): boolean {
  return (stat.mode & typeBits) === 0o100_000n;
}
