/** What can be run or checked in a Markdown file: its code blocks, tables and links. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { packageRoot } from "../support/run-cli.ts";

export interface Block {
  /** `docs/git.md:12`, of the opening fence. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
  /** Words of the HTML comment on the line above: `exit: 2` is `exit` to `2`. */
  readonly mark: { readonly name: string; readonly value: string } | null;
}

export interface Table {
  readonly place: string;
  readonly mark: string | null;
  /** Without the heading. Cells are trimmed, `\|` is `|`. */
  readonly rows: readonly (readonly string[])[];
}

/** All Markdown of the project that people read, relative to its top. */
export const documents: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  ...markdownIn("docs"),
  ...markdownIn(".mmm"),
  ...markdownIn(".mmm/decisions"),
];

export function read(document: string): string {
  return readFileSync(path.join(packageRoot, document), "utf8");
}

export function blocksOf(document: string): readonly Block[] {
  const lines = read(document).split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^```(\w*)$/u.exec(lines[at] ?? "");
    if (fence === null) continue;
    const end = lines.indexOf("```", at + 1);
    if (end === -1) throw new Error(`${document}:${at + 1}: the block is not closed`);
    blocks.push({
      place: `${document}:${at + 1}`,
      language: fence[1] ?? "",
      text: `${lines.slice(at + 1, end).join("\n")}\n`,
      mark: markOf(lines[at - 1]),
    });
    at = end;
  }
  return blocks;
}

export function tablesOf(document: string): readonly Table[] {
  const lines = read(document).split("\n");
  const tables: Table[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^\|(?:---\|)+$/u.test(lines[at] ?? "")) continue;
    const rows: (readonly string[])[] = [];
    for (let row = at + 1; lines[row]?.startsWith("|") === true; row += 1) {
      rows.push(cellsOf(lines[row] ?? ""));
    }
    const mark = markOf(lines[at - 2]);
    tables.push({ place: `${document}:${at + 1}`, mark: mark?.name ?? null, rows });
  }
  return tables;
}

/** The code in a cell: `` `x` `` and ``` `` x `` ``` are `x`. */
export function code(cell: string | undefined): string {
  const found = /^(`+) ?(.*?) ?\1$/u.exec(cell ?? "");
  if (found?.[2] === undefined) throw new Error(`no code in ${JSON.stringify(cell)}`);
  return found[2];
}

export function linksOf(document: string): readonly string[] {
  const prose = read(document)
    .replaceAll(/^```[^]*?^```$/gmu, "")
    .replaceAll(/`[^`\n]*`/gu, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/gu)].map((match) => match[1] ?? "");
}

function cellsOf(line: string): readonly string[] {
  const inside = line.replace(/^\|/u, "").replace(/\|\s*$/u, "");
  return inside.split(/(?<!\\)\|/u).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function markOf(line: string | undefined): Block["mark"] {
  const found = /^<!-- ([\w-]+)(?:: (.*?))? -->$/u.exec(line ?? "");
  return found === null ? null : { name: found[1] ?? "", value: found[2] ?? "" };
}

function markdownIn(folder: string): readonly string[] {
  return readdirSync(path.join(packageRoot, folder))
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => `${folder}/${file}`);
}
