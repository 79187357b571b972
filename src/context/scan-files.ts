/** One look into each source file: how long it is, and the markers of debt in it. No parser, no process. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { inTurns, type TrackedFile } from "./git-facts.ts";

export interface Marker {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly kind: MarkerKind;
  /** From the marker to the end of the line, one line without control characters, at most 200 letters. */
  readonly text: string;
}

const markerKinds = ["TODO", "FIXME", "HACK"] as const;

export type MarkerKind = (typeof markerKinds)[number];

export interface Scan {
  /** Path to number of lines, of each file that was read and is text. */
  readonly lines: ReadonlyMap<string, number>;
  /** In the order of paths and lines; at most 5 000. */
  readonly markers: readonly Marker[];
  readonly totals: Readonly<Record<MarkerKind, number>>;
  /** Over 1 MiB, and so not read; at most 20. */
  readonly tooLarge: readonly string[];
  /** Files that were passed over: lines of 400 letters and more in the mean are not written by hand. */
  readonly skipped: {
    readonly binary: number;
    readonly minified: number;
    readonly tooLarge: number;
    readonly unreadable: number;
  };
  /** `false`: more than 512 MiB of text; the rest was not read. */
  readonly complete: boolean;
}

/** A file that people write is smaller. */
const maxFileBytes = 1024 * 1024;
const maxTotalBytes = 512 * 1024 * 1024;
const maxMarkers = 5000;
const minifiedMean = 400;
/** As git does it: a NUL in the beginning makes a file binary. */
const binaryProbe = 8000;

/** Reads `files` (regular, tracked, inside `root`) one after the other. */
export async function scanFiles(root: string, files: readonly TrackedFile[]): Promise<Scan> {
  const lines = new Map<string, number>();
  const markers: Marker[] = [];
  const totals = { TODO: 0, FIXME: 0, HACK: 0 };
  const tooLarge: string[] = [];
  const skipped = { binary: 0, minified: 0, tooLarge: 0, unreadable: 0 };
  const space = Buffer.allocUnsafe(maxFileBytes);
  let total = 0;
  await inTurns(files, (file) => {
    if (file.size > maxFileBytes) {
      skipped.tooLarge += 1;
      if (tooLarge.length < 20) tooLarge.push(file.path);
      return;
    }
    // 0: gone, or nothing in it
    if (file.size === 0 || total > maxTotalBytes) return;
    const text = readInto(space, `${root}/${file.path}`);
    if (text === null) {
      skipped.unreadable += 1;
      return;
    }
    total += text.length;
    if (text.subarray(0, binaryProbe).includes(0)) {
      skipped.binary += 1;
      return;
    }
    const count = linesOf(text);
    if (text.length > minifiedMean * count) {
      skipped.minified += 1;
      return;
    }
    lines.set(file.path, count);
    if (!markerKinds.some((kind) => text.includes(kind))) return;
    for (const marker of markersIn(file.path, text.toString("utf8"))) {
      totals[marker.kind] += 1;
      if (markers.length < maxMarkers) markers.push(marker);
    }
  });
  return { lines, markers, totals, tooLarge, skipped, complete: total <= maxTotalBytes };
}

/** `null`: not readable, no regular file any more, or grown over the limit. */
function readInto(space: Buffer, file: string): Buffer | null {
  let handle: number | null = null;
  try {
    // O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(handle);
    if (!stats.isFile() || stats.size > maxFileBytes) return null;
    let length = 0;
    while (length < stats.size) {
      const got = readSync(handle, space, length, stats.size - length, length);
      if (got === 0) break;
      length += got;
    }
    return space.subarray(0, length);
  } catch {
    return null;
  } finally {
    if (handle !== null) closeSync(handle);
  }
}

/** A last line without an end counts. */
function linesOf(text: Buffer): number {
  let count = 0;
  let at = -1;
  for (;;) {
    const next = text.indexOf(10, at + 1);
    if (next === -1) break;
    count += 1;
    at = next;
  }
  return at + 1 < text.length ? count + 1 : count;
}

const word = /(?<![\w-])(TODO|FIXME|HACK)(?![\w-])/u;

/** What opens a comment in some language; it must stand at the line's start or after a space. */
const opening = /(?:^|\s)(?:\/\/|\/\*|#|--|;|%|<!--|\(\*|\{-|"""|''')/u;

/** Nothing before it but signs: inside a comment of several lines. */
const signs = /^[\s*#/;%!<>"'-]*$/u;

function markersIn(path: string, text: string): readonly Marker[] {
  return text.split("\n").flatMap((line, index) => {
    const start = line.slice(0, 2000);
    const match = word.exec(start);
    if (match === null) return [];
    const before = start.slice(0, match.index);
    if (!signs.test(before) && !opening.test(before)) return [];
    const kind = markerKinds.find((each) => each === match[1]);
    if (kind === undefined) return [];
    const said = start
      .slice(match.index)
      .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
      .replace(/\s*(?:\*\/|-->)\s*$/u, "")
      .trim();
    return [{ path, line: index + 1, kind, text: said.slice(0, 200) }];
  });
}
