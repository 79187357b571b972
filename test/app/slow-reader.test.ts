import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "mmm-reader-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("a pipe that nobody reads is behind, also when patience ends, until it is read (spec 11)", async () => {
  const outfile = path.join(directory, "program.mjs");
  await build({
    stdin: {
      contents: `
        import { readerOf } from "./src/app/slow-reader.ts";
        const reader = readerOf(process.stdout);
        const say = () => process.stderr.write(reader.isBehind() + "\\n");
        say();
        process.stdout.write("x".repeat(4 * 1024 * 1024));
        say();
        await reader.catchUp();
        say();
        while (reader.isBehind()) await reader.catchUp();
        say();`,
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
      loader: "ts",
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  const child = spawn(process.execPath, [outfile], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let bytes = 0;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    // Patience has ended once; only now somebody reads.
    if (said === "false\ntrue\ntrue\n")
      child.stdout.on("data", (chunk: Buffer) => (bytes += chunk.length));
  });
  await new Promise((resolve) => child.once("close", resolve));
  expect(said).toBe("false\ntrue\ntrue\nfalse\n");
  expect(bytes).toBe(4 * 1024 * 1024);
});
