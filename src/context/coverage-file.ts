/** One coverage report of the session's tree, for gates (spec 2.6). */
import { constants } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { CoverageReading } from "../engine/ports.ts";
import { usualReports } from "./coverage-reports.ts";
import { linePercentage, readCoverage } from "../metrics/coverage.ts";

/** 50 MiB: a report of a million lines; more is no report of a project that one step changes. */
const MAX_BYTES = 50 * 1024 * 1024;

/** @param file relative to `cwd`; what lies outside of `root` is not read */
export async function coverageAt(
  { root, cwd }: { readonly root: string; readonly cwd: string },
  file: string,
): Promise<CoverageReading> {
  const unreadable = (why: string): CoverageReading => ({ kind: "unreadable", file, why });
  const base = await realpath(root).catch(() => root);
  const place = await realpath(path.resolve(cwd, file)).catch(() => null);
  if (place === null) return { kind: "missing", file };
  if (!place.startsWith(base + path.sep)) return unreadable("it lies outside of the repository");
  // O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever
  const handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return unreadable("it cannot be opened");
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return unreadable("it is not a regular file");
    if (stats.size === 0) return unreadable("it is empty");
    if (stats.size > MAX_BYTES) return unreadable("it has more than 50 MiB");
    const report = readCoverage(await handle.readFile("utf8"));
    if (report === null) return unreadable("its format is not known");
    const figure = linePercentage(report);
    if (figure === null) return unreadable("it counts no lines");
    return { kind: "read", file, figure, stamp: `${stats.mtimeMs} ${stats.size} ${stats.ino}` };
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  } finally {
    await handle.close();
  }
}

/** The report that was written last, of those in the usual places. */
export async function newestCoverage(root: string): Promise<CoverageReading> {
  const found = await Promise.all(
    usualReports.map(async (file) => {
      const stats = await stat(path.join(root, file)).catch(() => null);
      return stats?.isFile() === true ? [{ file, written: stats.mtimeMs }] : [];
    }),
  );
  const [newest] = found.flat().toSorted((a, b) => b.written - a.written);
  if (newest === undefined) return { kind: "missing", file: usualReports[0] ?? "" };
  return coverageAt({ root, cwd: root }, newest.file);
}
