/** `mmm sessions`: the list (spec 1, 7). */
import stringWidth from "string-width";
import { expect, test } from "vitest";
import type { SessionRecord } from "../../src/engine/session-record.ts";
import {
  formatBytes,
  sessionLines,
  spendWords,
  timeWords,
} from "../../src/report/sessions-wording.ts";

const RECORD: SessionRecord = {
  name: "mmm-review-1700000000",
  status: "completed",
  resumable: false,
  stopReason: "nothing-to-do",
  error: null,
  exitCode: 0,
  playbook: "playbooks/some/where/deep/review.yml",
  iterations: 2,
  steps: 1234,
  commits: 1,
  filesChanged: 3,
  costUsd: 0.5,
  knownCostUsd: 0.5,
  tokens: 10,
  durationMs: 65_000,
  startedAt: "2023-11-14T22:13:20.000Z",
  endedAt: "2023-11-14T22:14:25.000Z",
  directory: "/repo/.mmm/sessions/mmm-review-1700000000",
};

const KILLED: SessionRecord = {
  ...RECORD,
  name: "mmm-review-1700000100",
  status: "killed",
  resumable: true,
  stopReason: null,
  iterations: null,
  steps: null,
  commits: null,
  costUsd: null,
  knownCostUsd: null,
  durationMs: null,
};

function texts(records: readonly SessionRecord[], columns: number | null): readonly string[] {
  return sessionLines(records, columns).map(({ text }) => text);
}

test("a wide terminal and a pipe have a line a session", () => {
  const started = timeWords(RECORD.startedAt);
  const [head, first, second] = texts([RECORD, KILLED], null);

  expect(head?.split(/ {2,}/)).toEqual(
    "NAME,STATUS,STOPPED BY,PLAYBOOK,ITERATIONS,STEPS,COMMITS,COST,STARTED,TIME".split(","),
  );
  expect(first?.split(/ {2,}/)).toEqual([
    "mmm-review-1700000000",
    "completed",
    "nothing to do",
    "playbooks/some/where/deep/review.yml",
    "2",
    "1,234",
    "1",
    "$0.50",
    started,
    "1m 5s",
  ]);
  expect(second?.split(/ {2,}/).slice(1, 3)).toEqual(["killed (resumable)", "-"]);
});

test("the playbook gives way first", () => {
  const [, line = ""] = texts([RECORD], 130);

  expect(stringWidth(line)).toBeLessThanOrEqual(130);
  expect(line).toContain("mmm-review-1700000000");
  expect(line).toMatch(/playbooks\/\S*…/);
  expect(line).toMatch(/1m 5s$/);
});

test("60 columns have a block a session, its name whole and nothing wider than the terminal", () => {
  const name = `mmm-${"long-".repeat(12)}1700000000`;
  const lines = texts([RECORD, { ...KILLED, name }], 60);

  expect(lines.slice(0, 4)).toEqual([
    "mmm-review-1700000000",
    "  completed: nothing to do",
    "  2 iterations, 1,234 steps, 1 commit, $0.50",
    `  ${timeWords(RECORD.startedAt)}, 1m 5s, playbooks/some/where/deep/review…`,
  ]);
  expect(lines.slice(4)).toEqual([
    name,
    "  killed (resumable)",
    expect.stringMatching(/^ {2}2023-11-\d\d \d\d:\d\d, playbooks/),
  ]);
  const others = lines.filter((line) => line !== name);
  expect(others.filter((line) => stringWidth(line) > 60)).toEqual([]);
});

test.each([
  [{ costUsd: null, knownCostUsd: 1.2 }, "≥ $1.20"],
  [{ costUsd: null, knownCostUsd: 0 }, "unknown"],
  [{ costUsd: null, knownCostUsd: null }, "unknown"],
  [{ costUsd: 0, knownCostUsd: 0 }, "$0.00"],
])("a cost of %j is %s: what is unknown is never 0 (spec 6.4)", (cost, words) => {
  const [, line = ""] = texts([{ ...RECORD, ...cost }], null);

  expect(line.split(/ {2,}/)[7]).toBe(words);
});

test("a session of which nothing is known has no numbers", () => {
  const damaged: SessionRecord = {
    ...KILLED,
    status: "damaged",
    playbook: null,
    startedAt: "soon",
  };
  const [, line = ""] = texts([damaged], null);

  expect(line.split(/ {2,}/).slice(1)).toEqual(["damaged", ...Array<string>(8).fill("-")]);
});

test("names, playbooks and reasons of others cannot move the cursor", () => {
  const evil = "\u001b[2J\u001b]0;title\u0007\rboo\u202e";
  const lines = texts([{ ...RECORD, name: evil, playbook: evil, stopReason: evil }], null);

  expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(texts([], null)).toEqual([]);
});

test("money and bytes read as people say them", () => {
  expect(spendWords({ knownCostUsd: 0, unknownCosts: 0 })).toBeNull();
  expect(spendWords({ knownCostUsd: 0, unknownCosts: 1 })).toBe("unknown");
  expect(spendWords({ knownCostUsd: 2, unknownCosts: 1 })).toBe("≥ $2.00");
  expect([1, 999, 1000, 25_500, 3_000_000, 10 ** 16].map(formatBytes)).toEqual([
    "1 byte",
    "999 bytes",
    "1.0 kB",
    "25 kB",
    "3.0 MB",
    "10000 TB",
  ]);
});
