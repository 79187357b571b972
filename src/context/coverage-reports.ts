/** `coverage.json`: what reports that lie there already say; nothing is run to make one (spec 2.7). */
import { lstat } from "node:fs/promises";
import path from "node:path";
import { readCoverage, type Covered, type CoverageReport } from "../metrics/coverage.ts";
import { readInside } from "./read-inside.ts";

interface Share extends Covered {
  /** One decimal, rounded down: 99.96 is not 100. */
  readonly percent: number;
}

export interface CoverageFacts {
  readonly version: 1;
  readonly reports: readonly {
    readonly path: string;
    readonly format: CoverageReport["format"];
    /** When it was written, ISO 8601, UTC. */
    readonly modified: string;
    /** Older than the newest commit. */
    readonly stale: boolean;
    readonly lines: Share | null;
    readonly branches: Share | null;
    readonly functions: Share | null;
  }[];
  /** Least covered first; at most 50. A file in several reports counts as the first of them says. */
  readonly files: readonly { readonly path: string; readonly lines: Share }[];
  /** Reports that could not be read: no report after all, over 16 MiB, or a link that leaves the repository. */
  readonly unreadable: readonly string[];
}

/** Where tools put them by default, in the folder of a manifest. */
export const usualReports: readonly string[] = `
  coverage/coverage-summary.json coverage/lcov.info lcov.info coverage.lcov
  coverage/cobertura-coverage.xml coverage/cobertura.xml coverage.xml cobertura.xml
  target/llvm-cov/lcov.info target/coverage/lcov.info build/coverage/lcov.info
`
  .trim()
  .split(/\s+/u);

/** More packages than that are not looked into. */
const maxFolders = 50;

/** Larger ones belong to tools, not to a prompt. */
const maxBytes = 16 * 1024 * 1024;

/** Where a report may lie, relative to the repository; whether it does is not asked here. */
export function reportPlaces(manifests: readonly string[]): readonly string[] {
  return placesOf(manifests).map(({ report }) => report);
}

interface Place {
  /** The package's, relative to the repository: reports name files from there. */
  readonly folder: string;
  readonly report: string;
}

function placesOf(manifests: readonly string[]): readonly Place[] {
  const folders = new Set([".", ...manifests.map((file) => path.posix.dirname(file))]);
  return [...folders]
    .slice(0, maxFolders)
    .flatMap((folder) =>
      usualReports.map((place) => ({ folder, report: path.posix.join(folder, place) })),
    );
}

/** @param newest author time of the newest commit, seconds since 1970; `null`: there is none */
export async function coverageOf(
  root: string,
  manifests: readonly string[],
  newest: number | null,
): Promise<CoverageFacts> {
  const reports: CoverageFacts["reports"][number][] = [];
  const files = new Map<string, Share>();
  const unreadable: string[] = [];
  for (const { folder, report: place } of placesOf(manifests)) {
    const stats = await lstat(path.join(root, place)).catch(() => null);
    if (stats === null) continue;
    const report = await readReport(root, place);
    if (report === null) {
      unreadable.push(place);
      continue;
    }
    const { format, lines, branches, functions } = report;
    reports.push({
      path: place,
      format,
      modified: stats.mtime.toISOString(),
      stale: newest !== null && stats.mtimeMs < newest * 1000,
      lines: shareOf(lines),
      branches: shareOf(branches),
      functions: shareOf(functions),
    });
    for (const file of report.files) {
      const name = insideName(root, folder, file.path);
      const share = shareOf(file.lines);
      if (name !== null && share !== null && !files.has(name)) files.set(name, share);
    }
  }
  const worst = [...files]
    .map(([name, lines]) => ({ path: name, lines }))
    .sort((a, b) => a.lines.percent - b.lines.percent || (a.path < b.path ? -1 : 1));
  return { version: 1, reports, files: worst.slice(0, 50), unreadable };
}

async function readReport(root: string, place: string): Promise<CoverageReport | null> {
  const text = await readInside(root, place, maxBytes);
  return text === null ? null : readCoverage(text);
}

/** Relative to the repository; `null`: outside of it. */
function insideName(root: string, folder: string, file: string): string | null {
  const absolute = path.resolve(root, folder, file);
  const name = path.relative(root, absolute);
  return name === "" || name.startsWith("..") ? null : name.split(path.sep).join("/");
}

function shareOf(covered: Covered | null): Share | null {
  if (covered === null || covered.total === 0) return null;
  const percent = Math.floor((covered.covered * 1000) / covered.total) / 10;
  return { covered: covered.covered, total: covered.total, percent };
}
