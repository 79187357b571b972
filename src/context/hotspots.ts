/** `hotspots.json`: where work and size meet (spec 2.7). Pure: folded from the history and the files' lengths. */
import type { FilePair, History } from "./history.ts";

interface Hotspot {
  readonly path: string;
  /** Commits that touch it, of those looked at. */
  readonly changes: number;
  readonly lines: number;
  /** `changes` times `lines`. */
  readonly score: number;
  /** Newest first; at most 3. */
  readonly last_authors: readonly string[];
  /** ISO 8601, UTC. */
  readonly last_changed: string;
}

interface Together {
  readonly files: readonly [string, string];
  /** Commits of at most 15 files that touch both. */
  readonly commits: number;
  /** Of the commits that touch the one that changes less often, 0 to 1. */
  readonly share: number;
}

export interface HotspotFacts {
  readonly version: 1;
  readonly history: {
    /** Looked at, newest first, merges left out; at most 2 000. */
    readonly commits: number;
    /** ISO 8601, UTC; `null`: there is no commit. */
    readonly since: string | null;
    /** A clone that was cut off: numbers are too low. */
    readonly shallow: boolean;
    /** `false`: git was stopped at a limit, numbers are too low. */
    readonly complete: boolean;
  };
  /** Highest score first; at most 50. */
  readonly files: readonly Hotspot[];
  /** Most commits first; at most 30. */
  readonly together: readonly Together[];
}

/** @param lines of each source file that was read */
export function hotspotsOf(
  history: History,
  lines: ReadonlyMap<string, number>,
  shallow: boolean,
): HotspotFacts {
  const files = [...history.files].flatMap(([path, { changes, authors, lastChanged }]) => {
    const length = lines.get(path);
    if (length === undefined) return [];
    const hotspot: Hotspot = {
      path,
      changes,
      lines: length,
      score: changes * length,
      last_authors: authors,
      last_changed: isoOf(lastChanged),
    };
    return [hotspot];
  });
  return {
    version: 1,
    history: {
      commits: history.commits,
      since: history.since === null ? null : isoOf(history.since),
      shallow,
      complete: history.complete,
    },
    files: files.sort((a, b) => b.score - a.score || byName(a.path, b.path)).slice(0, 50),
    together: togetherOf(history),
  };
}

/** Twice may be chance, and less than every second time is no bond. */
function togetherOf({ files, pairs }: History): readonly Together[] {
  const changes = (path: string): number => files.get(path)?.changes ?? 0;
  const bound = pairs.flatMap(({ first, second, commits }: FilePair) => {
    const least = Math.min(changes(first), changes(second));
    const share = Math.round((commits * 100) / Math.max(1, least)) / 100;
    const names: readonly [string, string] = first < second ? [first, second] : [second, first];
    return commits >= 3 && share >= 0.5 ? [{ files: names, commits, share }] : [];
  });
  return bound
    .sort(
      (a, b) =>
        b.commits - a.commits ||
        b.share - a.share ||
        byName(a.files[0], b.files[0]) ||
        byName(a.files[1], b.files[1]),
    )
    .slice(0, 30);
}

function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A commit may bear any number as its time: what no calendar has counts as the start of the epoch. */
export function isoOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
