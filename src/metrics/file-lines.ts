import type { Covered, CoverageReport } from "./coverage.ts";

/** Lines by file and number: reports name a line more than once (a file in several tests, a method in its class). */
export class FileLines {
  readonly #files = new Map<string, Map<number, boolean>>();

  /** A line that ran once has run, whatever is said of it elsewhere. */
  add(file: string, line: number, ran: boolean): void {
    const known = this.#files.get(file);
    const lines = known ?? new Map<number, boolean>();
    if (known === undefined) this.#files.set(file, lines);
    lines.set(line, ran || lines.get(line) === true);
  }

  files(): CoverageReport["files"] {
    return [...this.#files].map(([path, lines]) => {
      let covered = 0;
      for (const ran of lines.values()) if (ran) covered += 1;
      return { path, lines: { covered, total: lines.size } };
    });
  }
}

/** `null` of nothing. */
export function sumOf(parts: readonly Covered[]): Covered | null {
  if (parts.length === 0) return null;
  let [covered, total] = [0, 0];
  for (const part of parts) {
    covered += part.covered;
    total += part.total;
  }
  return { covered, total };
}

/** A count of a report: a whole number from 0; `null` for anything else. */
export function countOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Both or nothing, and never more covered than there are. */
export function coveredOf(covered: number | null, total: number | null): Covered | null {
  return covered === null || total === null || covered > total ? null : { covered, total };
}
