import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findClaude } from "../../src/claude/preflight.ts";
import { createClaudePort } from "../../src/claude/runner.ts";
import type { ClaudeActivity, ClaudeReport, ClaudeRequest } from "../../src/engine/ports.ts";
import { Children } from "../../src/process/children.ts";
import type { StandInScript } from "../support/api-stand-in.ts";
import { isNative, realClaude, type RealClaude } from "../support/real-claude.ts";

/** The pinned CLI itself, against a scripted API: what the fake claims is true of the real one. */
let top: string;
let repo: string;
let claude: RealClaude | null;
const children = new Children();

beforeEach(async () => {
  top = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), "mmm-real-")));
  claude = null;
  repo = path.join(top, "repo");
  await fs.mkdir(path.join(repo, ".claude/commands"), { recursive: true });
  await fs.writeFile(
    path.join(top, "gitconfig"),
    "[user]\nname = Tess T\nemail = t@example.invalid\n",
  );
  await fs.writeFile(
    path.join(repo, ".claude/commands/greet.md"),
    "Greet $ARGUMENTS in greeting.txt.\n",
  );
  git("init", "-q");
  git("add", "-A");
  git("commit", "-q", "-m", "init");
});
afterEach(async () => {
  await children.endAll(true);
  await claude?.dispose();
  await fs.rm(top, { recursive: true, force: true });
});

const gitEnv = () => ({ GIT_CONFIG_GLOBAL: path.join(top, "gitconfig"), GIT_CONFIG_NOSYSTEM: "1" });

function git(...args: string[]): string {
  const env = { ...process.env, ...gitEnv() };
  const { stdout, stderr, status } = spawnSync("git", args, { cwd: repo, encoding: "utf8", env });
  if (status !== 0) throw new Error(stderr);
  return stdout.trimEnd();
}

async function run(
  script: StandInScript,
  request: Partial<ClaudeRequest> & { readonly prompt: string },
): Promise<ClaudeReport> {
  claude = await realClaude(script);
  const port = createClaudePort({
    children,
    bin: claude.bin,
    uid: process.getuid?.() ?? null,
    sandbox: undefined,
    strictPermissions: false,
    isResolved: () => false,
  });
  return port.run(
    {
      options: { permissionMode: "acceptEdits", allowedTools: ["Bash(git *)"] },
      step: "1",
      cwd: repo,
      env: gitEnv(),
      timeoutMs: 60_000,
      eventsFile: path.join(top, "events.jsonl"),
      logFile: path.join(top, "log.txt"),
      ...request,
    },
    new AbortController().signal,
  );
}

test("a slash command is resolved, a file written, a commit made, cost and tokens read (6.1, 6.2, 6.4)", async () => {
  const seen: ClaudeActivity[] = [];
  const report = await run(
    {
      turns: [
        {
          text: "I write.",
          toolUse: {
            name: "Write",
            input: { file_path: path.join(repo, "greeting.txt"), content: "hello Ada\n" },
          },
        },
        {
          toolUse: {
            name: "Bash",
            input: { command: "git add -A && git commit -q -m greet", description: "commit" },
          },
        },
        { text: "Greeted Ada.", usage: { input_tokens: 1200, output_tokens: 50 } },
      ],
    },
    { prompt: "/greet Ada", onActivity: (activity) => seen.push(activity) },
  );

  expect(report).toMatchObject({
    verdict: { ok: true },
    end: { kind: "exited", code: 0 },
    text: "Greeted Ada.",
    turns: 3,
    usage: { inputTokens: 1400, outputTokens: 90 },
    warnings: [],
  });
  expect(report.usage?.costUsd).toBeGreaterThan(0);
  expect(report.model).toMatch(/^claude-/);
  expect(git("log", "-1", "--format=%s|%an")).toBe("greet|Tess T");
  expect(git("show", "HEAD:greeting.txt")).toBe("hello Ada");
  expect(seen).toContainEqual({
    type: "tool",
    name: "Bash",
    detail: "git add -A && git commit -q -m greet",
  });
  const requests = await claude!.requests();
  expect(requests.map((request) => request.turn)).toEqual([0, 1, 2]);
  expect(requests[0]?.lastUser).toContain("Greet Ada in greeting.txt.");
});

test("a text over 100 KB arrives whole through standard input (6.1)", async () => {
  const report = await run(
    { turns: [{ text: "read" }] },
    { prompt: `${"word ".repeat(25_000)}END` },
  );

  expect(report).toMatchObject({ verdict: { ok: true }, text: "read" });
  const [first] = await claude!.requests();
  expect(first?.lastUser.endsWith("word word END")).toBe(true);
});

test("an API error 400 is a failure although the subtype says success (6.2)", async () => {
  const report = await run({ turns: [{ error: 400, times: 20 }] }, { prompt: "hi" });

  expect(report.verdict).toMatchObject({ ok: false, code: "api-error" });
});

test("an overloaded API is a failure that may pass (6.2)", async () => {
  const report = await run({ turns: [{ error: 529, times: 20 }] }, { prompt: "hi" });

  expect(report.verdict).toMatchObject({ ok: false, code: "overloaded", transient: true });
});

test("an unknown command is a failure and asks the API nothing (6.3)", async () => {
  const report = await run({ turns: [{ text: "never" }] }, { prompt: "/gret Ada" });

  expect(report.verdict).toMatchObject({ ok: false, code: "unknown-command" });
  // Native versions take it for a text, and mmm ends them when it sees what they know.
  expect((await claude!.requests()).length).toBeLessThanOrEqual(isNative ? 1 : 0);
});

test("the last turn allowed without being done is a failure (6.2)", async () => {
  const report = await run(
    {
      turns: [
        {
          toolUse: {
            name: "Read",
            input: { file_path: path.join(repo, ".claude/commands/greet.md") },
          },
        },
      ],
    },
    { prompt: "hi", options: { permissionMode: "acceptEdits", maxTurns: 1 } },
  );

  expect(report.verdict).toMatchObject({ ok: false, code: "max-turns" });
});

test("a denied tool is a warning, and a success (6.2)", async () => {
  const report = await run(
    {
      turns: [
        { toolUse: { name: "Bash", input: { command: "touch denied", description: "touch" } } },
        { text: "I could not." },
      ],
    },
    { prompt: "hi", options: { permissionMode: "default" } },
  );

  expect(report.verdict).toEqual({ ok: true });
  expect(report.warnings[0]).toContain("claude was denied Bash");
  await expect(fs.stat(path.join(repo, "denied"))).rejects.toThrow("ENOENT");
});

test("every option is one that the CLI knows (6.1)", async () => {
  const report = await run(
    { turns: [{ text: "ok" }] },
    {
      prompt: "-p is no flag here",
      options: {
        model: "claude-sonnet-4-6",
        maxTurns: 3,
        permissionMode: "acceptEdits",
        allowedTools: ["Write", "Bash(git *)"],
        disallowedTools: ["WebFetch", "WebSearch"],
        appendSystemPrompt: "-be brief",
      },
    },
  );

  expect(report).toMatchObject({ verdict: { ok: true }, model: "claude-sonnet-4-6" });
  const [first] = await claude!.requests();
  expect(first).toMatchObject({ model: "claude-sonnet-4-6" });
  expect(first?.lastUser).toContain("-p is no flag here");
  expect(first?.tools).not.toContain("WebFetch");
});

test("the CLI is found and its version read (6.1)", async () => {
  claude = await realClaude({ turns: [] });

  const found = await findClaude({ bin: claude.bin, path: "", home: top, cwd: top });

  const version = isNative ? expect.stringMatching(/^2\.1\.\d{3,}$/) : "2.1.112";
  expect(found).toEqual({ bin: claude.bin, version, notes: [] });
});
