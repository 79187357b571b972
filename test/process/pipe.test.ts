import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

import { expect, onTestFinished, test } from "vitest";

import { createShellPort } from "../../src/process/shell-port.ts";
import { Heard, NEVER, newChildren, program, request, shell, tempDir } from "./helpers.ts";

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

test("a hundred children leave no descriptor open and no file behind", async () => {
  const children = newChildren();
  const directory = tempDir();
  const port = createShellPort(children);
  const split = { splitFiles: { stdout: `${directory}/o`, stderr: `${directory}/e` }, stdin: "x" };
  await port.run(request(directory, "true", split), NEVER);
  const before = openDescriptors();
  const temporary = process.env["TMPDIR"];
  process.env["TMPDIR"] = tempDir();
  onTestFinished(() => {
    if (temporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = temporary;
  });

  for (let n = 0; n < 50; n += 1) {
    await port.run(request(directory, "echo a", split), NEVER);
    await children.start(shell("true", new Heard(), { command: "/nowhere/x" }), NEVER);
  }

  await expect.poll(openDescriptors).toBeLessThanOrEqual(before);
  expect(readdirSync(tmpdir())).toEqual([]);
});

test("children that run side by side do not hear each other", async () => {
  const children = newChildren();
  const words = Array.from({ length: 20 }, (_, n) => `word ${n}`);

  const texts = await Promise.all(
    words.map(async (word) => {
      const heard = new Heard();
      const script = `for i in 1 2 3 4 5; do echo ${word}; echo ${word} >&2; done`;
      await children.start(shell(script, heard, { merge: true }), NEVER);
      return heard.text;
    }),
  );

  expect(texts).toEqual(words.map((word) => `${word}\n`.repeat(10)));
});

test("a pipe that a background process still holds is not given to the next child", async () => {
  const children = newChildren();
  const first = new Heard();
  const background = "mkfifo go; sh -c 'echo begun; read x <go; echo late' &";
  const cwd = tempDir();
  await children.start(shell(background, first, { merge: true, cwd }), NEVER);
  await first.match(/(begun)/);

  const others = Array.from({ length: 20 }, () => new Heard());
  for (const heard of others)
    await children.start(shell("echo own", heard, { merge: true }), NEVER);
  await children.start(shell("echo >go", new Heard(), { cwd }), NEVER);
  await first.match(/(late)/);

  expect(others.map((heard) => heard.text)).toEqual(others.map(() => "own\n"));
});

test("an input that finds no room is said in one sentence", async () => {
  const temporary = process.env["TMPDIR"];
  process.env["TMPDIR"] = "/nowhere";
  try {
    const { end } = await newChildren().start(
      shell("cat", new Heard(), { stdin: "x", cwd: "/" }),
      NEVER,
    );

    expect(end).toMatchObject({
      kind: "not-started",
      reason: expect.stringMatching(
        /^its standard input cannot be put into \/nowhere: ENOENT.*; make room or set TMPDIR$/,
      ) as unknown,
    });
  } finally {
    if (temporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = temporary;
  }
});

test("where no FIFO can be made, children run with Node's own pipes", async () => {
  const directory = tempDir();
  const file = await program(
    directory,
    `import { Children } from "./src/process/children.ts";
     import { createShellPort } from "./src/process/shell-port.ts";
     const port = createShellPort(new Children());
     const ends = [];
     for (let n = 0; n < 5; n += 1) {
       const report = await port.run({
         script: "echo out; echo err >&2; exit 3", cwd: "/", env: {}, stdin: null, timeoutMs: null,
         logFile: ${JSON.stringify(directory)} + "/log", splitFiles: null,
       }, new AbortController().signal);
       ends.push(report.end.code, report.tail.split("\\n").toSorted().join(" ").trim());
     }
     console.log(JSON.stringify(ends));`,
  );

  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    env: { ...process.env, TMPDIR: "/nowhere" },
  });

  expect(JSON.parse(stdout)).toEqual(Array.from({ length: 5 }, () => [3, "err out"]).flat());
});
