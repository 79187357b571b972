/** Coverage reports as their tools write them; what a report says, no more (spec 2.6, 2.7). */
import { readCobertura } from "./cobertura.ts";
import { readIstanbul } from "./istanbul.ts";
import { readLcov } from "./lcov.ts";

export interface Covered {
  readonly covered: number;
  readonly total: number;
}

export interface CoverageReport {
  readonly format: "lcov" | "cobertura" | "istanbul";
  /** `null`: the report does not say. `total` may be 0. */
  readonly lines: Covered | null;
  readonly branches: Covered | null;
  readonly functions: Covered | null;
  /** Paths as the report names them, in its order. */
  readonly files: readonly { readonly path: string; readonly lines: Covered }[];
}

/**
 * lcov, Cobertura XML or Istanbul's json-summary, told by how the text begins; `null`: none of them.
 *
 * Linear in the text, and never throws. XML entities of the document's own are not expanded.
 */
export function readCoverage(text: string): CoverageReport | null {
  const start = /[^\s\uFEFF]/u.exec(text)?.index ?? -1;
  if (start === -1) return null;
  if (text[start] === "<") return readCobertura(text);
  return text[start] === "{" ? readIstanbul(text) : readLcov(text);
}

/** Percent of the lines that ran, 0 to 100; `null`: the report counts no lines. */
export function linePercentage({ lines }: CoverageReport): number | null {
  if (lines === null || lines.total === 0) return null;
  return (lines.covered / lines.total) * 100;
}
