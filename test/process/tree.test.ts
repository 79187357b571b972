import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, onTestFinished, test } from "vitest";

import { procTable, psTable } from "../../src/process/process-table.ts";
import { collectTree, endOrphans, endTree } from "../../src/process/tree.ts";
import { Heard, NEVER, isAlive, newChildren, shell, tempDir } from "./helpers.ts";
import { copyFileSync } from "node:fs";
import { join } from "node:path";

const ALL = { hasUnit: () => false, oldest: null };

/** A process outside of all bookkeeping, in a session of its own. */
async function stranger(
  script: string,
  env: Record<string, string> = {},
): Promise<Heard & { pid: number }> {
  const child = spawn("sh", ["-c", script], {
    detached: true,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const heard = Object.assign(new Heard(), { pid: child.pid ?? 0 });
  child.stdout.on("data", heard.take);
  onTestFinished(() => {
    for (const pid of [heard.pid, ...heard.pids()]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  await once(child, "spawn");
  return heard;
}

describe.each([
  ["/proc", procTable],
  ["ps", psTable],
])("with %s", (_, table) => {
  test("this process is listed under its parent", () => {
    const row = table.list().find(({ pid }) => pid === process.pid);

    expect(row).toMatchObject({ parent: process.ppid, zombie: false });
  });

  test("a process is known by pid and start time", async () => {
    const { pid } = await stranger("exec sleep 1000");
    const identity = table.identify(pid);
    const reused = { pid, startTime: table === procTable ? "1" : "2001-01-01T00:00:00.000Z" };

    expect(table.alive([identity]).map((row) => row.pid)).toEqual([pid]);
    expect(table.alive([reused])).toEqual([]);
  });

  test("a reused pid is never signalled", async () => {
    const { pid } = await stranger("exec sleep 1000");
    const reused = { pid, startTime: table === procTable ? "1" : "2001-01-01T00:00:00.000Z" };

    const survivors = await endTree({ ...ALL, seeds: [reused] }, { graceMs: 100, table }).done;

    expect(survivors).toEqual([]);
    expect(isAlive(pid)).toBe(true);
  });

  test("pid 1 and this process are never in a tree", () => {
    const seeds = table.list().filter(({ pid }) => pid === 1 || pid === process.pid);

    const pids = collectTree(table, { ...ALL, seeds, hasUnit: () => true }).map((row) => row.pid);

    expect(pids).not.toContain(1);
    expect(pids).not.toContain(process.pid);
  });

  test("the mark in the environment finds a process that lost parent and session", async () => {
    const heard = await stranger(
      "setsid sh -c '(sh -c \"echo pid \\$\\$; exec sleep 1000\" &)' & wait",
      { MMM_UNIT: "test.41", LAST: "x" },
    );
    await heard.match(/pid (\d+)/);
    await expect.poll(() => isAlive(heard.pid)).toBe(false);

    const query = { seeds: [], hasUnit: (unit: string) => unit === "test.41", oldest: null };
    const found = collectTree(table, query).map((row) => row.pid);
    await endTree(query, { graceMs: 5000, table }).done;

    expect(found).toEqual(heard.pids());
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("descendants are ended with their parents", async () => {
    const heard = await stranger(
      "sh -c 'echo pid $$; sleep 1000' & setsid sh -c 'echo pid $$; exec sleep 1000' & wait",
    );
    await heard.match(/pid \d+\s+pid \d+/);

    await endTree({ ...ALL, seeds: [table.identify(heard.pid)] }, { graceMs: 5000, table }).done;

    expect([heard.pid, ...heard.pids()].filter(isAlive)).toEqual([]);
  });
});

test("a program's name with spaces and parentheses does not shift the fields of /proc/PID/stat", async () => {
  const directory = tempDir();
  const odd = join(directory, "a) 1 (b c");
  copyFileSync("/bin/sleep", odd);
  const child = spawn(odd, ["1000"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");

  const row = procTable.list().find(({ pid }) => pid === child.pid);

  expect(row).toMatchObject({ parent: process.pid, zombie: false });
});

describe("what a killed mmm left (spec 7)", () => {
  test("a journalled child that still lives is ended with all that has its mark", async () => {
    const heard = await stranger("setsid sleep 1000 >/dev/null & echo pid $!; exec sleep 1000", {
      MMM_UNIT: "gone.1",
    });
    const other = await stranger("setsid sleep 1000 >/dev/null & echo pid $!", {
      MMM_UNIT: "gone.2",
    });
    await heard.match(/pid (\d+)/);
    await other.match(/pid (\d+)/);

    const count = await endOrphans([procTable.identify(heard.pid)]);

    // A shell may be caught between fork and exec: at least these three, and none is left.
    expect(count).toBeGreaterThanOrEqual(3);
    expect([heard.pid, ...heard.pids(), ...other.pids()].filter(isAlive)).toEqual([]);
  });

  test("the rest of a journalled child's session is ended though the child is gone", async () => {
    const heard = await stranger("sleep 1000 >/dev/null & echo pid $!; read -r go", {
      MMM_UNIT: "gone.3",
    });
    const identity = procTable.identify(heard.pid);
    await heard.match(/pid (\d+)/);
    await expect.poll(() => isAlive(heard.pid)).toBe(false);

    expect(await endOrphans([identity])).toBe(1);
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("a session without our mark, led by the same pid, is somebody else's", async () => {
    const heard = await stranger("sleep 1000 >/dev/null & echo pid $!; read -r go");
    const identity = procTable.identify(heard.pid);
    await heard.match(/pid (\d+)/);
    await expect.poll(() => isAlive(heard.pid)).toBe(false);

    expect(await endOrphans([identity])).toBe(0);
    expect(heard.pids().filter(isAlive)).toHaveLength(1);
  });

  test("a journalled pid that was given to a child of another mmm is left alone", async () => {
    const heard = await stranger("sleep 1000 & echo pid $!; wait", { MMM_UNIT: "other.1" });
    await heard.match(/pid (\d+)/);

    expect(await endOrphans([{ pid: heard.pid, startTime: "1" }])).toBe(0);
    expect([heard.pid, ...heard.pids()].filter(isAlive)).toHaveLength(2);
  });

  test("what left every journalled session is found by the mark of its mmm", async () => {
    const heard = await stranger("setsid sleep 1000 >/dev/null & echo pid $!", {
      MMM_UNIT: "gone4.1",
    });
    await heard.match(/pid (\d+)/);
    await expect.poll(() => isAlive(heard.pid)).toBe(false);

    expect(await endOrphans([], { owners: ["gone"] })).toBe(0);
    expect(await endOrphans([], { owners: ["gone4"] })).toBe(1);
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("nothing left is no trouble", async () => {
    const children = newChildren();
    const started: { pid: number; startTime: string }[] = [];
    await children.start(
      shell("true", new Heard(), { onStart: (identity) => started.push(identity) }),
      NEVER,
    );

    expect(await endOrphans(started)).toBe(0);
  });
});
