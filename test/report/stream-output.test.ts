import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { build } from "esbuild";
import { expect, test } from "vitest";

import { streamOutput } from "../../src/report/stream-output.ts";

test("columns are read anew each time, 0 and absent are unknown", () => {
  const stream = { write: () => true, on: () => undefined, columns: 60, isTTY: true };
  const output = streamOutput(stream, () => {});

  const seen = [60, 0, 200].map((columns) => {
    stream.columns = columns;
    return output.columns;
  });

  expect(seen).toEqual([60, null, 200]);
  expect(output.isTTY).toBe(true);
});

test("a write that throws is told once, later text is dropped", () => {
  const words: string[] = [];
  let writes = 0;
  const stream = {
    write: () => {
      writes += 1;
      throw new Error("EPIPE");
    },
    on: () => undefined,
  };
  const output = streamOutput(stream, (error) => words.push(error.message));

  output.write("a");
  output.write("b");

  expect({ words, writes }).toEqual({ words: ["EPIPE"], writes: 1 });
});

test("a reader that goes away (`mmm cook | head -1`) does not end the process", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mmm-report-"));
  try {
    const outfile = join(directory, "writer.mjs");
    await build({
      bundle: true,
      platform: "node",
      format: "esm",
      outfile,
      stdin: {
        resolveDir: import.meta.dirname,
        contents: `
          import { streamOutput } from "../../src/report/stream-output.ts";
          let broken = 0;
          const output = streamOutput(process.stdout, () => { broken += 1; });
          let left = 20; // writes after the pipe is known to be broken
          const write = () => {
            output.write("line\\n".repeat(2000));
            if (broken > 0) left -= 1;
            if (left > 0) setImmediate(write);
            else process.stderr.write("broken " + broken + ", finished");
          };
          write();
        `,
      },
    });

    const { stdout, stderr } = await promisify(execFile)("sh", [
      "-c",
      '{ "$0" "$1"; echo " with $?" >&2; } | head -n 1',
      process.execPath,
      outfile,
    ]);

    expect(stdout).toBe("line\n");
    expect(stderr).toBe("broken 1, finished with 0\n");
  } finally {
    await rm(directory, { recursive: true });
  }
});
