import type { CoverageReport } from "./coverage.ts";
import { countOf, coveredOf, FileLines, sumOf } from "./file-lines.ts";
import { tagsOf } from "./xml-tags.ts";

/** Cobertura's `coverage.xml`: `<class filename>` with its `<line number hits>`. */
export function readCobertura(text: string): CoverageReport | null {
  const lines = new FileLines();
  let root: ReadonlyMap<string, string> | null = null;
  let file: string | null = null;
  for (const { name, attributes } of tagsOf(text)) {
    if (root === null) {
      if (name !== "coverage") return null;
      root = attributes();
    } else if (name === "class") file = attributes().get("filename") ?? null;
    else if (name === "/class") file = null;
    else if (name === "line" && file !== null) {
      const line = attributes();
      const number = countOf(line.get("number"));
      const hits = line.get("hits");
      if (number !== null && hits !== undefined) lines.add(file, number, Number(hits) > 0);
    }
  }
  // Another format (Clover) has a root of the same name.
  if (root === null || (!root.has("line-rate") && !root.has("lines-valid"))) return null;
  const files = lines.files();
  const said = (what: string) =>
    coveredOf(countOf(root.get(`${what}-covered`)), countOf(root.get(`${what}-valid`)));
  return {
    format: "cobertura",
    // What the tool counted, else what can be counted here.
    lines: said("lines") ?? sumOf(files.map((each) => each.lines)),
    branches: said("branches"),
    functions: null,
    files,
  };
}
