/** What a session writes under `.mmm/` (spec 7): names, state, journal and values by file. */
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_SPENDING } from "../../src/engine/ledger.ts";
import type { Event } from "../../src/engine/events.ts";
import { sessionName } from "../../src/session/name.ts";
import {
  recordBreak,
  recordEnd,
  recordStart,
  scoreOf,
  writeSession,
} from "../../src/session/state.ts";
import { openStore } from "../../src/session/store.ts";
import { place } from "../support/scripted-run.ts";

const FIRST = { gone: null, again: false };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "mmm-session-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = new Date("2026-01-02T03:04:05Z");
const summary = { name: "mmm-a-1", playbook: "a.yml", startedAt: now.toISOString() };
const finished: Extract<Event, { type: "session-finished" }> = {
  type: "session-finished",
  session: "mmm-a-1",
  status: "completed",
  stop: "iterations-done",
  exitCode: 0,
  maxIterations: 1,
  totals: {
    iterations: 1,
    steps: 2,
    commits: 3,
    filesChanged: 4,
    durationMs: 5,
    costUsd: null,
    knownCostUsd: 0.5,
    unknownCosts: 1,
    tokens: 6,
  },
  limit: null,
  spending: NO_SPENDING,
  workedMs: 5,
  commits: [],
  failedInputs: [],
  toleratedFailures: [],
  directory: "/x",
  next: [],
};
const json = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

describe("a session's name (spec 7)", () => {
  test.each([
    ["/x/playbooks/Nightly Review.yml", "mmm-nightly-review-1767323045"],
    ["a.b_c.YAML", "mmm-a-b-c-1767323045"],
    ["../../etc/пример.yml", "mmm-session-1767323045"],
    ["-.json", "mmm-session-1767323045"],
    [`${"x".repeat(300)}.yml`, `mmm-${"x".repeat(60)}-1767323045`],
  ])("%s is %s", (file, name) => {
    expect(sessionName(file, now, () => false)).toBe(name);
  });

  test("a taken one gets a number", () => {
    const taken = new Set(["mmm-a-1767323045", "mmm-a-1767323045-2"]);

    expect(sessionName("a.yml", now, (name) => taken.has(name))).toBe("mmm-a-1767323045-3");
  });
});

describe("state.json and session.json", () => {
  test("a run is counted when it starts, and told when it ends; an unknown cost stays unknown", () => {
    const state = path.join(folder, "state.json");
    const own = path.join(folder, "session.json");

    expect(recordStart(state, summary, FIRST)).toBeNull();
    writeSession(own, summary, null, null);
    expect(json(state)).toMatchObject({ total_runs: 1, running: ["mmm-a-1"], last_session: null });
    expect(json(own)).toMatchObject({ version: 1, status: "running" });
    const project = (json(state) as { project_id: string }).project_id;

    recordEnd(state, summary, finished, "later");
    writeSession(own, summary, finished, "later");
    recordStart(state, { ...summary, name: "mmm-b-2" }, FIRST);

    const told = { status: "completed", cost_usd: null, commits: 3, ended_at: "later" };
    expect(json(own)).toMatchObject(told);
    expect(json(state)).toMatchObject({
      project_id: project,
      total_runs: 2,
      running: ["mmm-b-2"],
      last_session: told,
    });
  });

  test("the latest score is kept, also past sessions that have none", () => {
    const state = path.join(folder, "state.json");
    recordStart(state, summary, FIRST);
    expect(json(state)).toMatchObject({ score: null });

    recordEnd(state, { ...summary, score: 81.5 }, finished, "later");
    expect(json(state)).toMatchObject({ score: 81.5 });
    recordEnd(state, summary, finished, "later");
    expect(json(state)).toMatchObject({ score: 81.5 });
    recordEnd(state, { ...summary, score: 0 }, finished, "later");
    expect(json(state)).toMatchObject({ score: 0 });
  });

  test.each([
    ["score", "42", 42],
    ["health_score", "81.5\n", 81.5],
    ["score", "0", 0],
    ["score", "", undefined],
    ["score", "good", undefined],
    ["scores", "42", undefined],
  ])("an output %s of %j is the score %s", (name, value, score) => {
    expect(scoreOf({ type: "output-captured", at: place("1"), name, value })).toBe(score);
  });

  test("one writer at a time: it waits for the lock, and takes over one that was left", () => {
    const state = path.join(folder, "state.json");
    const lock = path.join(folder, "state.lock");
    writeFileSync(lock, "1\n");
    utimesSync(lock, 1, 1);

    recordStart(state, summary, FIRST);

    expect(json(state)).toMatchObject({ total_runs: 1 });
    expect(existsSync(lock)).toBe(false);
  });

  test("one that breaks off is not running any more", () => {
    const files = { state: path.join(folder, "state.json"), session: path.join(folder, "s.json") };
    recordStart(files.state, summary, FIRST);

    recordBreak(files, summary, { message: "disk full", endedAt: "later" });

    expect(json(files.state)).toMatchObject({ running: [], last_session: { status: "failed" } });
    expect(json(files.session)).toMatchObject({ status: "failed", error: "disk full" });
  });

  test.each(["", "{", "[]", "null", '{"version": 1}', "\0\0"])(
    "F33: a damaged file (%j) is set aside with a word, never a crash",
    (text) => {
      const state = path.join(folder, "state.json");
      writeFileSync(state, text);

      expect(recordStart(state, summary, FIRST)).toContain("damaged");
      expect(readFileSync(`${state}.damaged`, "utf8")).toBe(text);
      expect(json(state)).toMatchObject({ total_runs: 1 });
    },
  );

  test("one of a newer mmm is left alone, exit 3", () => {
    const state = path.join(folder, "state.json");
    const text = '{"version": 99, "total_runs": 1, "running": []}';
    writeFileSync(state, text);

    expect(() => recordStart(state, summary, FIRST)).toThrow(
      expect.objectContaining({ exitCode: 3 }),
    );
    expect(readFileSync(state, "utf8")).toBe(text);
  });
});

describe("the store", () => {
  test("values get a file each, and a hostile name stays in its folder", async () => {
    const store = openStore(folder);

    const one = await store.writeOutput("../../evil name", "1");
    const two = await store.writeOutput("../../evil name", "2");
    const hidden = await store.writeOutput("..", "3");

    expect(path.dirname(one)).toBe(path.join(folder, "outputs"));
    expect([one, two, hidden].map((file) => readFileSync(file, "utf8"))).toEqual(["1", "2", "3"]);
    expect(new Set([one, two, hidden]).size).toBe(3);
    expect(path.dirname(store.file("log", "0001-3.on_failure.1"))).toBe(path.join(folder, "logs"));
    expect(existsSync(path.join(folder, "claude"))).toBe(true);
  });

  test("a file that is not there is empty, and bytes that are no text are told", async () => {
    const store = openStore(folder);
    const file = store.file("stdout", "1");

    expect([await store.size(file), await store.read(file)]).toEqual([
      0,
      { text: "", exact: true },
    ]);
    writeFileSync(file, Buffer.from([0x61, 0xff]));
    expect(await store.read(file)).toEqual({ text: "a\uFFFD", exact: false });
    expect(await store.size(file)).toBe(2);
  });
});
