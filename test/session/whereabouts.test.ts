/** Where a session left its tree, read off its journal (spec 7). */
import { describe, expect, test } from "vitest";
import type { JournalLine } from "../../src/session/journal-line.ts";
import { type LastPlace, Whereabouts } from "../../src/session/whereabouts.ts";

function last(...entries: readonly object[]): LastPlace | null {
  const place = new Whereabouts();
  for (const entry of entries) place.see(entry as JournalLine); // Only the fields that count here.
  return place.last();
}

const looked = (head: string, branch: string | null = "main") => ({
  type: "answer",
  call: "look",
  value: { head, branch, changes: [{ path: "a.txt", kind: "added" }] },
});
const answer = (call: string, value: unknown) => ({ type: "answer", call, value });
const LEFT = { head: "h9", branch: "side", tree: "t9" };

test("nothing is known before the first look", () => {
  expect(last({ type: "attempt-started" }, answer("mark", { head: "x" }))).toBeNull();
});

test("a look says where HEAD, branch and files are", () => {
  const value = { head: "h2", branch: "side", changes: [{ path: "a.txt", kind: "added" }] };

  expect(last(looked("h1"), looked("h2", "side"))).toEqual({
    head: "h2",
    branch: "side",
    look: value,
    left: null,
  });
});

test.each(["attempt-started", "retry-started"])(
  "after %s the files may be anything, and HEAD is where it was",
  (type) => {
    expect(last(looked("h1"), { type })).toMatchObject({ head: "h1", branch: "main", look: null });
  },
);

test.each(["rolled-back", "unit-restarted"])("%s moves HEAD", (type) => {
  expect(last(looked("h2"), { type, head: "h1" })).toMatchObject({ head: "h1", look: null });
});

test("a commit moves HEAD, and what was looked at before it counts no more", () => {
  expect(last(looked("h1"), answer("commit", { kind: "committed", sha: "h2" }))).toMatchObject({
    head: "h2",
    look: null,
  });
  expect(last(looked("h1"), answer("commit", { kind: "nothing" }))).toMatchObject({
    head: "h1",
    look: null,
  });
});

test.each([
  ["rollback", null],
  ["keep", "refs/mmm/failed/s/1"],
])("%s leaves HEAD to the event that tells it, and the last look counts no more", (call, value) => {
  expect(last(looked("h1"), answer(call, value))).toMatchObject({ head: "h1", look: null });
});

test("other answers change nothing", () => {
  expect(last(looked("h1"), answer("mark", { sha: "h7" }))).toMatchObject({
    head: "h1",
    look: { head: "h1" },
  });
});

test("a session that was stopped says how it left the tree, until somebody goes on", () => {
  const stopped = { type: "session-finished", left: LEFT };

  expect(last(looked("h1"), stopped)).toMatchObject({ head: "h9", branch: "side", left: LEFT });
  expect(last(looked("h1"), { type: "session-finished" })).toMatchObject({
    head: "h1",
    branch: "main",
    left: null,
  });
  expect(last(stopped, looked("h10"))).toMatchObject({ head: "h10", left: null });
});

describe("an input's tree that was left", () => {
  const inputLeft = { type: "input-left", left: LEFT };

  test("stands where it was left", () => {
    expect(last(looked("h1"), { type: "attempt-started" }, inputLeft)).toEqual({
      head: "h9",
      branch: "side",
      look: null,
      left: LEFT,
    });
  });

  test.each([
    { type: "attempt-started" },
    { type: "process-started" },
    { type: "unit-restarted", head: "h1" },
    answer("commit", { kind: "nothing" }),
    answer("shell", {}),
  ])("$type $call: it went on, and what it was left with counts no more", (entry) => {
    expect(last(looked("h1"), inputLeft, entry)).toMatchObject({ left: null });
  });

  test.each(["merge-conflict", "merge-gate"])("%s: the user is asked to work in it", (stop) => {
    const finished = { type: "input-finished", ok: false, stop };
    expect(last(looked("h1"), finished)).toBeNull();
    expect(last(looked("h1"), finished, looked("h2"))).toMatchObject({ head: "h2" });
  });

  test("a step that failed has nothing to do with that", () => {
    const finished = { type: "input-finished", ok: false, stop: "step-failed" };
    expect(last(looked("h1"), finished)).toMatchObject({ head: "h1" });
  });
});
