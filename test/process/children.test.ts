import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { Heard, NEVER, isAlive, newChildren, program, shell, tempDir } from "./helpers.ts";

const BACKGROUND = "sh -c 'echo pid $$; exec sleep 1000' &";

describe("background processes of a child that has ended", () => {
  test("do not hold up the child's end, though they hold its pipes", async () => {
    const children = newChildren();
    const heard = new Heard();

    const { end, stillOpen } = await children.start(shell(`${BACKGROUND} echo done`, heard), NEVER);
    await heard.match(/pid (\d+)/);

    expect(end).toEqual({ kind: "exited", code: 0 });
    expect(stillOpen).not.toBeNull();
    expect(heard.text).toContain("done");
    expect(children.leftovers().map(({ pid }) => pid)).toEqual(heard.pids());
  });

  test("live on for the next step, still heard, and are ended at the end", async () => {
    const children = newChildren();
    const heard = new Heard();
    const server =
      "mkfifo pipe; sh -c 'echo pid $$; read line <pipe; echo served $line; exec sleep 1000' &";
    const cwd = tempDir();

    const { stillOpen } = await children.start(shell(server, heard, { cwd }), NEVER);
    await children.start(shell("echo request >pipe", new Heard(), { cwd }), NEVER);
    await heard.match(/(served request)/);
    expect(await children.endAll(false)).toEqual([]);
    await stillOpen;

    expect(heard.pids().filter(isAlive)).toEqual([]);
    expect(children.leftovers()).toEqual([]);
  });

  test.each([
    ["without our pipes", "sleep 1000 >/dev/null 2>&1 & echo pid $!"],
    ["in a session of its own", "setsid sleep 1000 >/dev/null 2>&1 & echo pid $!"],
    ["without our environment", "env -i sleep 1000 >/dev/null 2>&1 & echo pid $!"],
    ["deaf to SIGTERM", "trap '' TERM; sleep 1000 >/dev/null 2>&1 & echo pid $!"],
  ])("are ended at the end: one %s", async (_, script) => {
    const children = newChildren();
    const heard = new Heard();

    await children.start(shell(script, heard), NEVER);
    const aliveBefore = heard.pids().filter(isAlive).length;
    await children.endAll(false, 300);
    await children.endAll(false, 300);

    expect(aliveBefore).toBe(1);
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("of somebody else are never touched", async () => {
    const mine = newChildren();
    const theirs = newChildren();
    const heard = new Heard();
    await theirs.start(shell("sleep 1000 >/dev/null 2>&1 & echo pid $!", heard), NEVER);
    await mine.start(shell("sleep 1000 >/dev/null 2>&1 &", new Heard()), NEVER);

    await mine.endAll(true);

    expect(heard.pids().filter(isAlive)).toHaveLength(1);
  });

  test("do not keep node alive", async () => {
    const directory = tempDir();
    const file = await program(
      directory,
      `import { Children } from "./src/process/children.ts";
       const { end } = await new Children().start({
         command: "sh", args: ["-c", "sleep 1000 & echo pid $!"], cwd: "/", env: {}, stdin: null,
         timeoutMs: null, onStdout: (chunk) => console.log(String(chunk)), onStderr: () => {},
       }, new AbortController().signal);
       console.log(end.kind);`,
    );

    const { stdout } = await promisify(execFile)(process.execPath, [file]);

    const pid = Number(/pid (\d+)/.exec(stdout)?.[1]);
    const survived = isAlive(pid);
    process.kill(pid, "SIGKILL");
    expect(stdout).toContain("exited");
    expect(survived).toBe(true);
  });
});

describe("the end of everything", () => {
  test("running children are ended too and report `cancelled`", async () => {
    const children = newChildren();
    const heard = new Heard();
    const work = children.start(shell("echo pid $$; sleep 1000", heard), NEVER);
    await heard.match(/pid (\d+)/);

    await children.endAll(false);

    expect((await work).end).toEqual({ kind: "cancelled" });
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("`now` does not wait for the grace time of an end already under way", async () => {
    const children = newChildren();
    const heard = new Heard();
    const stop = new AbortController();
    const deaf = "trap 'echo asked' TERM; echo pid $$; while :; do sleep 0.05; done";
    const work = children.start(shell(deaf, heard, { graceMs: 1_000_000 }), stop.signal);
    await heard.match(/pid (\d+)/);
    stop.abort();
    await heard.match(/(asked)/);

    await children.endAll(true);

    expect((await work).end).toEqual({ kind: "cancelled" });
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("a second call with `now` hurries the first", async () => {
    const children = newChildren();
    const heard = new Heard();
    const deaf = "sh -c 'trap \"echo asked\" TERM; echo pid $$; while :; do sleep 0.05; done' &";
    await children.start(shell(deaf, heard), NEVER);
    await heard.match(/pid (\d+)/);

    const first = children.endAll(false, 1_000_000);
    await heard.match(/(asked)/);
    await children.endAll(true);
    await first;

    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("killAllNow works where nothing asynchronous runs any more", async () => {
    const directory = tempDir();
    const file = await program(
      directory,
      `import { ownChildren } from "./src/process/children.ts";
       process.on("exit", () => ownChildren.killAllNow());
       void ownChildren.start({
         command: "sh", args: ["-c", "setsid sleep 1000 & echo pid $$; echo pid $!; wait"], cwd: "/", env: {},
         stdin: null, timeoutMs: null, onStderr: () => {},
         onStdout: (chunk) => { process.stdout.write(chunk); if ((text += chunk).split("pid").length > 2) throwOut(); },
       }, new AbortController().signal);
       let text = "";
       function throwOut() { setImmediate(() => { throw new Error("a bug"); }); }`,
    );

    const failed = (await promisify(execFile)(process.execPath, [file]).catch(
      (error: unknown) => error,
    )) as { stdout: string };

    const heard = new Heard();
    heard.take(failed.stdout);
    expect(heard.pids()).toHaveLength(2);
    await expect.poll(() => heard.pids().filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });
});
