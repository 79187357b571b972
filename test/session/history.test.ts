/** What `session.json` and the locks say of a session (spec 7). */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  listSessions,
  readSession,
  sessionsAtWork,
  type SessionsPlace,
} from "../../src/session/history.ts";
import { takeLock } from "../../src/session/lock.ts";

let base: string;
let place: SessionsPlace;

beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(os.tmpdir(), "mmm-history-")));
  place = { folder: path.join(base, "sessions"), locks: [path.join(base, "session.lock")] };
  mkdirSync(place.folder);
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

function session(name: string, content: object | string | null): void {
  const folder = path.join(place.folder, name);
  mkdirSync(folder);
  if (content === null) return;
  const text =
    typeof content === "string" ? content : JSON.stringify({ version: 1, name, ...content });
  writeFileSync(path.join(folder, "session.json"), text);
}

async function statuses(): Promise<readonly (readonly unknown[])[]> {
  return (await listSessions(place)).map(({ name, status, resumable }) => [
    name,
    status,
    resumable,
  ]);
}

test("the newest is first, also without a readable session.json: names have their time", async () => {
  session("mmm-a-1700000000", { status: "completed", started_at: "2023-11-14T22:13:20.000Z" });
  session("mmm-a-1700000300", "{");
  session("mmm-b-1700000200", { status: "failed", started_at: "2023-11-14T22:16:40.000Z" });
  session("elsewhere", null);

  expect((await listSessions(place)).map(({ name }) => name)).toEqual([
    "mmm-a-1700000300",
    "mmm-b-1700000200",
    "mmm-a-1700000000",
    "elsewhere",
  ]);
});

test("whatever lies in a folder, it is listed and never a crash", async () => {
  session("none", null);
  session("torn", '{"version":1,"status":"compl');
  session("list", "[]");
  session("odd", { status: "purple" });
  session("empty", "");
  session("newer", JSON.stringify({ version: 99, status: "completed" }));
  session("big", `{"version":1,"status":"completed","x":"${"x".repeat(1_100_000)}"}`);
  session("folder", null);
  mkdirSync(path.join(place.folder, "folder", "session.json"));
  session("pipe", null);
  spawnSync("mkfifo", [path.join(place.folder, "pipe", "session.json")]);
  writeFileSync(path.join(place.folder, "a-file"), "x");
  symlinkSync(base, path.join(place.folder, "link"));

  const found = Object.fromEntries((await statuses()).map(([name, status]) => [name, status]));

  const damaged = ["none", "torn", "list", "odd", "empty", "big", "folder", "pipe"];
  expect(found).toEqual({
    newer: "newer",
    ...Object.fromEntries(damaged.map((name) => [name, "damaged"])),
  });
});

test("a session that says it runs, and holds no lock, was killed and can be resumed", async () => {
  session("dead", { status: "running" });
  writeFileSync(
    place.locks[0] ?? "",
    JSON.stringify({
      pid: 2 ** 22 + 1,
      start: "1",
      host: os.hostname(),
      session: "dead",
      since: "",
    }),
  );

  expect(await statuses()).toEqual([["dead", "killed", true]]);
});

test("a session that holds the lock of one of the trees is running, whatever its file says", async () => {
  session("live", { status: "running" });
  session("live-and-damaged", "{");
  session("dead", { status: "running" });
  const other = path.join(base, "other.lock");
  place = { ...place, locks: [...place.locks, other] };
  const now = new Date();
  const lock = await takeLock(place.locks[0] ?? "", { session: "live", owner: "x", now });
  const second = await takeLock(other, { session: "live-and-damaged", owner: "x", now });

  expect(await sessionsAtWork(place)).toEqual(new Set(["live", "live-and-damaged"]));
  expect(Object.fromEntries((await statuses()).map(([name, status]) => [name, status]))).toEqual({
    live: "running",
    "live-and-damaged": "running",
    dead: "killed",
  });
  lock.release();
  second.release();
  expect(await readSession(place, "live")).toMatchObject({ status: "killed" });
});

test.each([
  ["completed", "nothing-to-do", false],
  ["failed", "step-failed", true],
  ["failed", "error", true],
  ["interrupted", "interrupted", true],
  ["suspended", "budget", true],
  ["dropped", "interrupted", false],
])("a session that is %s (%s) can be resumed: %s", async (status, stop_reason, resumable) => {
  session("s", { status, stop_reason });

  expect(await statuses()).toEqual([["s", status, resumable]]);
});

test("what is not known of the cost is null, and what is known of it is kept", async () => {
  session("part", { status: "completed", cost_usd: null, known_cost_usd: 1.5 });
  session("whole", { status: "completed", cost_usd: 2 });

  expect(await readSession(place, "part")).toMatchObject({ costUsd: null, knownCostUsd: 1.5 });
  expect(await readSession(place, "whole")).toMatchObject({ costUsd: 2, knownCostUsd: 2 });
  expect(await readSession(place, "../sessions/whole")).toBeNull();
});
