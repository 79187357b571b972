/** `mmm sessions show` of a session with several inputs at once: their steps come mixed (spec 7, 8.4). */
import { expect, test } from "vitest";

import { TimelineFold } from "../../src/engine/timeline.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { timelineLines } from "../../src/report/timeline-wording.ts";
import { at, begun, done, ITERATION, STARTED, timed } from "../support/journal-lines.ts";

const input = (index: number): JsonObject => ({ arg: String(index), file: null, index, total: 12 });

/** The same line, told of a step of that input. */
function of(index: number, line: JsonObject): JsonObject {
  return line["at"] === undefined
    ? { ...line, input: index }
    : { ...line, at: { ...at("1"), input: index } };
}

const MIXED: readonly JsonObject[] = [
  { type: "input-started", input: input(2) },
  { type: "input-opened", input: input(2), name: "mmm-pb-1-i2", path: "/t/2", base: "abc" },
  of(2, ITERATION),
  { type: "input-started", input: input(11) },
  of(11, ITERATION),
  of(2, begun("1")),
  of(11, begun("1")),
  of(2, done("1")),
  { type: "input-merged", input: input(2), into: "mmm-pb-1", commit: "abcdef0123456" },
  of(11, done("1", { conclusion: "failed" })),
  { type: "input-kept", input: input(11), name: "mmm-pb-1-i11", path: "/t/11", next: [] },
  { type: "input-finished", input: input(11), ok: false, message: "it and main\nchanged" },
  { type: "input-finished", input: input(2), ok: true, message: null },
];

function shown(parallel: number): readonly string[] {
  const fold = new TimelineFold((from, to) => Date.parse(to) - Date.parse(from));
  const start = { ...STARTED, inputs: 12, parallel };
  const items = timed([start, ...MIXED]).flatMap((event) => fold.add(event));
  return [...items, ...fold.end(false)]
    .flatMap((item) => timelineLines(item, null, fold.start))
    .map(({ text }) => text.slice(20));
}

test("each row says whose it is, and what became of each input stands among them", () => {
  expect(shown(4).map((line) => line.replace(/ +/g, " "))).toEqual([
    "[ 2] input 2/12: 2",
    "[ 2] worktree mmm-pb-1-i2",
    "[ 2] iteration 1/3",
    "[11] input 11/12: 11",
    "[11] iteration 1/3",
    "[ 2] 1 label of 1",
    "[ 2] merged into mmm-pb-1 at abcdef0",
    "[11] 1 label of 1: failed",
    "[11] worktree mmm-pb-1-i11 is kept",
    "[11] failed: it and main changed",
  ]);
});

test("inputs one after the other need no label", () => {
  const lines = shown(1);

  expect(lines.filter((line) => line.includes("["))).toEqual([]);
  expect(lines).toContain("iteration 1/3 of input 11");
});
