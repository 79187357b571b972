import type { Covered, CoverageReport } from "./coverage.ts";
import { countOf, coveredOf, FileLines, sumOf } from "./file-lines.ts";

/** `lcov.info` (the format of geninfo(1)): one `KEY:VALUE` a line, `end_of_record` after each file. */
export function readLcov(text: string): CoverageReport | null {
  const lines = new FileLines();
  const sums = { L: newSums(), BR: newSums(), FN: newSums() };
  let file: string | null = null;
  for (let at = 0; at < text.length;) {
    const end = endOfLine(text, at);
    const line = text.slice(at, end).trim();
    at = end + 1;
    const colon = line.indexOf(":");
    const key = colon === -1 ? line : line.slice(0, colon);
    const value = line.slice(colon + 1);
    if (key === "SF") file = value;
    if (file === null) {
      // Only these stand before the first file.
      if (line === "" || key === "TN" || line.startsWith("#")) continue;
      return null;
    }
    if (key === "DA") {
      const [number, hits] = value.split(",", 2);
      const place = countOf(number);
      // Tools write -1 or 1e3 for odd counts; nothing but 0 and less is "has not run".
      if (place !== null && hits !== undefined) lines.add(file, place, Number(hits) > 0);
    }
    const sum = /^(L|BR|FN)([FH])$/.exec(key);
    const kind = sum?.[1];
    if (kind === "L" || kind === "BR" || kind === "FN")
      sums[kind][sum?.[2] === "F" ? "found" : "hit"] += countOf(value) ?? 0;
    if (key === "LF" || key === "BRF" || key === "FNF") sums[key.slice(0, -1) as "L"].said = true;
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
