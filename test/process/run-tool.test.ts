import { describe, expect, test } from "vitest";

import { runTool } from "../../src/process/run-tool.ts";
import { tempDir } from "./helpers.ts";

describe("a tool run quietly", () => {
  test("gives its bytes, its last words and its end", async () => {
    const report = await runTool("sh", ["-c", "printf 'a\\0b'; echo no >&2; exit 3"], {
      cwd: tempDir(),
    });

    expect(report).toEqual({
      end: { kind: "exited", code: 3 },
      stdout: Buffer.from("a\0b"),
      stderr: "no\n",
      truncated: false,
    });
  });

  test("gets its input and its environment", async () => {
    const { stdout } = await runTool("sh", ["-c", 'cat; echo "$LC_ALL|${HOME-none}"'], {
      cwd: tempDir(),
      input: "in\n",
      env: { LC_ALL: "C", HOME: undefined },
    });

    expect(stdout.toString()).toBe("in\nC|none\n");
  });

  test("that is not there is no exception", async () => {
    const { end } = await runTool("mmm-nosuch", [], { cwd: tempDir(), env: { PATH: "/bin" } });

    expect(end).toEqual({
      kind: "not-started",
      reason: "there is no program mmm-nosuch on PATH (/bin)",
    });
  });

  test("is bounded in time", async () => {
    const { end } = await runTool("sleep", ["1000"], { cwd: tempDir(), timeoutMs: 100 });

    expect(end).toEqual({ kind: "timed-out", afterMs: 100 });
  });

  test("is bounded in output, and says so", async () => {
    const { end, stdout, truncated } = await runTool("sh", ["-c", "seq 1 100000"], {
      cwd: tempDir(),
      maxBytes: 10,
    });

    expect(end).toEqual({ kind: "exited", code: 0 });
    expect(stdout.toString()).toBe("1\n2\n3\n4\n5\n");
    expect(truncated).toBe(true);
  });

  test("exactly as long as allowed is whole", async () => {
    const { truncated } = await runTool("printf", ["12345"], { cwd: tempDir(), maxBytes: 5 });

    expect(truncated).toBe(false);
  });

  test("ends when the signal is aborted", async () => {
    const { end } = await runTool("sleep", ["1000"], {
      cwd: tempDir(),
      signal: AbortSignal.timeout(50),
    });

    expect(end).toEqual({ kind: "cancelled" });
  });
});
