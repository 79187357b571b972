import type { Covered, CoverageReport } from "./coverage.ts";
import { countOf, coveredOf, FileLines, sumOf } from "./file-lines.ts";

/** `lcov.info` (the format of geninfo(1)): one `KEY:VALUE` a line, `end_of_record` after each file. */
export function readLcov(text: string): CoverageReport | null {
  const lines = new FileLines();
  const sums = { L: newSums(), BR: newSums(), FN: newSums() };
  let file: string | null = null;
  for (const { key, value } of records(text)) {
    if (key === "SF") file = value;
    if (file === null) {
      // Only these stand before the first file.
      if (key === "" || key === "TN" || key.startsWith("#")) continue;
      return null;
    }
    if (key === "DA") addLine(lines, file, value);
    const { kind, of } = SUMS.get(key) ?? {};
    if (kind === undefined || of === undefined) continue;
    sums[kind][of] += countOf(value) ?? 0;
    sums[kind].said ||= of === "found";
  }
  if (file === null) return null;
  const files = lines.files();
  return {
    format: "lcov",
    lines: sumOf(files.map((each) => each.lines)) ?? told(sums.L),
    branches: told(sums.BR),
    functions: told(sums.FN),
    files,
  };
}

const SUMS: ReadonlyMap<
  string,
  { readonly kind: "L" | "BR" | "FN"; readonly of: "found" | "hit" }
> = new Map([
  ["LF", { kind: "L", of: "found" }],
  ["LH", { kind: "L", of: "hit" }],
  ["BRF", { kind: "BR", of: "found" }],
  ["BRH", { kind: "BR", of: "hit" }],
  ["FNF", { kind: "FN", of: "found" }],
  ["FNH", { kind: "FN", of: "hit" }],
]);

function* records(text: string): Generator<{ readonly key: string; readonly value: string }> {
  for (let at = 0; at < text.length;) {
    const end = endOfLine(text, at);
    const line = text.slice(at, end).trim();
    at = end + 1;
    const colon = line.indexOf(":");
    yield colon === -1
      ? { key: line, value: "" }
      : { key: line.slice(0, colon), value: line.slice(colon + 1) };
  }
}

function addLine(lines: FileLines, file: string, value: string): void {
  const [number, hits] = value.split(",", 2);
  const line = countOf(number);
  // Tools write -1 or 1e3 for odd counts; nothing but 0 and less is "has not run".
  if (line !== null && hits !== undefined) lines.add(file, line, Number(hits) > 0);
}

interface Sums {
  found: number;
  hit: number;
  said: boolean;
}

function newSums(): Sums {
  return { found: 0, hit: 0, said: false };
}

function told({ found, hit, said }: Sums): Covered | null {
  return said ? coveredOf(hit, found) : null;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}
