/** What starts again, by the end of a lane's past (spec 7). */
import { expect, test } from "vitest";
import { Lane } from "../../src/engine/lane.ts";
import type { JournalLine } from "../../src/session/journal-line.ts";
import { reuse } from "../../src/session/past.ts";
import { StoryReader } from "../../src/session/story.ts";
import { place } from "../support/scripted-run.ts";

function reused(records: readonly object[]): ReturnType<typeof reuse> {
  const reader = new StoryReader();
  for (const [index, record] of records.entries()) {
    const stamp = { v: 1, seq: index + 1, time: "2026-01-02T03:04:05Z", lane: "main" };
    reader.see({ ...stamp, ...record } as unknown as JournalLine);
  }
  return reuse(reader.story(), null);
}

const at = place("1");
const started = {
  type: "attempt-started",
  at,
  attempt: 1,
  maxAttempts: 2,
  rendered: "",
  log: null,
};

test("an attempt that was refused has ended, although no process has answered", () => {
  const refused = { type: "attempt-finished", at, attempt: 1, end: null, usage: null };

  const again = reused([{ type: "step-started", at }, started, refused]);

  expect(again.inFlight).toBeNull();
  expect(again.kept).toEqual({ main: 3 });
});

test("an attempt without an end starts again", () => {
  const again = reused([{ type: "step-started", at }, started]);

  expect(again.inFlight).toEqual({ at, attempt: 1 });
  expect(again.kept).toEqual({ main: 1 });
});

test("only the first question after the past is asked as such: what is asked later was never answered", async () => {
  const silent = (): void => undefined;
  const lane = new Lane({
    name: "main",
    past: {
      records: [{ type: "answer", call: "look", value: 1 }],
      restart: null,
      why: "cut-short",
    },
    segment: 2,
    recorder: { event: silent, answer: silent, recalled: silent, live: silent },
    signal: new AbortController().signal,
    count: silent,
  });
  const seen: boolean[] = [];
  const live = async (isFirst: boolean): Promise<number> => {
    seen.push(isFirst);
    return Promise.resolve(2);
  };

  for (const call of ["look", "commit", "commit"]) await lane.answer(call, { live });

  expect(seen).toEqual([true, false]);
});
