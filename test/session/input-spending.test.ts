/** The time at work on each input, and what it has cost that is done again, from a journal (spec 7, 8.4). */
import { expect, test } from "vitest";
import type { SpentByInput } from "../../src/engine/input-results.ts";
import type { JournalLine } from "../../src/session/journal-line.ts";
import { reuse } from "../../src/session/past.ts";
import { StoryReader } from "../../src/session/story.ts";
import { place } from "../support/scripted-run.ts";

function spent(lines: readonly (readonly [second: number, record: object])[]): SpentByInput {
  const reader = new StoryReader();
  for (const [at, [second, record]] of lines.entries()) {
    const time = new Date(Date.UTC(2026, 0, 2) + second * 1000).toISOString();
    reader.see({ v: 1, seq: at + 1, time, ...record } as unknown as JournalLine);
  }
  return reuse(reader.story(), null).spent.inputs ?? new Map();
}

const lane = "input-2";
const input = { index: 2, total: 2, file: null, arg: "b" };
const at = place("1", { kind: "claude", input: 2 });
const opened = { type: "input-opened", lane, input, name: "b", path: "/b", base: "1" };
const begun = { type: "attempt-started", at, attempt: 1, maxAttempts: 1, lane };
const running = { type: "process-started", at, process: {} };
const resumed = { type: "session-resumed", segment: 2, kept: { [lane]: 1 } };
const NONE = { knownCostUsd: 0, isCostUnknown: false };

test("time at work is added up over processes; what lies between them and the making of its tree is none", () => {
  const lines = [
    [0, { type: "input-started", lane, input }],
    [60, opened],
    [65, begun],
    [1000, resumed],
    [1010, begun],
    [1013, begun],
  ] as const;
  expect(spent(lines)).toEqual(new Map([[2, { ...NONE, durationMs: 8000 }]]));
});

test("an end that was told has counted all that came before it", () => {
  const end = { type: "input-finished", lane, input, ok: false, late: true, durationMs: 7000 };
  const lines = [
    [0, opened],
    [5, begun],
    [1000, resumed],
    [1010, begun],
    [1020, end],
  ] as const;
  expect(spent(lines)).toEqual(new Map([[2, { ...NONE, durationMs: 7000 }]]));
});

test("a clock that jumps back takes no time away", () => {
  const lines = [
    [100, opened],
    [50, begun],
  ] as const;
  expect(spent(lines)).toEqual(new Map([[2, { ...NONE, durationMs: 0 }]]));
});

test("a run that was killed with mmm makes the cost of its input unknown, and no other's", () => {
  const other = { ...opened, lane: "input-1", input: { ...input, index: 1 } };
  const found = spent([
    [0, other],
    [0, opened],
    [0, begun],
    [0, running],
  ]);
  expect(found.get(2)).toMatchObject({ knownCostUsd: 0, isCostUnknown: true });
  expect(found.get(1)?.isCostUnknown).toBe(false);
});

test("answers of Claude that are dropped, and runs that a limit cut short, stay with their input", () => {
  const usage = (costUsd: number) => ({
    costUsd,
    inputTokens: 1,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  });
  const answer = { type: "answer", lane, call: "claude", value: { usage: usage(0.25) } };
  const cut = { type: "attempt-finished", at, attempt: 1, end: { kind: "exited", code: 1 } };
  const found = spent([
    [0, opened],
    [0, begun],
    [0, answer],
    [0, { ...cut, usage: usage(0.5) }],
    [0, resumed],
  ]);
  expect(found.get(2)).toMatchObject({ knownCostUsd: 0.75, isCostUnknown: false });
});
