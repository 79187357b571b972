import stringWidth from "string-width";
import { type Diagnostic, PLAIN_SECRET, type Range } from "./diagnostic.ts";
import { clusters, lineIndexAt, lineRange, positionAt, type SourceFile } from "./source.ts";

/** Columns of a line that are shown; longer ones are cut around the marked place. */
const MAX_WIDTH = 100;
/** Of these, at most so many in front of the marked place. */
const MAX_BEFORE = 60;
/** Units looked at on each side of the place, however long the line is: clusters can be long. */
const MAX_UNITS = 400;
/** Nobody reads more, and a wrong file of megabytes has hundreds of thousands. */
const MAX_SHOWN = 500;
const INDENT = "    ";

/**
 * Problems for people, sorted by place: `FILE:LINE:COL CODE message`, the line, a marker under the
 * exact place, `help: ...` (spec 2). Ends with a line end; empty when there is nothing to tell.
 */
export function renderDiagnostics(source: SourceFile, diagnostics: readonly Diagnostic[]): string {
  const shown = sorted(diagnostics).slice(0, MAX_SHOWN);
  const text = shown.map((diagnostic) => renderOne(source, diagnostic)).join("\n");
  const more = diagnostics.length - shown.length;
  return more === 0 ? text : `${text}\nand ${more} more\n`;
}

/** One line of JSON: `{v, file, problems}`; fields are only ever added. Lines and columns count from 1. */
export function renderDiagnosticsJson(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
): string {
  const problems = sorted(diagnostics).map(({ code, severity, message, range, help, related }) => ({
    code,
    severity,
    message,
    ...placeOf(source, range),
    help: help ?? null,
    related: related ? { message: related.message, ...placeOf(source, related.range) } : null,
  }));
  return `${JSON.stringify({ v: 1, file: source.name, problems })}\n`;
}

/** Workflow commands that GitHub shows beside the lines of a pull request. */
export function renderDiagnosticsGithub(
  source: SourceFile,
  diagnostics: readonly Diagnostic[],
): string {
  return sorted(diagnostics)
    .map(({ code, severity, message, range, help }) => {
      const { line, column, endLine, endColumn } = placeOf(source, range);
      const level = severity === "note" ? "notice" : severity;
      const place = `file=${githubProperty(source.name)},line=${line},endLine=${endLine},col=${column},endColumn=${endColumn}`;
      const text = help === undefined ? message : `${message}\nhelp: ${help}`;
      return `::${level} ${place},title=${githubProperty(code)}::${githubText(text)}\n`;
    })
    .join("");
}

function sorted(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.range.start - b.range.start);
}

function placeOf(source: SourceFile, range: Range) {
  const { line, column } = positionAt(source, range.start);
  const end = positionAt(source, range.end);
  return {
    line,
    column,
    endLine: end.line,
    endColumn: end.column,
    offset: range.start,
    length: range.end - range.start,
  };
}

function renderOne(source: SourceFile, diagnostic: Diagnostic): string {
  const { code, severity, message, range, help, related } = diagnostic;
  const kind = severity === "error" ? "" : `${severity}: `;
  const lines = [
    `${placeName(source, range)} ${code} ${kind}${visible(message)}`,
    // What is warned of because it is written down is not written to a log as well.
    ...(code === PLAIN_SECRET ? [] : picture(source, range)),
  ];
  if (help !== undefined) lines.push(`  help: ${visible(help)}`);
  if (related !== undefined) {
    lines.push(`  ${visible(related.message)}: ${placeName(source, related.range)}`);
  }
  return `${lines.join("\n")}\n`;
}

function placeName(source: SourceFile, range: Range): string {
  const { line, column } = positionAt(source, range.start);
  return `${visible(source.name)}:${line}:${column}`;
}

/** The line and the marker under it; nothing for a file without text. */
function picture(source: SourceFile, range: Range): readonly string[] {
  const line = lineRange(source, lineIndexAt(source, range.start));
  if (line.start === line.end) return [];
  const start = Math.min(range.start, line.end);
  const end = Math.max(start, Math.min(range.end, line.end));
  const before = lastColumns(
    source.text.slice(Math.max(line.start, start - MAX_UNITS), start),
    MAX_BEFORE,
  );
  const isCut = before.length < start - line.start;
  const prefix = `${isCut ? "…" : ""}${visible(before)}`;
  const left = MAX_WIDTH - Math.min(MAX_BEFORE, stringWidth(prefix));
  const shown = source.text.slice(start, Math.min(line.end, start + MAX_UNITS));
  const after = firstColumns(shown, left);
  const isCutAfter = start + after.length < line.end;
  const marked = visible(after.slice(0, end - start));
  const blank = prefix.replace(/[^\t]+/g, (text) => " ".repeat(stringWidth(text)));
  const marker = "~".repeat(Math.max(1, stringWidth(marked)));
  return [
    `${INDENT}${prefix}${visible(after)}${isCutAfter ? "…" : ""}`.trimEnd(),
    `${INDENT}${blank}${marker}`,
  ];
}

function firstColumns(text: string, columns: number): string {
  let width = 0;
  for (const { segment, index } of clusters(text)) {
    width += stringWidth(visible(segment));
    if (width > columns) return text.slice(0, index);
  }
  return text;
}

function lastColumns(text: string, columns: number): string {
  const widths = [...clusters(text)].map(({ segment, index }) => ({
    index,
    width: stringWidth(visible(segment)),
  }));
  let width = 0;
  let from = text.length;
  for (const cluster of widths.toReversed()) {
    width += cluster.width;
    if (width > columns) break;
    from = cluster.index;
  }
  return text.slice(from);
}

/** Characters that move the cursor, colour the terminal or reorder the line, shown as what they are. */
const INVISIBLE =
  /[\0-\x08\n-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;

function visible(text: string): string {
  return text.replace(INVISIBLE, (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

function githubText(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function githubProperty(text: string): string {
  return githubText(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
