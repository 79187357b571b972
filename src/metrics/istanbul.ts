import { asObject, parseJson } from "../lib/json.ts";
import type { Covered, CoverageReport } from "./coverage.ts";
import { coveredOf } from "./file-lines.ts";

/** `coverage-summary.json` of Istanbul (nyc, c8, Jest, Vitest): `total`, then one entry a file. */
export function readIstanbul(text: string): CoverageReport | null {
  const summary = asObject(parseJson(text));
  const total = asObject(summary?.["total"]);
  if (summary === null || total === null) return null;
  const files = Object.entries(summary).flatMap(([path, entry]) => {
    const lines = path === "total" ? null : counts(asObject(entry)?.["lines"]);
    return lines === null ? [] : [{ path, lines }];
  });
  return {
    format: "istanbul",
    lines: counts(total["lines"]),
    branches: counts(total["branches"]),
    functions: counts(total["functions"]),
    files,
  };
}

function counts(value: unknown): Covered | null {
  const entry = asObject(value);
  return coveredOf(whole(entry?.["covered"]), whole(entry?.["total"]));
}

function whole(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
