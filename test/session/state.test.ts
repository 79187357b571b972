/** `state.json` and `session.json` (spec 7): small, whole, versioned, one writer at a time. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import { ownHolder } from "../../src/session/holder.ts";
import { isRunning, readSession } from "../../src/session/session-file.ts";
import {
  recordBreak,
  recordEnd,
  recordStart,
  recordGone,
  scoreOf,
  writeDropped,
  writeSession,
} from "../../src/session/state.ts";
import { underLock } from "../../src/session/state-lock.ts";
import type { Migration } from "../../src/session/versioned-file.ts";
import { program } from "../process/helpers.ts";
import { place } from "../support/scripted-run.ts";
import { NO_SPENDING } from "../../src/engine/ledger.ts";

const FIRST = { gone: null, again: false };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "mmm-state-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const summary = { name: "mmm-a-1", playbook: "a.yml", startedAt: "2026-01-02T03:04:05.000Z" };
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
  inputResults: [],
  toleratedFailures: [],
  directory: "/x",
  next: [],
};

const json = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
/** A process id that was somebody's and is nobody's any more. */
const deadPid = (): number => spawnSync(process.execPath, ["--version"]).pid;
const held = (more: object): string => JSON.stringify({ ...ownHolder(), ...more });

describe("state.json and session.json (spec 7)", () => {
  test("a run is counted when it starts, and told when it ends; an unknown cost stays unknown", () => {
    const state = path.join(folder, "state.json");
    const own = path.join(folder, "session.json");

    expect(recordStart(state, summary, FIRST)).toBeNull();
    writeSession(own, summary, null, null);
    expect(json(state)).toMatchObject({ total_runs: 1, running: ["mmm-a-1"], last_session: null });
    expect(json(own)).toMatchObject({
      version: 1,
      status: "running",
      process: { pid: process.pid },
    });
    const project = (json(state) as { project_id: string }).project_id;

    recordEnd(state, summary, finished, "later");
    writeSession(own, summary, finished, "later");
    recordStart(state, { ...summary, name: "mmm-b-2" }, FIRST);

    const told = { status: "completed", cost_usd: null, commits: 3, ended_at: "later" };
    expect(json(own)).toMatchObject(told);
    expect(json(own)).not.toHaveProperty("process");
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

  test("one that breaks off is not running any more", () => {
    const files = { state: path.join(folder, "state.json"), session: path.join(folder, "s.json") };
    recordStart(files.state, summary, FIRST);

    recordBreak(files, summary, { message: "disk full", endedAt: "later" });

    expect(json(files.state)).toMatchObject({ running: [], last_session: { status: "failed" } });
    expect(json(files.session)).toMatchObject({ status: "failed", error: "disk full" });
  });

  test("one that ended before its record broke keeps how it ended", () => {
    const files = { state: path.join(folder, "state.json"), session: path.join(folder, "s.json") };
    recordStart(files.state, summary, FIRST);
    writeSession(files.session, summary, finished, "later");

    recordBreak(files, summary, { message: "disk full", endedAt: "later" });

    expect(json(files.session)).toMatchObject({ status: "completed", exit_code: 0 });
    expect(json(files.state)).toMatchObject({ running: [] });
  });

  test.each(["", "{", "[]", "null", '{"version": 1}', "\0\0"])(
    "F33: a damaged file (%j) is set aside with a word, never a crash",
    (text) => {
      const state = path.join(folder, "state.json");
      writeFileSync(state, text);

      expect(recordStart(state, summary, FIRST)).toContain("damaged");
      expect(readFileSync(`${state}.damaged-1`, "utf8")).toBe(text);
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

  test("one damaged file never takes the place of another", () => {
    const state = path.join(folder, "state.json");
    for (const text of ["one", "two", "three"]) {
      writeFileSync(state, text);
      recordStart(state, summary, FIRST);
    }

    expect(readdirSync(folder).toSorted()).toEqual([
      "state.json",
      "state.json.damaged-1",
      "state.json.damaged-2",
      "state.json.damaged-3",
    ]);
    expect(readFileSync(`${state}.damaged-2`, "utf8")).toBe("two");
  });

  test("an older one is brought to today, step by step; what it counted stays", () => {
    const state = path.join(folder, "state.json");
    writeFileSync(state, '{"version": -1, "runs": 41, "project_id": "p"}');
    const migrations = new Map<number, Migration>([
      [-1, ({ runs, ...rest }) => ({ ...rest, total: runs })],
      [0, ({ total, ...rest }) => ({ ...rest, total_runs: total, running: [] })],
    ]);

    expect(recordStart(state, summary, FIRST, migrations)).toBeNull();

    expect(json(state)).toMatchObject({ version: 1, project_id: "p", total_runs: 42 });
    expect(json(state)).not.toHaveProperty("runs");
  });

  test("an older one that no way leads from is set aside like a damaged one", () => {
    const state = path.join(folder, "state.json");
    writeFileSync(state, '{"version": 0, "total_runs": 3, "running": []}');

    expect(recordStart(state, summary, FIRST)).toContain("damaged");
    expect(existsSync(`${state}.damaged-1`)).toBe(true);
  });

  test("a session that could not say that it ended is not running any more", () => {
    const state = path.join(folder, "state.json");
    const start = (name: string): string => {
      const own = path.join(folder, "sessions", name, "session.json");
      mkdirSync(path.dirname(own), { recursive: true });
      recordStart(state, { ...summary, name }, FIRST);
      writeSession(own, { ...summary, name }, null, null);
      return own;
    };
    start("mmm-alive-1");
    const dead = start("mmm-dead-1");
    const over = start("mmm-over-1");
    const far = start("mmm-far-1");
    const put = (file: string, more: object): void =>
      writeFileSync(file, JSON.stringify({ ...(json(file) as object), ...more }));
    put(dead, { process: { ...holder(dead), pid: deadPid() } });
    put(far, { process: { ...holder(far), pid: deadPid(), host: "elsewhere" } });
    writeSession(over, { ...summary, name: "mmm-over-1" }, finished, "later");

    recordStart(state, { ...summary, name: "mmm-starts-1" }, FIRST);

    expect(json(state)).toMatchObject({ running: ["mmm-alive-1", "mmm-far-1", "mmm-starts-1"] });
  });

  test("F33: killed at any moment while it writes, the file is whole, and the next writer goes on", async () => {
    const writer = await program(
      folder,
      `import { recordStart } from "./src/session/state.ts";
       for (let n = 0; ; n += 1) {
         recordStart(process.argv[2], { name: "mmm-a-" + n, playbook: "x".repeat(5000), startedAt: "t" }, { gone: "mmm-a-" + (n - 1), again: false });
         if (n === 0) console.log("going");
       }`,
    );
    const state = path.join(folder, "state.json");
    let last = 0;
    for (const delay of [0, 1, 2, 3, 5, 8, 13, 21]) {
      const child = spawn(process.execPath, [writer, state]);
      await once(child.stdout, "data");
      const until = performance.now() + delay;
      while (performance.now() < until) continue;
      child.kill("SIGKILL");
      await once(child, "close");

      const { total_runs } = json(state) as { total_runs: number };
      expect(total_runs).toBeGreaterThan(last);
      last = total_runs;
    }
    expect(recordStart(state, summary, FIRST)).toBeNull();
    expect(json(state)).toMatchObject({ total_runs: last + 1 });
  });
});

const holder = (file: string): object => (json(file) as { readonly process: object }).process;

describe("session.json alone", () => {
  const own = (): string => path.join(folder, "session.json");

  test("is read back as it was written", () => {
    writeSession(own(), summary, null, null);
    const started = readSession(own());
    writeSession(own(), summary, { ...finished, status: "suspended", stop: "budget" }, "later");
    const suspended = readSession(own());
    writeSession(own(), summary, null, null);
    recordBreak({ state: path.join(folder, "state.json"), session: own() }, summary, {
      message: "disk full",
      endedAt: "later",
    });

    expect(started).toMatchObject({ kind: "sound", value: { status: "running" } });
    expect(suspended).toMatchObject({
      kind: "sound",
      value: { status: "suspended", stop_reason: "budget", cost_usd: null },
    });
    expect(readSession(own())).toMatchObject({ value: { error: "disk full" } });
  });

  test("given up, it keeps what else is told of it, in state.json too", () => {
    const state = path.join(folder, "state.json");
    const ended = { ...finished, status: "interrupted" };
    recordStart(state, summary, FIRST);
    writeSession(own(), summary, ended, "later");
    recordEnd(state, summary, ended, "later");

    writeDropped(own(), { name: summary.name, stopReason: "killed", endedAt: "never" });
    recordGone(state, { names: new Set([summary.name]), dropped: true });

    const kept = { status: "dropped", commits: 3, ended_at: "later" };
    expect(json(own())).toMatchObject(kept);
    expect(json(state)).toMatchObject({ running: [], last_session: kept });
  });

  test("runs as long as its process does", () => {
    writeSession(own(), summary, null, null);
    const found = readSession(own());
    const session = found.kind === "sound" ? found.value : null;
    if (session?.process === undefined) throw new Error("no process");

    expect(isRunning(session)).toBe(true);
    expect(isRunning({ ...session, process: { ...session.process, pid: deadPid() } })).toBe(false);
    expect(isRunning({ ...session, status: "completed" })).toBe(false);
  });

  test.each([
    "",
    "{",
    '{"version": 1}',
    '{"version":1,"name":"a","status":"failed","playbook":"a","started_at":"t","commits":"many"}',
    '{"version":1,"name":"a","status":"running","playbook":"a","started_at":"t","process":7}',
  ])("%j is damaged: told, left alone by readers, set aside by the next writer", (text) => {
    writeFileSync(own(), text);

    expect(readSession(own())).toEqual({ kind: "damaged" });
    expect(readFileSync(own(), "utf8")).toBe(text);
    expect(writeSession(own(), summary, finished, "later")).toContain(`${own()}.damaged-1`);
    expect(readFileSync(`${own()}.damaged-1`, "utf8")).toBe(text);
    expect(readSession(own())).toMatchObject({ kind: "sound" });
  });

  test("none is none, a folder is damaged, one of a newer mmm is refused, exit 3", () => {
    expect(readSession(own())).toEqual({ kind: "none" });
    expect(readSession(folder)).toEqual({ kind: "damaged" });

    writeFileSync(own(), '{"version":2,"anything":true}');
    for (const use of [() => readSession(own()), () => writeSession(own(), summary, null, null)]) {
      expect(use).toThrow(
        expect.objectContaining({
          exitCode: 3,
          message: expect.stringContaining("written by a newer mmm: it has version 2") as string,
        }),
      );
    }
    expect(readFileSync(own(), "utf8")).toBe('{"version":2,"anything":true}');
  });

  test("an older one is migrated", () => {
    writeFileSync(own(), '{"version":0,"id":"mmm-a-1","status":"failed","playbook":"a"}');
    const migrations = new Map<number, Migration>([
      [0, ({ id, ...rest }) => ({ ...rest, name: id, started_at: "unknown" })],
    ]);

    expect(readSession(own(), migrations)).toMatchObject({
      value: { name: "mmm-a-1", started_at: "unknown" },
    });
  });
});

describe("the lock of state.json", () => {
  const lock = (): string => path.join(folder, "state.lock");

  test.each<[string, () => string, number]>([
    ["of a dead writer is taken at once", () => held({ pid: deadPid() }), 60_000],
    ["of an earlier boot too", () => held({ boot: "another" }), 60_000],
    ["that stays the same for long belongs to nobody", () => held({}), 50],
    ["of noise as well", () => "1\n", 50],
    ["of another host as well", () => held({ host: "elsewhere" }), 50],
  ])("one %s", (_, text, patienceMs) => {
    writeFileSync(lock(), text());
    // the file's own times say nothing: clocks jump
    utimesSync(lock(), 4_000_000_000, 4_000_000_000);

    expect(underLock(lock(), () => readFileSync(lock(), "utf8"), patienceMs)).toContain(
      `"pid":${process.pid}`,
    );

    expect(readdirSync(folder)).toEqual([]);
  });

  test("is left alone when it is somebody else's by then", () => {
    underLock(lock(), () => writeFileSync(lock(), "other"));

    expect(readFileSync(lock(), "utf8")).toBe("other");
  });

  test("F14: many writers lose no count", async () => {
    const writer = await program(
      folder,
      `import { recordStart } from "./src/session/state.ts";
       for (let n = 0; n < 50; n += 1) recordStart(process.argv[2], { name: "mmm-a-1", playbook: "a", startedAt: "t" }, { gone: null, again: false });`,
    );
    const state = path.join(folder, "state.json");

    const children = [1, 2, 3].map(() => spawn(process.execPath, [writer, state]));
    const ends = await Promise.all(children.map(async (child) => once(child, "close")));

    expect(ends).toEqual([1, 2, 3].map(() => [0, null]));
    expect(json(state)).toMatchObject({ total_runs: 150 });
  });
});
