import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { createShellPort } from "../../src/process/shell-port.ts";
import { Heard, NEVER, isAlive, newChildren, program, request, tempDir } from "./helpers.ts";

describe("the log and its tail", () => {
  test("F09, F10: the log holds all of the output, the tail its last lines", async () => {
    const directory = tempDir();
    const asked = request(directory, "seq 1 100000; echo 'the real error' >&2; exit 3");

    const report = await createShellPort(newChildren()).run(asked, NEVER);

    const log = readFileSync(asked.logFile, "utf8");
    expect(report.end).toEqual({ kind: "exited", code: 3 });
    expect(log.split("\n")).toHaveLength(100_002);
    expect(report.bytes).toBe(log.length);
    expect(report.tail).toBe(log.slice(-64 * 1024));
    expect(report.tail.endsWith("100000\nthe real error\n")).toBe(true);
  });

  test("a step that prints nothing leaves an empty log", async () => {
    const asked = request(tempDir(), "true");

    const { bytes, tail } = await createShellPort(newChildren()).run(asked, NEVER);

    expect({ bytes, tail, size: statSync(asked.logFile).size }).toEqual({
      bytes: 0,
      tail: "",
      size: 0,
    });
  });

  test("stdout and stderr stand in the order in which they were printed", async () => {
    const script =
      "i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; nosuch-cmd; echo last";

    const { tail } = await createShellPort(newChildren()).run(request(tempDir(), script), NEVER);

    const lines = Array.from({ length: 200 }, (_, i) => `out ${i}\nerr ${i}\n`).join("");
    expect(tail).toMatch(new RegExp(`^${lines}.*nosuch-cmd.*\nlast\n$`));
  });

  test("line numbers in the shell's messages are those of the script", async () => {
    const script = "# one\ntrue\nnosuch-cmd";

    const { tail } = await createShellPort(newChildren()).run(request(tempDir(), script), NEVER);

    expect(tail).toMatch(/^sh: (?:line )?3: nosuch-cmd/);
  });

  test.each([
    ["a comment alone", "# nothing", { kind: "exited", code: 0 }, /^$/],
    ["nothing at all", "", { kind: "exited", code: 0 }, /^$/],
    ["a syntax error", "if then", { kind: "exited", code: 2 }, /[Ss]yntax error/],
    [
      "a write to /dev/stderr",
      "echo a; echo b >/dev/stderr; echo c",
      { kind: "exited", code: 0 },
      /^a\nb\nc\n$/,
    ],
  ])("a script of %s is run as it is", async (_, script, end, text) => {
    const report = await createShellPort(newChildren()).run(request(tempDir(), script), NEVER);

    expect(report.end).toEqual(end);
    expect(report.tail).toMatch(text);
  });

  test("each stream is also kept alone when asked for", async () => {
    const directory = tempDir();
    const splitFiles = { stdout: join(directory, "out"), stderr: join(directory, "err") };
    const script = "echo to out; echo to err >&2";

    const { tail } = await createShellPort(newChildren()).run(
      request(directory, script, { splitFiles }),
      NEVER,
    );

    expect(readFileSync(splitFiles.stdout, "utf8")).toBe("to out\n");
    expect(readFileSync(splitFiles.stderr, "utf8")).toBe("to err\n");
    expect(tail.split("\n").toSorted()).toEqual(["", "to err", "to out"]);
  });

  test("live text is never cut within a character", async () => {
    const heard: string[] = [];
    const script = String.raw`printf '\303'; sleep 0.05; printf '\251'; sleep 0.05; printf '\360\237'; sleep 0.05; printf '\215\263'`;

    await createShellPort(newChildren()).run(
      request(tempDir(), script, { onOutput: (text) => heard.push(text) }),
      NEVER,
    );

    expect(heard.join("")).toBe("é🍳");
  });

  test("a full disk ends the child and is said (exit 3)", async () => {
    const heard = new Heard();
    const asked = request(tempDir(), "echo pid $$; sleep 1000", {
      logFile: "/dev/full",
      onStart: ({ pid }) => heard.take(`pid ${pid}`),
    });

    await expect(createShellPort(newChildren()).run(asked, NEVER)).rejects.toMatchObject({
      code: "log-unwritable",
      exitCode: 3,
    });
    expect(heard.pids().filter(isAlive)).toEqual([]);
  });

  test("a log in a folder that is not there is said, not swallowed", async () => {
    const asked = request(tempDir(), "true", { logFile: join(tempDir(), "gone", "a.log") });

    await expect(createShellPort(newChildren()).run(asked, NEVER)).rejects.toMatchObject({
      code: "log-unwritable",
    });
  });

  test("what a background process prints after the step's end still goes to the log", async () => {
    const directory = tempDir();
    const children = newChildren();
    const port = createShellPort(children);
    const asked = request(
      directory,
      "mkfifo go; (read x <go; echo late; echo done >answer) & echo early",
    );

    const { tail } = await port.run(asked, NEVER);
    await port.run(
      {
        ...request(directory, "mkfifo answer; echo >go; cat answer"),
        logFile: join(directory, "2.log"),
      },
      NEVER,
    );
    await children.endAll(false);

    expect(tail).toBe("early\n");
    await expect.poll(() => readFileSync(asked.logFile, "utf8")).toBe("early\nlate\n");
  });
});

describe("scripts", () => {
  test("over 100 000 bytes run from a file beside the log", async () => {
    const directory = tempDir();
    const filler = `: ${"x".repeat(200_000)}\n`;
    const asked = request(directory, `${filler}echo out; echo err >&2; exit 5`);

    const { end, tail } = await createShellPort(newChildren()).run(asked, NEVER);

    expect(end).toEqual({ kind: "exited", code: 5 });
    expect(tail).toBe("out\nerr\n");
    expect(existsSync(`${asked.logFile}.sh`)).toBe(true);
  });

  test("over 100 000 bytes run from a file with split streams too", async () => {
    const directory = tempDir();
    const splitFiles = { stdout: join(directory, "out"), stderr: join(directory, "err") };
    const filler = `: ${"x".repeat(200_000)}\n`;

    await createShellPort(newChildren()).run(
      request(directory, `${filler}cat; echo err >&2`, { splitFiles, stdin: "given" }),
      NEVER,
    );

    expect(readFileSync(splitFiles.stdout, "utf8")).toBe("given");
    expect(readFileSync(splitFiles.stderr, "utf8")).toBe("err\n");
  });

  test("with a NUL byte are refused in a sentence", async () => {
    const asked = request(tempDir(), "echo a\0b");

    const { end } = await createShellPort(newChildren()).run(asked, NEVER);

    expect(end).toEqual({
      kind: "not-started",
      reason: "the script holds a NUL byte, which no shell can read",
    });
    expect(existsSync(asked.logFile)).toBe(true);
  });

  test("run in the working directory, with the request's environment", async () => {
    const directory = tempDir();

    const { tail } = await createShellPort(newChildren()).run(
      request(directory, 'pwd -P; echo "$VALUE"', { env: { VALUE: "$(id) `id` 'x'" } }),
      NEVER,
    );

    expect(tail).toBe(`${directory}\n$(id) \`id\` 'x'\n`);
  });

  test("that exceed their time report it with their last words", async () => {
    const asked = request(tempDir(), "echo begun; sleep 4000; echo x", { timeoutMs: 1500 });

    const report = await createShellPort(newChildren()).run(asked, NEVER);

    expect(report.end).toEqual({ kind: "timed-out", afterMs: 1500 });
    expect(report.tail).toMatch(/^begun\n/);
  });
});

describe("memory (spec 11)", () => {
  const measured = (directory: string, body: string): Promise<string> =>
    program(
      directory,
      `import { Children } from "./src/process/children.ts";
       import { createShellPort } from "./src/process/shell-port.ts";
       const never = new AbortController().signal;
       const directory = ${JSON.stringify(directory)};
       const children = new Children();
       ${body}
       console.log(JSON.stringify({ bytes, maxRssMiB: process.resourceUsage().maxRSS / 1024 }));`,
    );

  const run = async (file: string): Promise<{ bytes: number; maxRssMiB: number }> => {
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    return JSON.parse(stdout) as { bytes: number; maxRssMiB: number };
  };

  test("256 MiB of output are kept whole on disk and cost a fraction of that", async () => {
    const directory = tempDir();
    const file = await measured(
      directory,
      `const { bytes } = await createShellPort(children).run({
         script: "yes 'a line of output' | head -c 268435456", cwd: directory, env: {}, stdin: null,
         timeoutMs: null, logFile: directory + "/big.log", splitFiles: null, onOutput: () => {},
       }, never);`,
    );

    const { bytes, maxRssMiB } = await run(file);

    expect(bytes).toBe(256 * 1024 ** 2);
    expect(statSync(join(directory, "big.log")).size).toBe(256 * 1024 ** 2);
    // Node itself needs about 60, and how lazily it collects differs with its version and the machine.
    expect(maxRssMiB).toBeLessThan(200);
  });

  test("who reads live output too slowly holds the child back and is told what is missing", async () => {
    const total = 2_000_000;
    let shown = "";
    let isBehind = false;
    let waits = 0;
    const reader = {
      isBehind: () => isBehind,
      // Every second time patience ends before the reader has caught up.
      catchUp: async () => Promise.resolve(void (isBehind = (waits += 1) % 2 === 1)),
    };
    const asked = request(tempDir(), `yes | head -c ${total}`, {
      onOutput: (text) => {
        shown += text;
        isBehind = true;
      },
    });

    await createShellPort(newChildren(), reader).run(asked, NEVER);

    const notes = [...shown.matchAll(/\n\[(\d+) characters are in the log only\]\n/g)];
    const missing = notes.reduce((sum, [, count]) => sum + Number(count), 0);
    const seen = shown.length - notes.reduce((sum, [note]) => sum + note.length, 0);
    expect(missing).toBeGreaterThan(0);
    expect(seen + missing).toBe(total);
    expect(waits).toBeGreaterThan(10);
    expect(statSync(asked.logFile).size).toBe(total);
  });

  test("a reader slower than the child does not let memory grow", async () => {
    const directory = tempDir();
    const file = await measured(
      directory,
      `let bytes = 0;
       await children.start({
         command: "sh", args: ["-c", "head -c 268435456 /dev/zero"], cwd: directory, env: {}, stdin: null,
         timeoutMs: null, onStderr: () => {},
         onStdout: async (chunk) => { await new Promise((resolve) => setTimeout(resolve, 1)); bytes += chunk.length; },
       }, never);`,
    );

    const { bytes, maxRssMiB } = await run(file);

    expect(bytes).toBe(256 * 1024 ** 2);
    // Kept, they would come on top of what Node itself needs.
    expect(maxRssMiB).toBeLessThan(220);
  });
});
