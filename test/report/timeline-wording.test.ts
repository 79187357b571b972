/** `mmm sessions show`: time and money first, then what (spec 7). */
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { TimelineFold } from "../../src/engine/timeline.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { SessionRecord } from "../../src/engine/session-record.ts";
import { sessionHead, timelineLines, totalLines } from "../../src/report/timeline-wording.ts";
import {
  at,
  attempt,
  begun,
  committed,
  done,
  ITERATION,
  STARTED,
  timed,
} from "../support/journal-lines.ts";

const REPAIRED: readonly JsonObject[] = [
  STARTED,
  { type: "input-started", input: { arg: "a", file: "src/a.ts", index: 1, total: 2 } },
  ITERATION,
  begun("c1"),
  ...attempt("c1", { cost: 0.5 }),
  done("c1"),
  begun("2"),
  ...attempt("2", { failed: "the command ended with exit code 1" }),
  { type: "handler-started", at: at("2"), attempt: 1, handler: "on_failure" },
  begun("c2.on_failure.1"),
  ...attempt("c2.on_failure.1", { model: null }),
  committed("c2.on_failure.1", "abcdef1234"),
  done("c2.on_failure.1"),
  { type: "handler-finished", at: at("2"), attempt: 1, handler: "on_failure", ok: false },
  ...attempt("2", { number: 2, late: true }),
  done("2", {
    conclusion: "failed",
    failure: { message: "it still fails" },
    commits: [{ sha: "abcdef1234", subject: "of abcdef1234" }],
  }),
  { type: "rolled-back", at: at("2"), kept: "refs/mmm/failed/s/1" },
];

function shown(
  events: readonly JsonObject[],
  columns: number | null = null,
): { readonly lines: readonly string[]; readonly sums: readonly string[] } {
  const fold = new TimelineFold((from, to) => Date.parse(to) - Date.parse(from));
  const items = timed(events).flatMap((event) => fold.add(event));
  const lines = [...items, ...fold.end(false)].flatMap((item) => timelineLines(item, columns));
  const text = (line: { readonly text: string }): string => line.text;
  return { lines: lines.map(text), sums: totalLines(fold.totals(), 2).map(text) };
}

test("a session reads as a tree with time and cost in front", () => {
  const { lines, sums } = shown(REPAIRED);

  expect(lines).toEqual([
    "                    input 1/2: src/a.ts",
    "                    iteration 1/3",
    "     2s      $0.50    1 label of 1: 10 tokens, opus, 2 turns, logs/0001-1.log",
    "     2s    unknown    2 label of 2: failed (it still fails), 2 attempts, 1 commit",
    "     1s                 attempt 1: the command ended with exit code 1, logs/0001-2.log",
    "                        on_failure (failed)",
    "     2s    unknown        2.on_failure.1 label of 2.on_failure.1: 1 commit, 2 turns, logs/0001-2.on_failure.1.log",
    "                            commit abcdef1 of abcdef1234",
    "     1s                 attempt 2: succeeded, after the stop, logs/0002-2.log",
    "                        undone, kept as refs/mmm/failed/s/1",
  ]);
  expect(sums).toEqual([
    "",
    "             $0.50  opus: 1 call, 10 tokens",
    "           unknown  a model that Claude did not name: 1 call, 1 call of unknown cost",
    "    20m    ≥ $0.50  in all: 1 iteration, 2 steps, 1 commit, 10 tokens, 1 call of unknown cost",
    "2 lines of its journal could not be read and are left out",
  ]);
});

test("a loop has a row for each item, its steps below, and what began again says why", () => {
  const of = (index: number, item: string): JsonObject => ({ at: at("3"), index, total: 4, item });
  const ended = (index: number, item: string, conclusion: string, failure: string | null) => ({
    type: "item-finished",
    ...of(index, item),
    conclusion,
    failure,
    durationMs: 65_000,
  });
  const inside = at("c3.item.1.1", { depth: 1 });
  const { lines } = shown([
    STARTED,
    ...["failed", "changed"].map((why) => ({ type: "unit-restarted", kept: "r", files: [], why })),
    begun("3"),
    { type: "item-started", ...of(1, "a\u001b[2J") },
    { type: "step-started", at: inside },
    ...attempt("c3.item.1.1", { cost: 1 }).map((event) => ({ ...event, at: inside })),
    { ...done("3.item.1.1"), at: inside },
    ended(1, "a\u001b[2J", "succeeded", null),
    ended(2, "b", "failed", "step 3.item.2.1 failed"),
    ended(3, "c", "nothing-to-do", null),
    { type: "item-started", ...of(4, "d") },
  ]);

  expect(lines.slice(0, 2)).toEqual([
    expect.stringContaining("the step that failed begins again; what it had left (0 files)"),
    expect.stringContaining("the step that means something else now begins again"),
  ]);
  expect(lines.slice(3)).toEqual([
    expect.stringMatching(/^ {2}1m 5s {6}\$1\.00 {6}item 1\/4: a$/),
    expect.stringMatching(/\$1\.00 {8}3\.item\.1\.1 label/),
    expect.stringMatching(/ {6}item 2\/4: b \(failed: step 3\.item\.2\.1 failed\)$/),
    expect.stringMatching(/ {6}item 3\/4: c \(nothing to do\)$/),
    expect.stringMatching(/^ {24}item 4\/4: d \(unfinished\)$/),
  ]);
});

test("60 columns hold every line, and a long label gives way to how its step ended", () => {
  const long = at("1", { label: "a command of many words that says more than anybody wants" });
  const { lines } = shown(
    [
      { type: "step-started", at: long },
      { type: "step-finished", at: long, conclusion: "skipped", why: "nothing to do" },
    ],
    60,
  );
  const wide = shown(REPAIRED, 60).lines.filter((line) => stringWidth(line) > 60);

  expect(wide).toEqual([]);
  expect(lines).toEqual(["                      1 a command of ma…: skipped, nothing …"]);
});

test("labels and messages of others cannot move the cursor or break a line", () => {
  const evil = "\u001b[2J\u001b]0;title\u0007\rb\noo\u202e";
  const place = at("1", { label: evil, step: evil });
  const { lines } = shown([
    { type: "step-started", at: place },
    { type: "step-finished", at: place, conclusion: "tolerated", failure: { message: evil } },
    { type: "rolled-back", at: place, kept: evil },
    { type: "input-started", input: { arg: evil, index: 1, total: 1 } },
  ]);

  expect(lines).toHaveLength(2);
  expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test("a stopped session says what to type, a finished one does not (spec 7)", () => {
  const record: SessionRecord = {
    name: "mmm-a-1",
    status: "interrupted",
    resumable: true,
    stopReason: "interrupted",
    error: null,
    exitCode: 130,
    playbook: "a.yml",
    iterations: 1,
    steps: 1,
    commits: 0,
    filesChanged: 0,
    costUsd: 0,
    knownCostUsd: 0,
    tokens: 0,
    durationMs: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: null,
    directory: "/repo/.mmm/sessions/mmm-a-1",
  };
  const head = (more: Partial<SessionRecord>): string =>
    sessionHead({ ...record, ...more }, null)
      .map(({ text }) => text)
      .join("\n");

  expect(head({})).toContain("mmm resume mmm-a-1\n");
  expect(head({})).toContain("mmm sessions drop mmm-a-1\n");
  expect(head({ status: "completed", resumable: false })).not.toContain("mmm resume");
  expect(head({ error: "the disk is full" })).toContain("the disk is full");
});
