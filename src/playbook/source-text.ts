import { Scalar } from "yaml";
import type { Range } from "./diagnostic.ts";
import type { SourceText } from "./model.ts";

type Segment = readonly [inValue: number, inFile: number];

/** A value as YAML decoded it, to be found again in the file. */
interface Decoded {
  readonly file: string;
  readonly value: string;
  readonly range: Range;
  readonly type: string | undefined;
}

/** Finds for each stretch of a decoded scalar where it stands in the file, in one pass. */
export function scalarText(decoded: Decoded): SourceText {
  const { value, range } = decoded;
  return { value, range, segments: segmentsOf(decoded) };
}

/** The part of a text between two offsets of its value. */
export function sliceText(text: SourceText, start: number, end = text.value.length): SourceText {
  const segments: Segment[] = [];
  for (const [inValue, inFile] of text.segments) {
    if (inValue >= end && segments.length > 0) break;
    if (inValue <= start) segments[0] = [0, inFile + start - inValue];
    else segments.push([inValue - start, inFile]);
  }
  return { value: text.value.slice(start, end), range: text.range, segments };
}

/** Words put in front of a text that the playbook does not hold; their place is the text's first character. */
export function prefixText(prefix: string, text: SourceText): SourceText {
  const moved = text.segments.map(([inValue, inFile]): Segment => [
    inValue + prefix.length,
    inFile,
  ]);
  const first = text.segments[0]?.[1] ?? text.range.start;
  return { value: prefix + text.value, range: text.range, segments: [[0, first], ...moved] };
}

function segmentsOf(decoded: Decoded): Segment[] {
  const { file, value, range, type } = decoded;
  if (type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED) return blockSegments(decoded);
  const quoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE;
  const start = quoted ? range.start + 1 : range.start;
  if (file.startsWith(value, start)) return [[0, start]];
  return flowSegments(decoded, start);
}

/** Plain and quoted scalars over several lines, or with escapes. */
function flowSegments({ file, value, range, type }: Decoded, start: number): Segment[] {
  const segments: Segment[] = [[0, start]];
  let inFile = start;
  let inValue = 0;
  const jump = (fileUnits: number, valueUnits: number): void => {
    if (segments.at(-1)?.[0] === inValue) segments.pop();
    segments.push([inValue, inFile]);
    inFile += fileUnits;
    inValue += valueUnits;
    segments.push([inValue, inFile]);
  };
  const end = range.end;
  while (inFile < end && inValue < value.length) {
    const unit = file[inFile];
    const fold =
      unit === " " || unit === "\t" || unit === "\r" || unit === "\n"
        ? foldAt(file, inFile, end)
        : null;
    if (fold !== null) {
      jump(fold.fileUnits, fold.valueUnits);
    } else if (type === Scalar.QUOTE_DOUBLE && unit === "\\") {
      const escape = escapeAt(file, inFile);
      jump(escape.fileUnits, escape.valueUnits);
    } else if (type === Scalar.QUOTE_SINGLE && unit === "'" && file[inFile + 1] === "'") {
      jump(2, 1);
    } else {
      inFile += 1;
      inValue += 1;
    }
  }
  return segments;
}

/** White space with a line end in it is one space, or one line end less than it has. */
function foldAt(
  file: string,
  at: number,
  end: number,
): { readonly fileUnits: number; readonly valueUnits: number } | null {
  let lines = 0;
  let to = at;
  for (; to < end; to += 1) {
    const unit = file[to];
    if (unit === "\n") lines += 1;
    else if (unit !== " " && unit !== "\t" && unit !== "\r") break;
  }
  return lines === 0 ? null : { fileUnits: to - at, valueUnits: Math.max(1, lines - 1) };
}

const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function escapeAt(file: string, at: number): { fileUnits: number; valueUnits: number } {
  const letter = file[at + 1] ?? "";
  if (letter === "\n" || letter === "\r") {
    let to = at + 1;
    while (/[\s]/.test(file[to] ?? "")) to += 1;
    return { fileUnits: to - at, valueUnits: 0 };
  }
  const digits = HEX_DIGITS[letter] ?? 0;
  const code = digits === 0 ? 0 : Number.parseInt(file.slice(at + 2, at + 2 + digits), 16);
  return { fileUnits: 2 + digits, valueUnits: code > 0xffff ? 2 : 1 };
}

/** Block scalars: each line of the file is a stretch of the value, its indentation left out. */
function blockSegments({ file, value, range }: Decoded): Segment[] {
  const segments: Segment[] = [];
  let inValue = 0;
  let lineStart = file.indexOf("\n", range.start) + 1;
  let indent = -1;
  while (lineStart > 0 && lineStart < range.end && inValue < value.length) {
    const newline = file.indexOf("\n", lineStart);
    const lineEnd = newline === -1 ? file.length : newline;
    const line = file.slice(lineStart, lineEnd).replace(/\r$/, "");
    const blank = line.trim() === "";
    if (indent === -1 && !blank) {
      while (value[inValue] === "\n") inValue += 1;
      indent = indentOf(line, value, inValue);
    }
    const content = indent === -1 ? "" : line.slice(indent);
    if (content !== "") {
      inValue = skipFold(value, inValue, content);
      if (value.startsWith(content, inValue)) {
        segments.push([inValue, lineStart + indent]);
        inValue += content.length;
      }
    }
    lineStart = newline + 1;
  }
  if (segments[0]?.[0] !== 0) segments.unshift([0, segments[0]?.[1] ?? range.start]);
  return segments;
}

/** How much of the first line that has text is indentation; a rule may keep some of it (`|2`). */
function indentOf(line: string, value: string, inValue: number): number {
  const lineEnd = value.indexOf("\n", inValue);
  const first = value.slice(inValue, lineEnd === -1 ? value.length : lineEnd);
  let spaces = 0;
  while (line[spaces] === " ") spaces += 1;
  let kept = 0;
  while (first[kept] === " ") kept += 1;
  return Math.max(0, spaces - kept);
}

/** Past the line ends, or the one space, that stand in the value for the end of the line before. */
function skipFold(value: string, from: number, content: string): number {
  let at = from;
  while (value[at] === "\n") at += 1;
  if (at === from && value[at] === " " && at > 0) at += 1;
  return value.startsWith(content, at) ? at : from;
}
