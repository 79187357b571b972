import type { Range } from "./diagnostic.ts";
import type { SourceText } from "./model.ts";

/** A playbook's text under the name its user gave it. `lineStarts` are offsets, the first one 0. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

/** A place as people and editors name it: both count from 1. */
export interface Position {
  readonly line: number;
  /** In characters as people count them (grapheme clusters): `é` and a family emoji are one each. */
  readonly column: number;
}

/** Past this many units before a place, code points are counted: clusters cost too much on a 1 MB line. */
const MAX_CLUSTERED = 10_000;
/** Made for the first text that is not ASCII: to make one costs a tenth of a start. */
let segmenter: Intl.Segmenter | null = null;
const ASCII = /^[\t -~]*$/;

export function sourceFile(name: string, text: string): SourceFile {
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    lineStarts.push(at + 1);
  }
  return { name, text, lineStarts };
}

/** The line that holds `offset`, counted from 0. An offset outside the text belongs to its nearest line. */
export function lineIndexAt(source: SourceFile, offset: number): number {
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Offsets of a line without its line end (`\n` or `\r\n`). */
export function lineRange(source: SourceFile, lineIndex: number): Range {
  const start = source.lineStarts[lineIndex] ?? source.text.length;
  const next = source.lineStarts[lineIndex + 1];
  let end = next === undefined ? source.text.length : next - 1;
  if (end > start && source.text[end - 1] === "\r") end -= 1;
  return { start, end };
}

export function positionAt(source: SourceFile, offset: number): Position {
  const lineIndex = lineIndexAt(source, offset);
  const { start, end } = lineRange(source, lineIndex);
  const before = source.text.slice(start, Math.max(start, Math.min(offset, end)));
  return { line: lineIndex + 1, column: countCharacters(before) + 1 };
}

function countCharacters(text: string): number {
  if (ASCII.test(text)) return text.length;
  let count = 0;
  for (const _ of text.length > MAX_CLUSTERED ? text : clusters(text)) count += 1;
  return count;
}

/** The characters of a text as people count them; with ASCII alone that is one after the other, and needs no segmenter (10 ms). */
export function clusters(text: string): Iterable<{ segment: string; index: number }> {
  if (ASCII.test(text)) return Array.from(text, (segment, index) => ({ segment, index }));
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/**
 * The place in the file of a stretch of a decoded text: `start` and `end` are offsets into
 * `sourceText.value`. Always lies within `sourceText.range`.
 */
export function rangeInText(sourceText: SourceText, start: number, end: number): Range {
  const from = offsetInFile(sourceText, start);
  const to = end > start ? offsetInFile(sourceText, end - 1) + 1 : from;
  return { start: from, end: Math.max(from, to) };
}

function offsetInFile({ segments, range }: SourceText, at: number): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((segments[middle]?.[0] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const [inValue, inFile] = segments[low] ?? [0, range.start];
  return Math.min(range.end, Math.max(range.start, inFile + at - inValue));
}
