import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClaudePort } from "../../src/claude/runner.ts";
import type { ClaudePort, ClaudeReport, ClaudeRequest } from "../../src/engine/ports.ts";
import { Children } from "../../src/process/children.ts";
import type { StandInScript } from "../support/api-stand-in.ts";
import { isNative, realClaude, type RealClaude } from "../support/real-claude.ts";

/** What an option does is seen in the request that the API gets, and in what the real CLI makes of the answer. */
let top: string;
let repo: string;
let claude: RealClaude | null;
let calls: number;
const children = new Children();

beforeEach(async () => {
  top = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), "mmm-real-options-")));
  claude = null;
  calls = 0;
  repo = path.join(top, "repo");
  await fs.mkdir(repo);
  spawnSync("git", ["init", "-q"], { cwd: repo });
});
afterEach(async () => {
  await children.endAll(true);
  await claude?.dispose();
  await fs.rm(top, { recursive: true, force: true });
});

async function open(script: StandInScript): Promise<ClaudePort> {
  claude = await realClaude(script);
  return createClaudePort({
    children,
    bin: claude.bin,
    uid: process.getuid?.() ?? null,
    sandbox: undefined,
    strictPermissions: false,
    isResolved: () => false,
  });
}

async function call(
  port: ClaudePort,
  prompt: string,
  more: Partial<ClaudeRequest> = {},
): Promise<ClaudeReport> {
  calls += 1;
  const { options, ...rest } = more;
  return port.run(
    {
      prompt,
      options: { permissionMode: "acceptEdits", ...options },
      step: "1",
      cwd: repo,
      env: {},
      timeoutMs: 60_000,
      eventsFile: path.join(top, `events-${calls}.jsonl`),
      logFile: path.join(top, `log-${calls}.txt`),
      ...rest,
    },
    new AbortController().signal,
  );
}

const requests = async () => (await claude!.requests()).filter(({ kind }) => kind !== "side");

const schema = {
  type: "object",
  properties: { score: { type: "number" } },
  required: ["score"],
} as const;

test("output_schema reaches the API, and the answer that fits it is the text (3.3)", async () => {
  const port = await open({
    turns: [{ toolUse: { name: "StructuredOutput", input: { score: 7 } } }, { text: "I gave it." }],
  });

  const report = await call(port, "rate it", {
    options: { outputSchema: { kind: "inline", json: JSON.stringify(schema) } },
  });

  expect(report).toMatchObject({ verdict: { ok: true }, text: '{"score":7}' });
  expect(await fs.readFile(report.textFile, "utf8")).toBe('{"score":7}');
  const [first] = await requests();
  expect(first?.schema).toMatchObject(schema);
});

test("a model that gives no answer in the form that was asked for has failed, and max_turns bounds it (6.2)", async () => {
  const port = await open({ turns: [{ text: "seven, I think", times: 60 }] });

  const report = await call(port, "rate it", {
    options: { maxTurns: 4, outputSchema: { kind: "inline", json: JSON.stringify(schema) } },
  });

  // 2.1.112 asks the model again and again.
  const code = isNative ? "no-structured-output" : "max-turns";
  expect(report.verdict).toMatchObject({ ok: false, code, transient: false });
});

test("continue_session sends the earlier conversation along, and its cost is not counted twice (6.4)", async () => {
  const usage = { input_tokens: 1000, output_tokens: 100 };
  const port = await open({ turns: [{ text: "one" }, { text: "two" }, { text: "three" }], usage });

  const first = await call(port, "remember 42");
  const second = await call(port, "which number?", { resume: resumeOf(first) });
  const third = await call(port, "and now?", { resume: resumeOf(second) });

  expect([first, second, third].map(({ text }) => text)).toEqual(["one", "two", "three"]);
  expect(second.claudeSession).toBe(first.claudeSession);
  const sent = await requests();
  expect(sent.map(({ turn }) => turn)).toEqual([0, 1, 2]);
  expect(sent[2]?.messages).toBeGreaterThan(sent[0]?.messages ?? 0);
  // Each call made one request of the same size.
  for (const report of [first, second, third])
    expect(report.usage).toMatchObject({ inputTokens: 1000, outputTokens: 100 });
  expect(third.usage?.costUsd).toBeCloseTo(first.usage?.costUsd ?? 0, 6);
  expect(third.reported?.inputTokens).toBe(isNative ? 3000 : 1000);
});

function resumeOf({ claudeSession, reported }: ClaudeReport) {
  return { session: claudeSession ?? "", reported: reported ?? null };
}

test("a conversation that is not there is a failure that says so (6.2)", async () => {
  const port = await open({ turns: [] });

  const report = await call(port, "hi", {
    resume: { session: "00000000-0000-4000-8000-000000000000", reported: null },
  });

  expect(report.verdict.ok).toBe(false);
  expect(report.tail).toContain("No conversation found");
});

test("a budget ends the call after the response that spends it (6.5)", async () => {
  const usage = { input_tokens: 100_000, output_tokens: 50_000 };
  const read = { toolUse: { name: "Read", input: { file_path: path.join(repo, "none") } } };
  const port = await open({ turns: [read, read, read, { text: "done" }], usage });

  const report = await call(port, "hi", { maxBudgetUsd: 0.5 });

  expect(report.verdict).toMatchObject({ ok: false, code: "budget", transient: false });
  expect(report.usage?.costUsd).toBeGreaterThan(0.5);
  expect((await requests()).length).toBeLessThan(4);
});

test("the budget of a resumed call is its own (6.5)", async () => {
  const usage = { input_tokens: 100_000, output_tokens: 10_000 };
  const port = await open({ turns: [{ text: "one" }, { text: "two" }, { text: "three" }], usage });
  const first = await call(port, "hi");
  const costUsd = first.usage?.costUsd ?? 0;

  const second = await call(port, "on", {
    resume: resumeOf(first),
    maxBudgetUsd: costUsd * 1.5,
  });

  expect(second).toMatchObject({ verdict: { ok: true }, text: "two" });
  expect(second.usage?.costUsd).toBeCloseTo(costUsd, 6);
});

test("append_system_prompt and model are in the request (6.1)", async () => {
  const port = await open({ turns: [{ text: "ok" }] });

  await call(port, "hi", {
    options: { model: "claude-sonnet-4-6", appendSystemPrompt: "ONLY-IN-RHYMES" },
  });

  const [first] = await requests();
  expect(first?.model).toBe("claude-sonnet-4-6");
  expect(first?.system).toContain("ONLY-IN-RHYMES");
});

test.each([
  ["a missing login", { error: 401, times: 20 }, "not-logged-in", false],
  ["a request that is refused", { error: 400, times: 20 }, "api-error", false],
  ["a model that is not there", { error: 404, times: 20 }, "api-error", false],
  ["too many requests", { error: 429, times: 20 }, "rate-limit", true],
  ["a server that fails", { error: 500, times: 20 }, "server-error", true],
  ["an overload", { error: 529, times: 20 }, "overloaded", true],
  ["a connection that breaks", { reset: true, times: 20 }, "connection", true],
] as const)("%s is told from the others (6.2)", async (_, turn, code, transient) => {
  const port = await open({ turns: [turn] });

  const { verdict } = await call(port, "hi");

  expect(verdict).toMatchObject({ ok: false, code, transient, resetsAt: null });
});
