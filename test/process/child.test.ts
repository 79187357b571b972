import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { Heard, NEVER, isAlive, newChildren, shell, tempDir } from "./helpers.ts";

describe("how a child ends", () => {
  test("an exit code is reported as it is, not thrown", async () => {
    const { end } = await newChildren().start(shell("exit 7", new Heard()), NEVER);

    expect(end).toEqual({ kind: "exited", code: 7 });
  });

  test("a child that dies of a signal is told apart from one that exits", async () => {
    const { end } = await newChildren().start(shell("kill -USR1 $$", new Heard()), NEVER);

    expect(end).toEqual({ kind: "signalled", signal: "SIGUSR1" });
  });

  test("both streams arrive whole before the end is reported", async () => {
    const out = new Heard();
    const err = new Heard();

    await newChildren().start(
      shell("echo out; echo err >&2; exec 1>&-; echo more >&2", out, { onStderr: err.take }),
      NEVER,
    );

    expect(out.text).toBe("out\n");
    expect(err.text).toBe("err\nmore\n");
  });

  test("onStart names the child by pid and start time before anything of it is heard", async () => {
    const heard = new Heard();
    const seen: { pid: number; startTime: string }[] = [];

    await newChildren().start(
      shell('echo "pid $$ $(cut -d" " -f22 /proc/$$/stat)"', heard, {
        onStart: (identity) => seen.push({ ...identity }),
      }),
      NEVER,
    );

    const [pid, startTime] = /pid (\d+) (\d+)/.exec(heard.text)?.slice(1) ?? [];
    expect(seen).toEqual([{ pid: Number(pid), startTime }]);
  });

  test("what onStart throws ends the child and reaches the caller", async () => {
    const work = newChildren().start(
      shell("sleep 1000", new Heard(), {
        onStart: () => {
          throw new Error("the journal is full");
        },
      }),
      NEVER,
    );

    await expect(work).rejects.toThrow("the journal is full");
  });

  test("a sink that fails ends the child and reaches the caller", async () => {
    const heard = new Heard();
    const work = newChildren().start(
      shell("echo pid $$; sleep 1000", heard, {
        onStdout: async (chunk) => {
          heard.take(chunk);
          await Promise.reject(new Error("nowhere to put it"));
        },
      }),
      NEVER,
    );

    await expect(work).rejects.toThrow("nowhere to put it");
    expect(isAlive(heard.pids()[0] ?? 0)).toBe(false);
  });
});

describe("standard input", () => {
  test("F01: is empty and closed unless given, so that a reader does not hang", async () => {
    const heard = new Heard();

    const { end } = await newChildren().start(shell("cat; echo read $?", heard), NEVER);

    expect(end).toEqual({ kind: "exited", code: 0 });
    expect(heard.text).toBe("read 0\n");
  });

  test("reaches the child whole", async () => {
    const heard = new Heard();
    const stdin = "ä line\n".repeat(100_000);

    await newChildren().start(shell("wc -c", heard, { stdin }), NEVER);

    expect(Number(heard.text)).toBe(Buffer.byteLength(stdin));
  });

  test("can be opened by name, and so can the outputs", async () => {
    const out = new Heard();
    const err = new Heard();

    await newChildren().start(
      shell("cat /dev/stdin >/dev/stdout; echo oh >/dev/stderr; echo more", out, {
        stdin: "given\n",
        onStderr: err.take,
      }),
      NEVER,
    );

    expect(out.text).toBe("given\nmore\n");
    expect(err.text).toBe("oh\n");
  });

  test("may stay unread", async () => {
    const stdin = "x".repeat(2_000_000);

    const { end } = await newChildren().start(
      shell("exec <&-; exit 3", new Heard(), { stdin }),
      NEVER,
    );

    expect(end).toEqual({ kind: "exited", code: 3 });
  });
});

describe("the environment", () => {
  test("is the one of mmm, changed by the request, without what an outer mmm set for its child", async () => {
    const heard = new Heard();
    process.env["__MMM_1"] = "outer";
    process.env["MMM_UNIT"] = "outer.1";
    process.env["GONE"] = "outer";
    try {
      const children = newChildren();

      await children.start(
        shell(
          'echo "$OWN|$__MMM_2|${__MMM_1-unset}|${GONE-unset}|$MMM_UNIT|${HOME:+home}"',
          heard,
          {
            env: { OWN: "a b", __MMM_2: "value", GONE: undefined, HOME: "/" },
          },
        ),
        NEVER,
      );

      expect(heard.text).toBe(`a b|value|unset|unset|${children.owner}.1|home\n`);
    } finally {
      delete process.env["__MMM_1"];
      delete process.env["MMM_UNIT"];
      delete process.env["GONE"];
    }
  });
});

describe("a child that cannot be started says why in one sentence", () => {
  const reasonOf = async (more: Parameters<typeof shell>[2]): Promise<string> => {
    const { end } = await newChildren().start(shell("true", new Heard(), more), NEVER);
    return end.kind === "not-started" ? end.reason : `started, ${end.kind}`;
  };

  test("F07: PATH is not set", async () => {
    expect(await reasonOf({ env: { PATH: undefined } })).toBe(
      "PATH is not set, so sh cannot be found; set PATH and start again",
    );
  });

  test("F07: PATH is empty", async () => {
    expect(await reasonOf({ env: { PATH: "" } })).toBe(
      "PATH is empty, so sh cannot be found; set PATH and start again",
    );
  });

  test("F07: the program is not on PATH", async () => {
    expect(await reasonOf({ command: "claude", env: { PATH: "/nowhere:/else" } })).toBe(
      "there is no program claude on PATH (/nowhere:/else)",
    );
  });

  test("the program's file is not there", async () => {
    expect(await reasonOf({ command: "/nowhere/claude" })).toBe(
      "there is no program /nowhere/claude",
    );
  });

  test("the program's file may not be run", async () => {
    const file = join(tempDir(), "tool");
    writeFileSync(file, "#!/bin/sh\n");
    chmodSync(file, 0o644);

    expect(await reasonOf({ command: file })).toBe(`${file} cannot be run: permission denied`);
  });

  test("the working directory is not there", async () => {
    const cwd = join(tempDir(), "gone");

    expect(await reasonOf({ cwd })).toBe(`the working directory ${cwd} does not exist`);
  });

  test("the working directory is a file", async () => {
    const cwd = join(tempDir(), "file");
    writeFileSync(cwd, "");

    expect(await reasonOf({ cwd })).toBe(`the working directory ${cwd} is not a directory`);
  });

  test("a variable holds a NUL byte", async () => {
    expect(await reasonOf({ env: { REPORT: "a\0b" } })).toBe(
      "the environment variable REPORT holds a NUL byte; pass the value by file",
    );
  });

  test("a variable's name is none", async () => {
    expect(await reasonOf({ env: { "A=B": "x" } })).toBe(
      '"A=B" cannot be the name of an environment variable',
    );
  });

  test("an argument holds a NUL byte", async () => {
    expect(await reasonOf({ args: ["-c", "a\0b"] })).toBe(
      "argument 2 of sh holds a NUL byte; pass the value by file",
    );
  });

  test("F05: a value of 2 MB in the environment is named, and the next 20 steps still run", async () => {
    const children = newChildren();
    const heard = new Heard();
    const big = "x".repeat(2_000_000);

    const refused = await children.start(
      shell("true", heard, { env: { RESULTS: big, SMALL: "1" } }),
      NEVER,
    );
    for (let step = 0; step < 20; step += 1) await children.start(shell("echo ok", heard), NEVER);

    expect(refused.end).toMatchObject({
      kind: "not-started",
      reason: expect.stringContaining(
        "the largest is the environment variable RESULTS with 2000009 bytes; pass it by file",
      ) as unknown,
    });
    expect(heard.text).toBe("ok\n".repeat(20));
  });

  test("a command of 200 kB as one argument is named", async () => {
    expect(await reasonOf({ args: ["-c", `: ${"x".repeat(200_000)}`] })).toContain(
      "the largest is argument 2 with 200003 bytes",
    );
  });
});

describe("time (F03)", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a shell whose child keeps the pipe", "echo pid $$; sleep 1000; echo x"],
    ["a child in a session of its own", "setsid sh -c 'echo pid $$; exec sleep 1000' & wait"],
    [
      "a daemon, forked twice, whose parents are gone",
      "setsid sh -c '(sh -c \"echo pid \\$\\$; exec sleep 1000\" &) & exit' ; sleep 1000",
    ],
    ["a child that ignores SIGTERM", "trap '' TERM; echo pid $$; while :; do sleep 1; done"],
    [
      "a grandchild that ignores SIGTERM",
      "sh -c 'trap \"\" TERM; echo pid $$; while :; do sleep 1; done' & sleep 1000",
    ],
    ["a child that stopped itself", "echo pid $$; kill -STOP $$; sleep 1000"],
    [
      "a child that forks as it is ended",
      "trap 'setsid sh -c \"echo pid \\$\\$; exec sleep 1000\" & sleep 1000' TERM; echo pid $$; while :; do sleep 1; done",
    ],
    [
      "a daemon that threw away its environment but not its session",
      "echo pid $$; env -i sh -c '(sh -c \"echo pid \\$\\$; exec sleep 1000\" &)'; sleep 1000",
    ],
  ];

  test.each(cases)("the limit ends %s", async (_, script) => {
    const children = newChildren();
    const heard = new Heard();

    const { end } = await children.start(
      shell(script, heard, { timeoutMs: 1500, graceMs: 400 }),
      NEVER,
    );

    expect(end).toEqual({ kind: "timed-out", afterMs: 1500 });
    expect(heard.pids()).not.toEqual([]);
    expect(heard.pids().filter(isAlive)).toEqual([]);
    expect(children.leftovers()).toEqual([]);
  });

  test("a child that finishes within its limit is left alone", async () => {
    const { end } = await newChildren().start(
      shell("exit 4", new Heard(), { timeoutMs: 30_000 }),
      NEVER,
    );

    expect(end).toEqual({ kind: "exited", code: 4 });
  });

  test("a limit of 30 days does not fire at once", async () => {
    const { end } = await newChildren().start(
      shell("sleep 0.1; exit 4", new Heard(), { timeoutMs: 30 * 24 * 3600 * 1000 }),
      NEVER,
    );

    expect(end).toEqual({ kind: "exited", code: 4 });
  });

  test("a child that answers SIGTERM with exit 0 has timed out all the same", async () => {
    const { end } = await newChildren().start(
      shell("trap 'exit 0' TERM; while :; do sleep 0.05; done", new Heard(), { timeoutMs: 200 }),
      NEVER,
    );

    expect(end).toEqual({ kind: "timed-out", afterMs: 200 });
  });
});

describe("abort (F04)", () => {
  test("the whole tree is gone when `cancelled` is reported", async () => {
    const heard = new Heard();
    const stop = new AbortController();
    const script =
      "setsid sh -c 'echo pid $$; exec sleep 1000' & sh -c 'sleep 1000 & echo pid $!; wait' & echo pid $$; wait";

    const work = newChildren().start(shell(script, heard), stop.signal);
    await heard.match(/(?:pid \d+\s+){3}/);
    expect(heard.pids().filter(isAlive)).toHaveLength(3);
    stop.abort();

    expect((await work).end).toEqual({ kind: "cancelled" });
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("nothing is started once the signal is aborted", async () => {
    const heard = new Heard();

    const { end } = await newChildren().start(shell("echo ran", heard), AbortSignal.abort());

    expect(end).toEqual({ kind: "cancelled" });
    expect(heard.text).toBe("");
  });

  test("many children on one signal make no warning and all end", async () => {
    const children = newChildren();
    const stop = new AbortController();
    const heard = new Heard();
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", note);

    const work = Array.from({ length: 15 }, () =>
      children.start(shell("echo pid $$; sleep 1000", heard), stop.signal),
    );
    await heard.match(/(?:pid \d+\s+){15}/);
    stop.abort();
    const ends = await Promise.all(work);
    process.off("warning", note);

    expect(ends.map(({ end }) => end.kind)).toEqual(Array(15).fill("cancelled"));
    expect(heard.pids().filter(isAlive)).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test("what the child says on SIGTERM is still heard", async () => {
    const heard = new Heard();
    const stop = new AbortController();

    const work = newChildren().start(
      shell("trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.05; done", heard),
      stop.signal,
    );
    await heard.match(/(ready)/);
    stop.abort();
    await work;

    expect(heard.text.split("\n")).toContain("bye");
  });
});

describe("a slow reader", () => {
  test("gets one chunk at a time, in order and whole", async () => {
    const sizes: number[] = [];
    let atWork = 0;
    let most = 0;

    await newChildren().start(
      shell("head -c 3000000 /dev/zero", new Heard(), {
        onStdout: async (chunk) => {
          atWork += 1;
          most = Math.max(most, atWork);
          await new Promise((resolve) => setImmediate(resolve));
          sizes.push(chunk.length);
          atWork -= 1;
        },
      }),
      NEVER,
    );

    expect(most).toBe(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3_000_000);
  });
});

test("a deaf child is killed 5 s after its time is over, when nobody says otherwise (spec 7)", async () => {
  const heard = new Heard();
  const { end, durationMs } = await newChildren().start(
    shell("trap '' TERM; while :; do sleep 0.1; done", heard, { timeoutMs: 1500 }),
    NEVER,
  );

  expect(end).toEqual({ kind: "timed-out", afterMs: 1500 });
  expect(durationMs).toBeGreaterThan(6000);
  // The limit of this test is what holds the upper bound.
}, 30_000);
