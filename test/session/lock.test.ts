/** One session a working tree (spec 7). */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MmmError } from "../../src/errors.ts";
import { checkLock, takeLock } from "../../src/session/lock.ts";

let folder = "";
let file = "";
const now = new Date("2026-01-02T03:04:05Z");

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "mmm-lock-"));
  file = path.join(folder, ".mmm", "session.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process id that was somebody's and is nobody's any more. */
function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

async function lockOf(holder: object | string): Promise<void> {
  (await takeLock(file, { session: "made-the-folder", owner: "mark", now })).release();
  writeFileSync(file, typeof holder === "string" ? holder : JSON.stringify(holder));
}

describe("the session's lock", () => {
  test("is made with its folder, names its holder, leaves nothing beside it, and goes away", async () => {
    const lock = await takeLock(file, { session: "mmm-a-1", owner: "mark", now });

    expect(lock.note).toBeNull();
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      pid: process.pid,
      host: hostname(),
      session: "mmm-a-1",
      since: "2026-01-02T03:04:05.000Z",
    });
    expect(readdirSync(path.dirname(file))).toEqual(["session.lock"]);
    lock.release();
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });

  test("is refused while its holder lives, with who it is", async () => {
    await takeLock(file, { session: "mmm-a-1", owner: "mark", now });

    const refusal = await takeLock(file, { session: "mmm-b-1", owner: "mark", now }).catch(
      (error: unknown) => error,
    );

    expect(refusal).toBeInstanceOf(MmmError);
    expect(refusal).toMatchObject({
      exitCode: 3,
      message: `another session is at work here: mmm-a-1, since ${now.toISOString()} (pid ${process.pid} on ${hostname()})`,
    });
    await expect(checkLock(file)).rejects.toMatchObject({ exitCode: 3 });
  });

  test("of ten that start at once exactly one gets it, a stale lock lying there or not", async () => {
    for (const stale of [null, { pid: deadPid(), start: "1", host: hostname(), session: "old" }]) {
      if (stale !== null) await lockOf(stale);
      const ends = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) =>
          takeLock(file, { session: `mmm-${n}`, owner: "mark", now }),
        ),
      );

      const locks = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
      expect(locks).toHaveLength(1);
      locks[0]?.release();
    }
  });

  test.each([
    { title: "of a dead process", pid: deadPid(), start: "1", word: "of mmm-old-1, which is gone" },
    {
      title: "of a process id that belongs to another process now",
      pid: process.pid,
      start: "1",
      word: "of mmm-old-1, which is gone",
    },
  ])("$title is taken over with a word", async ({ pid, start, word }) => {
    await lockOf({ pid, start, host: hostname(), session: "mmm-old-1", since: "then" });

    await checkLock(file);
    const lock = await takeLock(file, { session: "mmm-a-1", owner: "mark", now });

    expect(lock.note).toBe(`took over a stale lock ${word}`);
    expect(readFileSync(file, "utf8")).toContain("mmm-a-1");
  });

  test("that is garbage is taken over too, and one of another host is believed", async () => {
    await lockOf("garbage");
    const lock = await takeLock(file, { session: "mmm-a-1", owner: "mark", now });
    expect(lock.note).toBe("took over a stale lock unreadable");

    lock.release();
    await lockOf({ pid: 1, start: "1", host: "elsewhere", session: "mmm-far-1", since: "then" });
    await expect(takeLock(file, { session: "mmm-b-1", owner: "mark", now })).rejects.toMatchObject({
      exitCode: 3,
    });
  });
});
