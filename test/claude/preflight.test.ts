import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findClaude, type ClaudeSearch } from "../../src/claude/preflight.ts";
import { fakeClaude } from "../support/fake-claude.ts";

let top: string;
let search: ClaudeSearch;

beforeEach(async () => {
  top = await fs.mkdtemp(path.join(os.tmpdir(), "mmm-preflight-"));
  search = { bin: null, path: top, home: top, cwd: top };
});
afterEach(() => fs.rm(top, { recursive: true, force: true }));

async function program(script: string, name = "claude"): Promise<string> {
  const file = path.join(top, name);
  await fs.writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

test("the claude on PATH is found and asked for its version (6.1)", async () => {
  const claude = await fakeClaude({ version: "2.1.112 (Claude Code)" });

  const found = await findClaude({ ...search, path: `/nowhere:${claude.directory}` });
  await claude.dispose();

  expect(found).toEqual({ bin: claude.bin, version: "2.1.112", notes: [] });
});

test.each(["claude-x", "./claude-x", "~/claude-x"])(
  "a configured program is found as %s",
  async (bin) => {
    const file = await program("echo 2.0.0", "claude-x");

    expect(await findClaude({ ...search, bin })).toMatchObject({ bin: file, version: "2.0.0" });
  },
);

test("a stand-in that prints no version is used, with a note", async () => {
  await program("echo hello");

  const found = await findClaude(search);

  expect(found.version).toBeNull();
  expect(found.notes[0]).toContain("prints no version");
});

test("F07: a missing program and a missing PATH are clear errors with the way out (exit 3)", async () => {
  await expect(findClaude(search)).rejects.toMatchObject({
    code: "claude-missing",
    exitCode: 3,
    message: `there is no program claude on PATH (${top})`,
    next: expect.arrayContaining(["npm install -g @anthropic-ai/claude-code"]) as unknown,
  });
  await expect(findClaude({ ...search, path: undefined })).rejects.toMatchObject({
    code: "claude-missing",
    message: "PATH is not set, so claude cannot be found",
  });
});

test.each([
  ["a folder", async () => fs.mkdir(path.join(top, "bin")), "not a file"],
  ["not executable", async () => fs.writeFile(path.join(top, "bin"), "x"), "it cannot be run"],
  ["not there", async () => undefined, "there is no such file"],
])(
  "a configured program that is %s is an error with the reason (exit 3)",
  async (_, make, reason) => {
    await make();

    await expect(findClaude({ ...search, bin: "./bin" })).rejects.toMatchObject({
      code: "claude-missing",
      message: `${path.join(top, "bin")}: ${reason}`,
    });
  },
);

test("a version before 2.0 is too old (exit 3)", async () => {
  await program("echo '1.0.128 (Claude Code)'");

  await expect(findClaude(search)).rejects.toMatchObject({ code: "claude-too-old", exitCode: 3 });
});

test("a program that fails or never answers --version is broken (exit 3)", async () => {
  await program("echo 'node: not found' >&2; exit 127");
  await expect(findClaude(search)).rejects.toMatchObject({
    code: "claude-broken",
    message: expect.stringContaining("exits with 127: node: not found") as unknown,
  });

  await program("sleep 600");
  await expect(findClaude({ ...search, timeoutMs: 200 })).rejects.toMatchObject({
    code: "claude-broken",
    message: expect.stringContaining("did not answer within 0.2 s") as unknown,
  });
});

test("without HOME a note says what older versions do", async () => {
  await program("echo 2.1.112");

  expect((await findClaude({ ...search, home: undefined })).notes[0]).toContain("HOME is not set");
});
