/**
 * The whole product with the real Claude CLI (the pinned devDependency) against a scripted API on
 * loopback, with an empty HOME and, where the machine allows it, without any other network.
 */
import path from "node:path";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isNative, realClaude, type RealClaude } from "../support/real-claude.ts";
import { runCli } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

const playbook = `
name: greet
max_iterations: 1
# Root may not skip permissions (spec 6.1); this works for everybody.
claude: { permission_mode: acceptEdits, allowed_tools: [Bash] }
steps:
  - shell: "printf '%s' 'Ada & $(touch CANARY)'"
    id: who
  - claude: "/greet \${who.output}"
    id: greeting
    outputs:
      file: { file_pattern: "greeting.txt" }
    commit_required: true
  - shell: "printf '%s|%s|%s' \${greeting.file} \${greeting.output} \${greeting.commits} > seen.txt"
`;

let repo: TempRepo;
let claude: RealClaude | null;

beforeEach(async () => {
  repo = await makeRepo({ "README.md": "hello\n" });
  claude = null;
  // The CLI has a HOME of its own, without an identity.
  await repo.git("config", "user.name", "Test Person");
  await repo.git("config", "user.email", "test@example.invalid");
  await repo.write("greet.yml", playbook);
  await repo.write(".claude/commands/greet.md", "Greet $ARGUMENTS in greeting.txt.\n");
});

afterEach(async () => {
  await claude?.dispose();
  await repo.dispose();
});

async function startClaude(): Promise<RealClaude> {
  return realClaude({
    turns: [
      {
        text: "I write.",
        toolUse: {
          name: "Write",
          input: { file_path: path.join(repo.root, "greeting.txt"), content: "hello Ada\n" },
        },
      },
      {
        toolUse: {
          name: "Bash",
          input: {
            command: "git add greeting.txt && git commit -q -m 'feat: greet'",
            description: "commit",
          },
        },
      },
      { text: "Greeted.", usage: { input_tokens: 1200, output_tokens: 50 } },
    ],
  });
}

test("a slash command, a file, a commit, and its outputs in a shell step (spec 3.3, 6.1, 6.2)", async () => {
  claude = await startClaude();

  const result = await runCli(["cook", "greet.yml"], {
    cwd: repo.root,
    env: { ...repo.env, MMM_CLAUDE_BIN: claude.bin },
  });

  expect(result).toMatchObject({ code: 0 });
  expect(await repo.read("seen.txt")).toBe("greeting.txt|Greeted.|1");
  expect(await repo.git("log", "--format=%s", "--reverse")).toMatch(/\nfeat: greet\nprintf /);
  expect(await repo.git("status", "--porcelain")).toBe("?? .claude/\n?? greet.yml");
  const [first] = await claude.requests();
  expect(JSON.stringify(first)).toContain("Greet Ada & $(touch CANARY) in greeting.txt.");
  expect(result.stdout).toMatch(/Tokens: [1-9]/);
  expect(result.stdout).toMatch(/Cost: \$0\.0/);
});

test("what is left of --max-cost reaches the CLI, which stops at it after one answer: suspended (spec 6.5)", async () => {
  claude = await startClaude();

  const stopped = await runCli(["cook", "greet.yml", "--max-cost", "0.0001"], {
    cwd: repo.root,
    env: { ...repo.env, MMM_CLAUDE_BIN: claude.bin },
  });

  expect(stopped).toMatchObject({ code: 75 });
  expect(stopped.stdout).toMatch(/Reason: The limit of \$0\.0001 is reached, \$0\.\d+ over it/);
  expect(await repo.git("log", "--format=%s")).not.toContain("feat: greet");
});

test("a structured answer is an output, and a conversation goes on in a later step (spec 2.1, 3.3)", async () => {
  claude = await realClaude({
    turns: [
      { toolUse: { name: "StructuredOutput", input: { score: 7, why: "few tests" } } },
      // Native versions are done with the answer.
      ...(isNative ? [] : [{ text: "given" }]),
      { text: "as I said" },
    ],
  });
  await repo.write("answer.json", '{"type":"object","properties":{"score":{"type":"number"}}}');
  await repo.commitAll("schema and playbook");
  await repo.write(
    "rate.yml",
    `
max_iterations: 1
claude: { permission_mode: acceptEdits, model: claude-sonnet-4-6 }
steps:
  - id: rate
    claude: { prompt: "Rate it.", output_schema: answer.json }
    outputs: { score: { capture: json, path: "$.score" } }
  - claude: { prompt: "Why is it \${rate.score}?", continue_session: rate }
  - shell: "printf '%s' \${rate.score} > seen.txt"
`,
  );

  const result = await runCli(["cook", "rate.yml", "--reporter", "json"], {
    cwd: repo.root,
    env: { ...repo.env, MMM_CLAUDE_BIN: claude.bin },
  });

  expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
  expect(await repo.read("seen.txt")).toBe("7");
  const asked = (await claude.requests()).filter(({ kind }) => kind === "turn");
  expect(asked.map(({ turn }) => turn)).toEqual(isNative ? [0, 1] : [0, 1, 2]);
  expect(asked[0]?.schema).toMatchObject({ properties: { score: { type: "number" } } });
  expect(asked.at(-1)?.messages).toBeGreaterThan(asked.at(-2)?.messages ?? 0);
  expect(asked.at(-1)?.lastUser).toContain("Why is it 7?");
  const costs = result.stdout
    .split("\n")
    .filter((line) => line.includes('"attempt-finished"') && line.includes('"kind":"claude"'))
    .map((line) => JSON.parse(line) as { usage: { inputTokens: number; models: object } });
  // 100 tokens a request: what the first step paid for is not counted again.
  expect(costs.map(({ usage }) => usage.inputTokens)).toEqual(isNative ? [100, 100] : [200, 100]);
  expect(Object.keys(costs[0]?.usage.models ?? {})).toEqual(["claude-sonnet-4-6"]);
});

test("what the real CLI did is recorded, and replayed offline to the same history (spec 6.6)", async () => {
  claude = await startClaude();
  const recording = path.join(repo.base, "greet.jsonl");
  const env = { ...repo.env, MMM_CLAUDE_BIN: claude.bin };

  const recorded = await runCli(["cook", "greet.yml", "--record", recording], {
    cwd: repo.root,
    env,
  });
  const history = await repo.git("log", "--format=%s %T");
  await repo.git("reset", "--hard", "--quiet", "HEAD~2");
  const replayed = await runCli(["cook", "greet.yml", "--replay", recording], {
    cwd: repo.root,
    env: { ...repo.env, MMM_CLAUDE_BIN: "/nonexistent/claude" },
  });

  expect(recorded).toMatchObject({ code: 0 });
  expect(replayed, replayed.stdout + replayed.stderr).toMatchObject({ code: 0 });
  expect(await repo.git("log", "--format=%s %T")).toBe(history);
  expect(await readFile(recording, "utf8")).toContain('"subject":"feat: greet"');
});

test("a value that the CLI would run or damage reaches Claude by file (spec 3.2)", async () => {
  claude = await realClaude({ turns: [{ text: "Read." }] });
  const hostile = "look: !`touch CANARY` and $& and ```! touch CANARY ```";
  await repo.write("value.txt", hostile);
  await repo.commitAll("value and playbook");
  await repo.write(
    "hostile.yml",
    `
max_iterations: 1
claude: { permission_mode: acceptEdits, allowed_tools: [Bash] }
steps:
  - { id: say, shell: cat value.txt }
  - claude: "/greet \${say.output} then \${ITERATION}"
`,
  );

  const result = await runCli(["cook", "hostile.yml"], {
    cwd: repo.root,
    env: { ...repo.env, MMM_CLAUDE_BIN: claude.bin },
  });

  expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
  const [first] = await claude.requests();
  const file = /Greet (\S+\/outputs\/\S+) then 1 in greeting/.exec(JSON.stringify(first))?.[1];
  expect(await readFile(file ?? "", "utf8")).toBe(hostile);
  expect(await repo.git("status", "--porcelain")).toBe("?? hostile.yml");
});

test("to root the skip flag is refused before the first call, with the ways out (spec 6.1)", async () => {
  claude = await startClaude();
  await repo.write("skip.yml", '- claude: "/greet you"\n');
  await repo.git("add", "skip.yml", "greet.yml");
  await repo.git("commit", "--quiet", "--message", "playbooks");

  const result = await runCli(["cook", "skip.yml", "-n", "1"], {
    cwd: repo.root,
    env: { ...repo.env, MMM_CLAUDE_BIN: claude.bin },
  });

  if (process.getuid?.() === 0) {
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/root[^]*permission_mode: acceptEdits[^]*IS_SANDBOX=1/);
    expect(await claude.requests()).toEqual([]);
  } else {
    expect(result.code).toBe(0);
  }
});
