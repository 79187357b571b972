/** One session a working tree (spec 7). */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MmmError } from "../../src/errors.ts";
import { ownHolder } from "../../src/session/holder.ts";
import { checkLock, takeLock } from "../../src/session/lock.ts";
import { Heard, program } from "../process/helpers.ts";

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

  test("F39: of processes that start at once exactly one gets it, a stale lock lying there or not", async () => {
    const rounds = 24;
    for (let n = 0; n < rounds; n += 1) {
      file = path.join(folder, String(n), "session.lock");
      // Free, of a dead process, noise.
      if (n % 3 === 1) await lockOf({ ...ownHolder(), pid: deadPid(), session: "mmm-old-1" });
      if (n % 3 === 2) await lockOf("noise");
    }
    const child = await program(
      folder,
      `import { takeLock } from "./src/session/lock.ts";
       import { createInterface } from "node:readline";
       console.log("ready");
       for await (const line of createInterface({ input: process.stdin })) {
         const file = process.argv[2] + "/" + line + "/session.lock";
         const got = await takeLock(file, { session: "mmm-a-1", owner: "mark", now: new Date() }).then(() => "got", (e) => e.code);
         console.log(line, got);
       }`,
    );
    const children = [1, 2, 3].map(() => spawn(process.execPath, [child, folder]));
    const heards = children.map((each) => {
      const heard = new Heard();
      each.stdout.on("data", heard.take);
      return heard;
    });
    await Promise.all(heards.map(async (heard) => heard.match(/(ready)/)));

    for (let n = 0; n < rounds; n += 1) {
      for (const each of children) each.stdin.write(`${n}\n`);
      await Promise.all(heards.map(async (heard) => heard.match(new RegExp(`^${n} (\\w+)`, "m"))));
    }
    // Alive until now: none of the locks was stale again.
    for (const each of children) each.kill("SIGKILL");

    const lines = heards.flatMap(({ text }) => text.split("\n"));
    for (let n = 0; n < rounds; n += 1) {
      const said = lines.filter((line) => line.startsWith(`${n} `)).toSorted();
      expect(said).toEqual([`${n} got`, `${n} locked`, `${n} locked`]);
      expect(readdirSync(path.join(folder, String(n)))).toEqual(["session.lock"]);
    }
  });

  test.each([
    {
      title: "of a dead process",
      pid: deadPid(),
      start: "1",
      word: "of mmm-old-1, which is gone",
      rebooted: false,
    },
    {
      title: "of a process id that belongs to another process now",
      pid: process.pid,
      start: "1",
      word: "of mmm-old-1, which is gone",
      rebooted: false,
    },
    {
      title: "of an earlier start of the machine, pid and start time being somebody's again",
      ...ownHolder(),
      boot: "00000000-0000-0000-0000-000000000000",
      word: "of mmm-old-1, which is gone",
      rebooted: true,
    },
  ])("$title is taken over with a word", async ({ word, rebooted, pid, start, ...more }) => {
    await lockOf({ host: hostname(), ...more, pid, start, session: "mmm-old-1", since: "then" });

    expect(await checkLock(file)).toMatchObject({
      session: "mmm-old-1",
      rebooted,
    });
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
      message: "another session is at work here: mmm-far-1, since then (pid 1 on elsewhere)",
      next: [
        "wait for it, or run in another clone or worktree of the repository",
        `if nothing runs on elsewhere any more, remove the lock: rm ${file}`,
      ],
    });
  });

  test("of a process that has ended and that nobody has fetched is taken over", async () => {
    // The shell becomes a program that never fetches the end of its child, which lives until then.
    const child = `sh -c 'until grep -q tail "/proc/$PPID/comm"; do :; done'`;
    const parent = spawn("sh", ["-c", `${child} & echo $!; exec tail -f /dev/null`]);
    const heard = new Heard();
    parent.stdout.on("data", heard.take);
    const [pid = ""] = await heard.match(/(\d+)/);
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, "utf8");
    while (!stat().includes(") Z ")) await new Promise((resolve) => setImmediate(resolve));
    const start = stat().split(") ")[1]?.split(" ")[19] ?? "";
    await lockOf({ ...ownHolder(), pid: Number(pid), start, session: "mmm-old-1", since: "then" });

    expect(await checkLock(file)).toMatchObject({ session: "mmm-old-1" });
    parent.kill("SIGKILL");
  });

  test("clocks do not matter: one of the year 2100 and one of 1970 are judged by their process", async () => {
    for (const since of ["2100-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"]) {
      await lockOf({ ...ownHolder(), session: "mmm-a-1", since });
      await expect(checkLock(file)).rejects.toMatchObject({ exitCode: 3 });
      rmSync(file);
      await lockOf({ ...ownHolder(), pid: deadPid(), session: "mmm-a-1", since });
      expect(await checkLock(file)).toMatchObject({ session: "mmm-a-1", rebooted: false });
    }
  });

  test("is only given back by who has it", async () => {
    const lock = await takeLock(file, { session: "mmm-a-1", owner: "mark", now });
    rmSync(file);
    const other = await takeLock(file, { session: "mmm-b-1", owner: "mark", now });

    lock.release();
    expect(readFileSync(file, "utf8")).toContain("mmm-b-1");
    other.release();
    other.release();
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });
});
