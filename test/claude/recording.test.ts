import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordingPort, startRecording } from "../../src/claude/record.ts";
import {
  parseRecording,
  recordingHeader,
  type RecordedCallInput,
} from "../../src/claude/recording.ts";
import { createReplayPort } from "../../src/claude/replay.ts";
import { createClaudePort } from "../../src/claude/runner.ts";
import { whyNotInTree } from "../../src/claude/tree-path.ts";
import { matchesPattern, hideVolatile } from "../../src/claude/volatile.ts";
import type {
  ClaudeActivity,
  ClaudePort,
  ClaudeReport,
  ClaudeRequest,
} from "../../src/engine/ports.ts";
import { Children } from "../../src/process/children.ts";
import { fakeClaude, type FakeCall, type FakeClaude } from "../support/fake-claude.ts";

let top: string;
let repo: string;
let claude: FakeClaude | null;
const children = new Children();
/** git reads nothing of this machine's, also where the fake and the replay call it. */
const saved = { ...process.env };

beforeEach(async () => {
  top = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), "mmm-recording-")));
  claude = null;
  const config = path.join(top, "gitconfig");
  await fs.writeFile(
    config,
    "[user]\nname = Tess T\nemail = tess@example.invalid\n[init]\ndefaultBranch = main\n",
  );
  Object.assign(process.env, { HOME: top, GIT_CONFIG_GLOBAL: config, GIT_CONFIG_NOSYSTEM: "1" });
  repo = await makeRepo("repo");
});
afterEach(async () => {
  process.env = { ...saved };
  await claude?.dispose();
  await fs.rm(top, { recursive: true, force: true });
});

function git(where: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync("git", args, { cwd: where, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.trimEnd();
}

async function makeRepo(name: string): Promise<string> {
  const where = path.join(top, name);
  await fs.mkdir(where);
  git(where, "init", "-q");
  await fs.writeFile(path.join(where, "old.txt"), "old\n");
  await fs.writeFile(path.join(where, "both.txt"), "one\n");
  await fs.writeFile(path.join(where, ".gitignore"), "ignored\n");
  git(where, "add", "-A");
  git(where, "commit", "-q", "-m", "init");
  return where;
}

function request(where: string, prompt: string, more: Partial<ClaudeRequest> = {}): ClaudeRequest {
  return {
    prompt,
    options: {},
    step: "1",
    cwd: where,
    env: {},
    timeoutMs: null,
    eventsFile: path.join(top, "events.jsonl"),
    logFile: path.join(top, "log.txt"),
    ...more,
  };
}

const never = new AbortController().signal;
const file = () => path.join(top, "rec/demo.jsonl");

async function recorder(
  calls: readonly FakeCall[],
  env: Readonly<Record<string, string>> = {},
): Promise<ClaudePort> {
  claude = await fakeClaude({ calls });
  const options = { file: file(), version: "1.2.3", env };
  await startRecording(options, false);
  const real = createClaudePort({
    children,
    bin: claude.bin,
    uid: 1000,
    sandbox: undefined,
    strictPermissions: false,
    isResolved: () => true,
  });
  return recordingPort(real, options);
}

async function replay(
  calls: readonly RecordedCallInput[],
  asked: ClaudeRequest,
  signal = never,
): Promise<ClaudeReport> {
  const text = recordingHeader("0") + calls.map((call) => `${JSON.stringify(call)}\n`).join("");
  return createReplayPort({ calls: parseRecording(text, "x.jsonl"), file: "x.jsonl" }).run(
    asked,
    signal,
  );
}

/** Everything git and the disk know: history, files with modes, what is uncommitted. */
function picture(where: string): string[] {
  return [
    git(where, "log", "--format=%T %an %s|%b"),
    git(where, "status", "--porcelain"),
    git(where, "ls-files", "-s"),
    git(where, "diff", "HEAD"),
  ];
}

const work: FakeCall = {
  do: [
    { init: {} },
    { tool: "Write", input: { file_path: "src/a.txt" } },
    { write: "src/a.txt", content: "grüße\n" },
    { write: "run.sh", content: "#!/bin/sh\n", mode: 0o755 },
    { commit: "first\n\nWhy it is so.\n# and a hash" },
    { remove: "old.txt" },
    { write: "both.txt", content: "two\n" },
    { run: ["sh", "-c", "printf '\\000\\377' > bin.dat; ln -s src/a.txt link"] },
    { commit: "second" },
    { write: "both.txt", content: "three\n" },
    { write: 'new dir/ü "x".txt', content: "left\n" },
    { write: "ignored", content: "no" },
    { result: { result: "all done", total_cost_usd: 1 } },
  ],
  cost: 0.5,
};

test("what is recorded is replayed: the same commits, leftovers, text, cost (6.6)", async () => {
  const real = await makeRepo("real");
  const port = await recorder([work]);

  const recorded = await port.run(request(real, "/mmm-implement-spec specs/1.md"), never);
  const calls = parseRecording(await fs.readFile(file(), "utf8"), file());
  const seen: ClaudeActivity[] = [];
  const replayed = await createReplayPort({ calls, file: file() }).run(
    request(repo, "/mmm-implement-spec specs/1.md", { onActivity: (one) => seen.push(one) }),
    never,
  );

  expect(recorded.warnings).toEqual([]);
  expect(picture(repo)).toEqual(picture(real));
  expect(replayed).toMatchObject({
    verdict: { ok: true },
    text: "all done",
    usage: recorded.usage,
    turns: recorded.turns,
    model: recorded.model,
  });
  expect(replayed.usage?.costUsd).toBe(0.5);
  expect(seen).toEqual([{ type: "tool", name: "Write", detail: "src/a.txt" }]);
  expect(await fs.readFile(replayed.textFile, "utf8")).toBe("all done");
});

test("the file begins with a header and holds one readable line a call (6.6)", async () => {
  const port = await recorder([{ writes: { "a.txt": "a\n" }, commit: "add a", cost: null }]);

  await port.run(request(repo, `look at ${repo}/a.txt`), never);

  const [first, second] = (await fs.readFile(file(), "utf8")).split("\n");
  expect(first).toBe('{"v":1,"kind":"recording","mmm":"1.2.3"}');
  expect(JSON.parse(second ?? "")).toMatchObject({
    step: "1",
    prompt: "look at {root}/a.txt",
    text: "done",
    commits: [{ subject: "add a", changes: [{ path: "a.txt", content: "a\n" }] }],
    usage: { costUsd: null },
  });
  expect(second).not.toContain('"changes":[]');
});

test("a failed call is recorded as one, with what it left behind", async () => {
  const real = await makeRepo("real");
  const port = await recorder([
    { do: [{ init: {} }, { write: "half.txt", content: "h" }, { exit: 4 }] },
  ]);

  const recorded = await port.run(request(real, "go"), never);
  const calls = parseRecording(await fs.readFile(file(), "utf8"), file());
  const replayed = await createReplayPort({ calls, file: file() }).run(request(repo, "go"), never);

  expect(replayed.end).toEqual({ kind: "exited", code: 4 });
  expect(replayed.verdict).toMatchObject({ ok: false, code: "no-result" });
  expect(recorded.verdict).toMatchObject({ ok: false, code: "no-result" });
  expect(picture(repo)).toEqual(picture(real));
});

test("files that were dirty before the call belong to nobody's recording", async () => {
  await fs.writeFile(path.join(repo, "mine.txt"), "mine");
  const port = await recorder([{ writes: { "a.txt": "a" } }]);

  await port.run(request(repo, "go"), never);

  const [call] = parseRecording(await fs.readFile(file(), "utf8"), file());
  expect(call?.changes.map((change) => change.path)).toEqual(["a.txt"]);
});

test("what a recording cannot hold is a warning of the report, and the work stays (6.6)", async () => {
  const port = await recorder([
    {
      do: [
        { run: ["git", "init", "-q", "nested"] },
        { run: ["git", "-C", "nested", "commit", "-q", "--allow-empty", "-m", "x"] },
        { write: "a\\b.txt", content: "odd" },
        { write: "a.txt", content: "a" },
        { raw: "done" },
      ],
    },
    { do: [{ commit: "to be lost" }, { run: ["git", "reset", "-q", "--hard", "HEAD~2"] }] },
  ]);
  await fs.writeFile(path.join(repo, "two.txt"), "2");
  git(repo, "add", "-A");
  git(repo, "commit", "-q", "-m", "two");

  const first = await port.run(request(repo, "one"), never);
  await fs.rm(path.join(repo, "nested"), { recursive: true });
  const second = await port.run(request(repo, "two"), never);

  expect(first.verdict.ok).toBe(true);
  expect(first.warnings).toEqual([
    'recording: left out: the path "a\\\\b.txt" is not relative with / between folders',
    'recording: left out: "nested" is a nested repository',
  ]);
  expect(second.warnings).toContain("recording: HEAD moved backwards; its moves are not recorded");
  const calls = parseRecording(await fs.readFile(file(), "utf8"), file());
  expect(calls[0]?.changes).toEqual([{ path: "a.txt", content: "a" }]);
});

test("variables that lead git elsewhere do not lead a replay there", async () => {
  const other = await makeRepo("other");
  Object.assign(process.env, { GIT_DIR: path.join(other, ".git"), GIT_LITERAL_PATHSPECS: "1" });

  const report = await replay([{ prompt: "x", commits: [{ subject: "s" }] }], request(repo, "x"));
  delete process.env["GIT_DIR"];

  expect(report.verdict.ok).toBe(true);
  expect(git(repo, "rev-list", "--count", "HEAD")).toBe("2");
  expect(git(other, "rev-list", "--count", "HEAD")).toBe("1");
});

test("calls match by text in order, and by step among equal ones (6.6)", async () => {
  const calls = [
    { prompt: "review", text: "one" },
    { prompt: "review", text: "two" },
    { step: "fix", prompt: "review", text: "of fix" },
    { match: "/mmm-implement-spec *.md", text: "implemented" },
  ];
  const text = recordingHeader("0") + calls.map((call) => JSON.stringify(call)).join("\n\n");
  const port = createReplayPort({ calls: parseRecording(text, "x"), file: "x" });
  const ask = async (prompt: string, step = "1") =>
    (await port.run(request(repo, prompt, { step }), never)).text;

  expect(await ask("/mmm-implement-spec specs/a b.md")).toBe("implemented");
  expect(await ask("review", "fix")).toBe("of fix");
  expect(await ask("review")).toBe("one");
  expect(await ask("review")).toBe("two");
});

test("what differs from run to run does not keep a prompt from matching (6.6)", async () => {
  const recorded = "read /main/.mmm/sessions/mmm-demo-1700000000/outputs/x in {root}, {session}";
  const asked = `read /main/.mmm/sessions/mmm-demo-1800000001-2/outputs/x in ${repo}, mmm-session-1800000001`;

  const report = await replay(
    [{ prompt: hideVolatile(recorded, []), text: "{root}/a" }],
    request(repo, asked),
  );

  expect(report).toMatchObject({ verdict: { ok: true }, text: `${repo}/a` });
});

test("a call that was not recorded fails, names what was expected and where it differs (6.6)", async () => {
  const report = await replay(
    [{ prompt: "something quite different" }, { prompt: "review\nall of src\nplease" }],
    request(repo, "review\nall of lib\nplease"),
  );

  expect(report.verdict).toMatchObject({ ok: false, code: "no-recording" });
  const { message, next } = report.verdict as { message: string; next: readonly string[] };
  expect(message).toContain("line 2 of the most similar one:\n- all of src\n+ all of lib");
  expect(next[0]).toBe('calls left: "something quite different", "review"');
});

test.each([
  ["../out", "leaves the tree"],
  ["a/../../out", "leaves the tree"],
  ["/etc/passwd", "is not relative"],
  ["C:/x", "is not relative"],
  ["a\\..\\b", "is not relative"],
  [".git/config", "inside .git"],
  ["sub/.GIT/hooks/post-commit", "inside .git"],
  [".git ./config", "inside .git"],
  [".git::$INDEX_ALLOCATION/config", "inside .git"],
  [".g\u200cit/config", "inside .git"],
  ["GIT~1/config", "inside .git"],
  ["a//b", "leaves the tree"],
  ["", "empty"],
])("a recording is data: the path %j is refused when it is read (0, 6.6)", (name, reason) => {
  const text = `${recordingHeader("0")}{"prompt":"x","changes":[{"path":${JSON.stringify(name)},"content":"y"}]}\n`;

  expect(() => parseRecording(text, "x.jsonl")).toThrow(
    expect.objectContaining({
      code: "recording",
      exitCode: 2,
      message: expect.stringContaining(reason) as unknown,
    }),
  );
});

test("property: a path that is let through lies in the tree and not in .git (0, 6.6)", () => {
  const piece = fc.constantFrom(
    "..",
    ".",
    "/",
    "a",
    ".git",
    ".GIT",
    "\\",
    " ",
    "b c",
    "ü",
    "\0",
    "~",
  );

  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const name = pieces.join("");
      if (whyNotInTree(name) !== null) return;
      const full = path.resolve("/root/tree", name);

      expect(full.startsWith("/root/tree/")).toBe(true);
      expect(full.toLowerCase().split("/")).not.toContain(".git");
      expect(path.relative("/root/tree", full)).toBe(name);
    }),
    { numRuns: 2000 },
  );
});

test("no path goes through a link, whether it was there or comes with the recording (0, 6.6)", async () => {
  const outside = path.join(top, "outside");
  await fs.mkdir(outside);
  await fs.symlink(outside, path.join(repo, "door"));
  const change = (name: string, content: string, mode?: "120000") => ({
    path: name,
    content,
    ...(mode && { mode }),
  });

  const through = await replay(
    [{ prompt: "x", changes: [change("door/a", "y")] }],
    request(repo, "x"),
  );
  const brought = await replay(
    [{ prompt: "x", commits: [{ subject: "s", changes: [change("up", "../outside", "120000")] }] }],
    request(repo, "x"),
  );
  const inside = await replay(
    [{ prompt: "x", changes: [change("l", "../repo", "120000"), change("l/a", "y")] }],
    request(repo, "x"),
  );

  for (const report of [through, brought, inside])
    expect(report.verdict).toMatchObject({ ok: false, code: "recording-path" });
  expect(await fs.readdir(outside)).toEqual([]);
});

test("a link in the place of a file is replaced and not written through", async () => {
  await fs.writeFile(path.join(top, "victim"), "safe");
  await fs.symlink(path.join(top, "victim"), path.join(repo, "f"));

  const report = await replay(
    [{ prompt: "x", changes: [{ path: "f", content: "new" }] }],
    request(repo, "x"),
  );

  expect(report.verdict.ok).toBe(true);
  expect(await fs.readFile(path.join(top, "victim"), "utf8")).toBe("safe");
  expect(await fs.readFile(path.join(repo, "f"), "utf8")).toBe("new");
});

test("replayed commits run no hook and ask for no signature", async () => {
  await fs.writeFile(path.join(repo, ".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n", {
    mode: 0o755,
  });
  git(repo, "config", "commit.gpgSign", "true");
  git(repo, "config", "gpg.program", "/nowhere");

  const report = await replay(
    [
      {
        prompt: "x",
        commits: [{ subject: "-s: odd", body: "b", changes: [{ path: "-a", content: "1" }] }],
      },
    ],
    request(repo, "x"),
  );

  expect(report.verdict).toEqual({ ok: true });
  expect(git(repo, "log", "-1", "--format=%s|%b|%an")).toBe("-s: odd|b\n|Tess T");
});

test("a replay that is stopped makes no further commit", async () => {
  const stopped = AbortSignal.abort();

  const report = await replay(
    [{ prompt: "x", commits: [{ subject: "s" }] }],
    request(repo, "x"),
    stopped,
  );

  expect(report.end).toEqual({ kind: "cancelled" });
  expect(git(repo, "rev-list", "--count", "HEAD")).toBe("1");
});

test.each([
  ["", "f:1 the file is empty"],
  ["nope\n", "f:1 this line is no JSON"],
  ['{"v":2,"kind":"recording"}\n', "f:1 v: "],
  ['{"v":1,"kind":"recording"}\n\n{"prompt":"a","txt":1}\n', "f:3 "],
  ['{"v":1,"kind":"recording"}\n{"text":"a"}\n', "f:2 a call has one of prompt and match"],
  ['{"v":1,"kind":"recording"}\n{"prompt":"a","match":"b"}\n', "f:2 a call has one of"],
  [
    '{"v":1,"kind":"recording"}\n{"prompt":"a","changes":[{"path":"a"}]}\n',
    "f:2 changes.0: a change has one of",
  ],
])("a broken recording is refused with its line: %j (exit 2)", (text, message) => {
  expect(() => parseRecording(text, "f")).toThrow(
    expect.objectContaining({
      code: "recording",
      message: expect.stringContaining(message) as unknown,
    }),
  );
});

test.each([
  ["*", "", true],
  ["a*c", "abbc", true],
  ["a*c", "ab", false],
  ["aa*aa", "aaa", false],
  ["/x *.md *", "/x a\nb.md c", true],
  ["(a+)+$", "aaaa", false],
])("pattern %j against %j: %j", (pattern, text, matches) => {
  expect(matchesPattern(pattern, text)).toBe(matches);
});

test("a resumed session goes on in its recording, a new one begins anew", async () => {
  const options = { file: file(), version: "1" };
  await startRecording(options, true);
  await fs.appendFile(file(), '{"prompt":"a"}\n');

  await startRecording(options, true);
  expect(parseRecording(await fs.readFile(file(), "utf8"), "f")).toHaveLength(1);
  await startRecording(options, false);
  expect(parseRecording(await fs.readFile(file(), "utf8"), "f")).toHaveLength(0);
});

test("the example in docs/recordings.md is a recording", async () => {
  const page = await fs.readFile(new URL("../../docs/recordings.md", import.meta.url), "utf8");
  const example = page.match(/^ {4}\{.*$/gm) ?? [];

  const calls = parseRecording(example.join("\n"), "docs/recordings.md");

  expect(calls).toHaveLength(3);
});

test("secrets of the environment and of known forms are in no recording, and it replays (3.2, 6.6)", async () => {
  const [secret, other] = ["correct horse battery", "sk-ant-api03-abcdefgh"];
  const encoded = Buffer.from(secret).toString("base64");
  const port = await recorder(
    [
      {
        do: [
          { init: {} },
          { say: `I use ${secret}` },
          { tool: "Bash", input: { command: `curl -H 'x: ${secret}'` } },
          { write: "config.txt", content: `key=${secret}\nkey=${other}\nrest\n` },
          { commit: `use ${secret}\n\nand ${other}` },
          { run: ["sh", "-c", `printf '\\377${secret}' > bin.dat`] },
          { result: { result: `done with ${encoded}` } },
        ],
      },
    ],
    { SOME_TOKEN: secret },
  );

  const report = await port.run(request(repo, `go with ${secret}`), never);

  const text = await fs.readFile(file(), "utf8");
  for (const word of [secret, other, encoded]) expect(text).not.toContain(word);
  expect(text).toContain("key=***\\nkey=***\\nrest");
  expect(report.warnings).toEqual([
    'recording: "config.txt" holds a secret, masked in the recording',
    'recording: "bin.dat" holds a secret, left out',
  ]);
  const calls = parseRecording(text, file());
  const again = await makeRepo("again");
  const replayed = await createReplayPort({ calls, file: file() }).run(
    request(again, "go with another one"),
    never,
  );
  expect(replayed).toMatchObject({ verdict: { ok: true }, text: "done with ***" });
  expect(git(again, "log", "-1", "--format=%s")).toBe("use ***");
});

test("a failure that may pass replays as one (2.4)", async () => {
  const failure = { code: "overloaded", message: "busy", transient: true, retryAfterMs: 500 };

  const report = await replay([{ prompt: "go", exit: 1, failure }], request(repo, "go"));

  expect(report.verdict).toEqual({ ok: false, next: [], resetsAt: null, ...failure });
});

test("a usage limit is recorded with the moment of its reset (6.5)", async () => {
  const event = {
    type: "rate_limit_event",
    rate_limit_info: { status: "rejected", resetsAt: 1_772_800_000 },
    session_id: "s",
  };
  const limit = { is_error: true, result: "You've hit your limit" };
  const port = await recorder([{ do: [{ init: {} }, { event }, { result: limit }, { exit: 1 }] }]);

  await port.run(request(repo, "go"), never);

  const [call] = parseRecording(await fs.readFile(file(), "utf8"), file());
  expect(call?.failure).toMatchObject({
    code: "usage-limit",
    transient: false,
    resetsAt: "2026-03-06T12:26:40.000Z",
  });
});

test("a prompt that is not there is shown beside the most similar one, line by line (6.6)", async () => {
  const report = await replay(
    [{ prompt: "Fix it.\nThe old way\nwith care\nand tests.\nThe end." }, { prompt: "other" }],
    request(repo, "Fix it.\nThe new way\nand tests.\nThe end."),
  );

  expect(report.verdict).toMatchObject({ ok: false, code: "no-recording", transient: false });
  expect(report.verdict.ok ? "" : report.verdict.message.split("\n").slice(1)).toEqual([
    "line 2 of the most similar one:",
    "- The old way",
    "- with care",
    "+ The new way",
  ]);
  expect(report.verdict.ok ? [] : report.verdict.next[0]).toBe('calls left: "Fix it.", "other"');
});

test("a replayed step can be gone on with, as a real one", async () => {
  const calls = parseRecording(
    `${recordingHeader("0")}{"prompt":"one"}\n{"prompt":"two"}\n`,
    "x.jsonl",
  );
  const port = createReplayPort({ calls, file: "x.jsonl" });

  const first = await port.run(request(repo, "one"), never);
  const resume = { session: first.claudeSession ?? "", reported: null };
  const second = await port.run(request(repo, "two", { resume }), never);

  expect(first.claudeSession).not.toBeNull();
  expect(second.claudeSession).toBe(first.claudeSession);
});
