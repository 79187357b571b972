/** `debt.json`: what people left a note about, and files that have grown very long (spec 2.7). */
import { originsOf, type LineOrigin } from "./blame.ts";
import { isoOf, type HotspotFacts } from "./hotspots.ts";
import type { Marker, MarkerKind, Scan } from "./scan-files.ts";

interface DebtMarker {
  readonly path: string;
  readonly line: number;
  readonly kind: MarkerKind;
  /** As written, at most 200 letters. */
  readonly text: string;
  /** `null`: not committed yet, or not asked for. */
  readonly author: string | null;
  /** When the line was last written, ISO 8601, UTC; `null` as above. */
  readonly since: string | null;
  /** Whole days from `since` to when this was made. */
  readonly age_days: number | null;
  /** The clone's history is cut off there: it may be older. */
  readonly at_least: boolean;
}

export interface DebtFacts {
  readonly version: 1;
  readonly totals: Readonly<Record<MarkerKind, number>>;
  /** Oldest first, those without a date last; at most 200, chosen from the busiest files. */
  readonly markers: readonly DebtMarker[];
  /** Source files of 800 lines and more, longest first; at most 50. */
  readonly long_files: readonly { readonly path: string; readonly lines: number }[];
  /** Source files that were not read, or not counted. */
  readonly skipped: {
    readonly binary: number;
    readonly minified: number;
    /** Over 1 MiB. */
    readonly too_large: number;
    readonly unreadable: number;
    /** Of `too_large`; at most 20. */
    readonly large_files: readonly string[];
  };
  /** `false`: over 512 MiB of source; the rest was not read. */
  readonly complete: boolean;
}

const maxMarkers = 200;
const longFrom = 800;

export async function debtOf(
  root: string,
  scan: Scan,
  { hotspots, now }: { readonly hotspots: HotspotFacts; readonly now: Date },
): Promise<DebtFacts> {
  const chosen = choose(scan.markers, hotspots);
  const asked = new Map<string, number[]>();
  for (const { path, line } of chosen) asked.set(path, [...(asked.get(path) ?? []), line]);
  const origins = await originsOf(root, asked, hotspots.history.shallow);
  const { binary, minified, tooLarge, unreadable } = scan.skipped;
  return {
    version: 1,
    totals: scan.totals,
    markers: chosen
      .map((marker) => dated(marker, origins.get(`${marker.path}:${marker.line}`), now))
      .sort(byAge),
    long_files: [...scan.lines]
      .filter(([, lines]) => lines >= longFrom)
      .map(([path, lines]) => ({ path, lines }))
      .sort((a, b) => b.lines - a.lines || (a.path < b.path ? -1 : 1))
      .slice(0, 50),
    skipped: { binary, minified, too_large: tooLarge, unreadable, large_files: scan.tooLarge },
    complete: scan.complete,
  };
}

/** Hot files first, then by path and line as they came: with more than fit, those where work goes on matter. */
function choose(markers: readonly Marker[], { files }: HotspotFacts): readonly Marker[] {
  if (markers.length <= maxMarkers) return markers;
  const rank = new Map(files.map(({ path }, index) => [path, index]));
  const of = (marker: Marker): number => rank.get(marker.path) ?? files.length;
  return markers.toSorted((a, b) => of(a) - of(b)).slice(0, maxMarkers);
}

function dated(marker: Marker, origin: LineOrigin | undefined, now: Date): DebtMarker {
  if (origin === undefined)
    return { ...marker, author: null, since: null, age_days: null, at_least: false };
  const days = Math.floor((now.getTime() / 1000 - origin.time) / 86_400);
  return {
    ...marker,
    author: origin.author,
    since: isoOf(origin.time),
    age_days: Math.max(0, days),
    at_least: origin.atLeast,
  };
}

function byAge(a: DebtMarker, b: DebtMarker): number {
  if (a.since !== b.since) {
    if (a.since === null) return 1;
    if (b.since === null) return -1;
    return a.since < b.since ? -1 : 1;
  }
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line;
}
