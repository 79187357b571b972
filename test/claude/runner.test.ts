import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createClaudePort, type ClaudeRunnerOptions } from "../../src/claude/runner.ts";
import type { ClaudeActivity, ClaudeReport, ClaudeRequest } from "../../src/engine/ports.ts";
import { Children } from "../../src/process/children.ts";
import {
  fakeClaude,
  type FakeCall,
  type FakeClaude,
  type FakeScenario,
} from "../support/fake-claude.ts";
import { heldBytes } from "../support/held-bytes.ts";

let top: string;
let claude: FakeClaude | null;
let children: Children;

beforeEach(async () => {
  top = await fs.mkdtemp(path.join(os.tmpdir(), "mmm-runner-"));
  claude = null;
  children = new Children();
});
afterEach(async () => {
  await children.endAll(true);
  await claude?.dispose();
  await fs.rm(top, { recursive: true, force: true });
});

interface Setting {
  readonly scenario?: FakeScenario;
  readonly request?: Partial<ClaudeRequest>;
  readonly options?: Partial<ClaudeRunnerOptions>;
  readonly signal?: AbortSignal;
}

async function run(call: FakeCall, setting: Setting = {}): Promise<ClaudeReport> {
  claude = await fakeClaude({ ...setting.scenario, calls: [call] });
  const port = createClaudePort({
    children,
    bin: claude.bin,
    uid: 1000,
    sandbox: undefined,
    strictPermissions: false,
    isResolved: () => false,
    ...setting.options,
  });
  const request: ClaudeRequest = {
    prompt: "do it",
    options: {},
    step: "1",
    cwd: top,
    env: {},
    timeoutMs: null,
    eventsFile: path.join(top, "events.jsonl"),
    logFile: path.join(top, "log.txt"),
    ...setting.request,
  };
  return port.run(request, setting.signal ?? new AbortController().signal);
}

const read = (name: string) => fs.readFile(path.join(top, name), "utf8");

async function appearance(file: string): Promise<void> {
  for (;;) {
    if (
      await fs.stat(file).then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A zombie that nobody reaps (pid 1 of a container may not) is dead. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return /^[^Z]/.test(stdout.trim());
}

test("a good call reports text, usage, turns, model and session, and keeps all of it (6.2, 6.4)", async () => {
  const seen: ClaudeActivity[] = [];

  const report = await run(
    { writes: { "a.txt": "hi\n" }, text: "wrote a.txt", cost: 0.25 },
    { request: { onActivity: (activity) => seen.push(activity) } },
  );

  expect(report).toMatchObject({
    end: { kind: "exited", code: 0 },
    verdict: { ok: true },
    text: "wrote a.txt",
    usage: { costUsd: 0.25, inputTokens: 100, outputTokens: 20 },
    turns: 1,
    model: "claude-fake-1",
    claudeSession: "00000000-0000-4000-8000-000000000000",
    warnings: [],
  });
  expect(await read("a.txt")).toBe("hi\n");
  expect(await fs.readFile(report.textFile, "utf8")).toBe("wrote a.txt");
  expect(await read("log.txt")).toBe("wrote a.txt\n");
  expect(seen).toContainEqual({ type: "text", text: "wrote a.txt" });
  const types = (await read("events.jsonl"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type as string);
  expect(types).toEqual(["system", "assistant", "result"]);
});

test("F01: standard input is empty and closed, so a program that reads it to its end goes on (6.1)", async () => {
  const report = await run({});

  expect(report.verdict.ok).toBe(true);
  const [call] = await claude!.calls();
  expect(call?.stdin).toBe("");
  expect(call?.argv).toEqual([
    "--print",
    "--output-format",
    "stream-json",
    "--verbose",
    "--dangerously-skip-permissions",
    "--",
    "do it",
  ]);
});

test("a text over 100 KB arrives whole through standard input (6.1)", async () => {
  const prompt = "ü".repeat(200_000);

  const report = await run({}, { request: { prompt } });

  expect(report.verdict.ok).toBe(true);
  const [call] = await claude!.calls();
  expect(call?.stdin).toBe(prompt);
  expect(call?.argv).not.toContain("--");
});

test("a program that never reads a long text does no harm (EPIPE)", async () => {
  const bin = path.join(top, "deaf");
  await fs.writeFile(bin, "#!/bin/sh\nexec 0<&-\necho fine\n", { mode: 0o755 });

  const report = await run({}, { options: { bin }, request: { prompt: "x".repeat(5_000_000) } });

  expect(report).toMatchObject({ verdict: { ok: true }, text: "fine\n" });
});

test("what an outer Claude Code set is not inherited, the step's own environment is (6.1)", async () => {
  const outer = {
    CLAUDECODE: "1",
    CLAUDECODE_OF_TOMORROW: "1",
    CLAUDE_CODE_ENTRYPOINT: "cli",
    CLAUDE_CODE_SSE_PORT: "1",
  };
  const inherited = { CLAUDE_CODE_MAX_RETRIES: "3" };
  const sandbox = process.env["IS_SANDBOX"];
  Object.assign(process.env, outer, inherited);
  delete process.env["IS_SANDBOX"];
  try {
    const variables = Object.keys(process.env);
    await run({}, { request: { env: { MMM_STEP: "review" } }, options: { variables } });
  } finally {
    for (const name of Object.keys({ ...outer, ...inherited })) delete process.env[name];
    if (sandbox !== undefined) process.env["IS_SANDBOX"] = sandbox;
  }

  const env = (await claude!.calls())[0]?.env ?? {};
  expect(env).toMatchObject({ MMM_STEP: "review", ...inherited });
  for (const name of [...Object.keys(outer), "IS_SANDBOX"]) expect(env).not.toHaveProperty(name);
});

test("root is refused before the program is started (6.1)", async () => {
  await expect(run({}, { options: { uid: 0 } })).rejects.toMatchObject({
    code: "claude-root",
    exitCode: 3,
  });

  expect(await claude!.calls()).toEqual([]);
});

test("a program without events is judged by its exit code, and its output is the text (6.2)", async () => {
  const output = 'first\n{"score": 1}\nlast without newline';

  const good = await run({ do: [{ raw: output }] });

  expect(good).toMatchObject({ verdict: { ok: true }, text: output, usage: null, turns: null });
  expect(await fs.readFile(good.textFile, "utf8")).toBe(output);
  expect(await read("log.txt")).toBe(output);
});

test("F09: a failure shows the last lines of stderr, and the log holds them all", async () => {
  const report = await run({ do: [{ stderr: "no such model\n" }, { exit: 1 }] });

  expect(report).toMatchObject({
    verdict: { ok: false, code: "exit-code" },
    tail: "no such model\n",
  });
  expect(await read("log.txt")).toBe("no such model\n");
});

test("F07: a program that is not there is one clear failure, not an exit code", async () => {
  const report = await run({}, { options: { bin: path.join(top, "nowhere") } });

  expect(report.end.kind).toBe("not-started");
  expect(report.verdict).toMatchObject({ ok: false, code: "not-started" });
  expect(report.verdict.ok ? "" : report.verdict.message).toContain(path.join(top, "nowhere"));
});

test("F10: the events file is readable line by line when the call is killed in the middle of an event", async () => {
  const report = await run({
    do: [
      { init: {} },
      { say: "working" },
      { raw: '{"type":"assistant","mess' },
      { kill: "SIGKILL" },
    ],
  });

  expect(report).toMatchObject({
    end: { kind: "signalled", signal: "SIGKILL" },
    verdict: { ok: false, code: "no-result" },
  });
  const lines = (await read("events.jsonl")).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
    "system",
    "assistant",
  ]);
  expect(await read("log.txt")).toContain('cut off in: {"type":"assistant","mess\n');
});

test("F10: each event is on disk while the call still runs", async () => {
  const [started, release] = [path.join(top, "started"), path.join(top, "release")];
  const running = run({
    do: [{ init: {} }, { say: "a" }, { touch: started }, { waitFor: release }, { result: {} }],
  });
  await appearance(started);

  // The pipe may still hold the last event: the file tells when it has come through.
  while (!(await read("events.jsonl").catch(() => "")).includes('"assistant"'))
    await new Promise(setImmediate);
  await fs.writeFile(release, "");

  expect((await running).verdict.ok).toBe(true);
});

test("a process that lingers after its last result is ended with its tree, and the step counts (6.2)", async () => {
  const pidFile = path.join(top, "pid");

  const report = await run(
    {
      do: [
        { init: {} },
        { spawn: ["sleep", "600"], session: true, pidFile },
        { result: { result: "yes" } },
      ],
      linger: true,
    },
    { options: { lingerMs: 20 } },
  );

  expect(report).toMatchObject({
    end: { kind: "exited", code: 0 },
    verdict: { ok: true },
    text: "yes",
  });
  expect(report.warnings).toEqual(["claude went on living after its result and was ended"]);
  expect(isAlive(Number(await read("pid")))).toBe(false);
}, 20_000);

test("a process may live on for 15 s after its last result (6.2)", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");

  await run({ do: [{ init: {} }, { result: { result: "yes" } }] });

  expect(timers.mock.calls.map(([, ms]) => ms)).toContain(15_000);
  timers.mockRestore();
});

test("a process that wakes up after a result is not lingering: the last result counts (6.2)", async () => {
  const report = await run(
    {
      do: [
        { init: {} },
        { result: { result: "first" } },
        { say: "the background command has ended" },
        { run: ["sleep", "2.2"] },
        { result: { result: "second" } },
      ],
    },
    { options: { lingerMs: 2000 } },
  );

  expect(report).toMatchObject({ verdict: { ok: true }, text: "second", warnings: [] });
});

test("a call that falls silent is ended with its tree after idle_timeout, and may be tried again (2.4)", async () => {
  const pidFile = path.join(top, "pid");

  const report = await run(
    {
      do: [
        { init: {} },
        { spawn: ["sleep", "600"], session: true, pidFile },
        { waitFor: path.join(top, "never") },
      ],
    },
    { request: { options: { idleTimeoutMs: 4000 } } },
  );

  expect(report.verdict).toMatchObject({ ok: false, code: "idle", transient: true });
  expect(report.end).toEqual({ kind: "signalled", signal: "SIGTERM" });
  expect(isAlive(Number(await read("pid")))).toBe(false);
});

test("a call that keeps talking is not idle, and one without idle_timeout never (2.4)", async () => {
  const talk = Array.from({ length: 8 }, () => [
    { run: ["sleep", "0.6"] as const },
    { say: "still here" },
  ]).flat();

  const report = await run(
    { do: [{ init: {} }, ...talk, { result: {} }] },
    { request: { options: { idleTimeoutMs: 4000 } } },
  );

  expect(report.verdict).toEqual({ ok: true });
});

test("options of the call arrive in the command line (6.1, 6.5)", async () => {
  await fs.writeFile(path.join(top, "answer.json"), '{ "type": "object" }\n');

  await run(
    { do: [{ init: {} }, { result: { structured_output: { score: 7 } } }] },
    {
      request: {
        options: { outputSchema: { kind: "file", path: "answer.json" } },
        resume: { session: "abc", reported: null },
        maxBudgetUsd: 1.5,
      },
    },
  );

  const [call] = await claude!.calls();
  expect(call?.argv).toEqual(
    expect.arrayContaining([
      '--json-schema={"type":"object"}',
      "--resume=abc",
      "--max-budget-usd=1.5",
    ]),
  );
});

test.each([
  ["is not there", null, "cannot be read"],
  ["is no JSON", "type: object", "holds no JSON object"],
  ["is not about an object", '{"type":"array"}', 'must say "type": "object"'],
  ["is too big", `{"type":"object","x":"${"y".repeat(100_000)}"}`, "bytes; 100000 are the most"],
])("an output_schema whose file %s costs nothing (6.1)", async (_, content, message) => {
  if (content !== null) await fs.writeFile(path.join(top, "answer.json"), content);

  const report = await run(
    {},
    { request: { options: { outputSchema: { kind: "file", path: "answer.json" } } } },
  );

  expect(report).toMatchObject({ end: { kind: "not-started" }, text: "", usage: null });
  expect(report.verdict).toMatchObject({ ok: false, code: "output-schema", transient: false });
  expect(report.verdict.ok ? "" : report.verdict.message).toContain(message);
  expect(await claude!.calls()).toEqual([]);
});

test("what was used is told by model, and in sum (6.4)", async () => {
  const usage = (costUSD: number | null) => ({ inputTokens: 10, outputTokens: 1, costUSD });

  const report = await run({
    do: [{ init: {} }, { result: { modelUsage: { big: usage(0.5), small: usage(0.25) } } }],
  });

  expect(report.usage).toMatchObject({
    costUsd: 0.75,
    inputTokens: 20,
    models: { big: { costUsd: 0.5, inputTokens: 10 }, small: { costUsd: 0.25 } },
  });
});

test.each([
  ["2.1.112", "its own share", 0.25],
  ["2.1.329", "the sum so far", 0.15],
])(
  "a resumed call of %s tells %s, and counts for itself alone (6.4)",
  async (version, _, costUsd) => {
    const models = { m: { costUSD: 0.25, inputTokens: 30, outputTokens: 3 } };
    const before = {
      costUsd: 0.1,
      inputTokens: 20,
      outputTokens: 2,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    };

    const report = await run(
      { do: [{ init: {} }, { result: { modelUsage: models } }] },
      {
        scenario: { version },
        request: {
          resume: { session: "abc", reported: { ...before, models: { m: { ...before } } } },
        },
      },
    );

    expect(report.usage?.costUsd).toBeCloseTo(costUsd, 9);
    expect(report.reported?.costUsd).toBe(0.25);
  },
);

test("a resumed call that tells its share itself is believed, over all its results (6.4)", async () => {
  const all = { m: { costUSD: 5, inputTokens: 500, outputTokens: 50 } };
  const since = (costUSD: number) => ({ m: { costUSD, inputTokens: 10, outputTokens: 1 } });

  const report = await run(
    {
      do: [
        { init: {} },
        { result: { modelUsage: all, model_usage_since_last_result: since(0.25) } },
        { say: "on" },
        { result: { modelUsage: all, model_usage_since_last_result: since(0.5) } },
      ],
    },
    { scenario: { version: "2.1.329" }, request: { resume: { session: "abc", reported: null } } },
  );

  expect(report.usage).toMatchObject({ costUsd: 0.75, inputTokens: 20 });
});

test("a time limit ends the whole tree, children in sessions of their own included (11)", async () => {
  const bin = path.join(top, "slow");
  const script = "#!/bin/sh\nsetsid sleep 600 & echo $! > pid\nwait\n";
  await fs.writeFile(bin, script, { mode: 0o755 });

  const report = await run({}, { options: { bin }, request: { timeoutMs: 2000 } });

  expect(report.end).toEqual({ kind: "timed-out", afterMs: 2000 });
  expect(report.verdict).toMatchObject({ ok: false, code: "timed-out" });
  expect(isAlive(Number(await read("pid")))).toBe(false);
});

test("being told to stop ends the whole tree and says so", async () => {
  const [started, pidFile] = [path.join(top, "started"), path.join(top, "pid")];
  const stop = new AbortController();
  const running = run(
    {
      do: [
        { spawn: ["sleep", "600"], pidFile },
        { touch: started },
        { waitFor: path.join(top, "never") },
      ],
    },
    { signal: stop.signal },
  );
  await appearance(started);

  stop.abort();

  expect(await running).toMatchObject({
    end: { kind: "cancelled" },
    verdict: { ok: false, code: "cancelled" },
  });
  expect(isAlive(Number(await read("pid")))).toBe(false);
});

test("a command that the first event does not list is stopped before it is paid for (6.3)", async () => {
  const report = await run(
    { do: [{ init: {} }, { waitFor: path.join(top, "never") }] },
    { scenario: { slashCommands: ["hello", "init"] }, request: { prompt: "/helo world" } },
  );

  expect(report.verdict).toMatchObject({
    ok: false,
    code: "unknown-command",
    message: "claude knows no command /helo",
  });
  // Not `cancelled`: that is for Ctrl-C.
  expect(report.end).toEqual({ kind: "signalled", signal: "SIGTERM" });
});

test.each([
  ["is listed", { slashCommands: ["sub:hello"] }, false],
  ["was found beforehand", { slashCommands: ["other"] }, true],
  ["cannot be judged, as nothing is listed", { slashCommands: [] }, false],
])("a command that %s runs (6.3)", async (_, scenario, resolved) => {
  const report = await run(
    {},
    { scenario, request: { prompt: "/sub:hello x" }, options: { isResolved: () => resolved } },
  );

  expect(report.verdict.ok).toBe(true);
});

test("denied permissions are a warning, or a failure where they are strict (6.2)", async () => {
  const call = { do: [{ init: {} }, { result: { permission_denials: [{ tool_name: "Bash" }] } }] };

  const lax = await run(call);
  await claude!.dispose();
  const strict = await run(call, { options: { strictPermissions: true } });

  expect(lax.verdict.ok).toBe(true);
  expect(lax.warnings).toHaveLength(1);
  expect(strict.verdict).toMatchObject({ ok: false, code: "permission-denied" });
});

test("a line of 100 MB is kept whole on disk and costs bounded memory (11)", async () => {
  const bin = path.join(top, "loud");
  await fs.writeFile(
    bin,
    `#!/bin/sh\necho '{"type":"system","subtype":"init"}'\nhead -c 100000000 /dev/zero | tr '\\0' z\necho\n` +
      `echo '{"type":"result","subtype":"success","result":"ok","modelUsage":{"m":{"costUSD":1}}}'\n`,
    { mode: 0o755 },
  );
  const before = heldBytes();
  let most = 0;
  const sample = setInterval(() => (most = Math.max(most, heldBytes() - before)), 250);

  const report = await run({}, { options: { bin } });
  clearInterval(sample);

  expect(report).toMatchObject({ verdict: { ok: true }, text: "ok" });
  expect((await fs.stat(path.join(top, "events.jsonl"))).size).toBeGreaterThan(100_000_000);
  // A line is read up to its bound, and its pieces are joined once: far less than all of it.
  expect(most).toBeLessThan(80_000_000);
});

test("100 MB of events cost bounded memory, and only the last result counts (11)", async () => {
  const bin = path.join(top, "talkative");
  await fs.writeFile(
    bin,
    `#!/usr/bin/env node
const { writeSync } = require("node:fs");
const say = (event) => {
  let bytes = Buffer.from(JSON.stringify({ session_id: "s", ...event }) + "\\n");
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // The reader is behind.
    }
  }
};
say({ type: "system", subtype: "init" });
const text = "ü".repeat(5000);
for (let i = 0; i < 10_000; i += 1)
  say({ type: "assistant", message: { id: "m" + i, content: [{ type: "text", text }] } });
say({ type: "result", subtype: "success", result: "first", modelUsage: { m: { costUSD: 1 } } });
say({ type: "result", subtype: "success", result: "last", modelUsage: { m: { costUSD: 2 } } });
`,
    { mode: 0o755 },
  );
  const held = (): number => heldBytes() + process.memoryUsage().heapUsed;
  const before = held();
  let [most, turns, seen] = [0, 0, 0];
  const onActivity = (activity: ClaudeActivity): void => {
    if (activity.type === "turns") turns = activity.turns;
    seen += 1;
    if (seen % 4000 === 0) most = Math.max(most, held() - before);
  };

  const report = await run({}, { options: { bin }, request: { onActivity } });

  expect(report).toMatchObject({ verdict: { ok: true }, text: "last", usage: { costUsd: 2 } });
  expect(turns).toBe(10_000);
  expect((await fs.stat(path.join(top, "events.jsonl"))).size).toBeGreaterThan(100_000_000);
  expect(seen).toBeGreaterThan(4000); // So it was measured on the way.
  expect(most).toBeLessThan(40_000_000);
});

test.each([
  ["and has said nothing", "", null],
  ["in the middle of its events", '{"type":"system","subtype":"init"}', "no-result"],
])(
  "a program that closes its output early %s is judged when it ends (6.2)",
  async (_, said, code) => {
    const bin = path.join(top, "early");
    const say = said === "" ? "" : `echo '${said}'\n`;
    await fs.writeFile(bin, `#!/bin/sh\n${say}exec 1>&- 2>&-\nsleep 0.2\ntouch done\n`, {
      mode: 0o755,
    });

    const { verdict } = await run({}, { options: { bin } });

    expect(verdict.ok ? null : verdict.code).toBe(code);
    expect(await read("done")).toBe("");
  },
);

test("a leader that dies leaves its children to mmm, which does not wait for them and ends them (F04)", async () => {
  const pidFile = path.join(top, "pid");

  const report = await run({
    do: [
      { init: {} },
      { spawn: ["sleep", "600"], session: true, stdio: "inherit", pidFile },
      { kill: "SIGKILL" },
    ],
  });
  await children.endAll(true);

  expect(report).toMatchObject({
    end: { kind: "signalled", signal: "SIGKILL" },
    verdict: { ok: false, code: "no-result", transient: false },
  });
  expect(isAlive(Number(await read("pid")))).toBe(false);
}, 30_000);
