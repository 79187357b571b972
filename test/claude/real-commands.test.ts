/** The pinned CLI, against a scripted API, resolves what mmm ships and what its examples call (spec 9.3). */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { shippedCommands } from "../../src/app/shipped-commands.ts";
import { everyStep } from "../../src/playbook/plan-steps.ts";
import { readPlaybook } from "../../src/playbook/read.ts";
import type { StandInScript } from "../support/api-stand-in.ts";
import { realClaude, type RealClaude } from "../support/real-claude.ts";
import { packageRoot } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

const shipped = await shippedCommands(packageRoot);
let repo: TempRepo;
let claude: RealClaude | null = null;

beforeEach(async () => {
  repo = await makeRepo();
  await repo.git("config", "user.name", "Test Person");
  await repo.git("config", "user.email", "test@example.invalid");
  const commands = path.join(repo.root, ".claude", "commands");
  mkdirSync(commands, { recursive: true });
  cpSync(path.join(packageRoot, "commands"), commands, { recursive: true });
});

afterEach(async () => {
  await claude?.dispose();
  claude = null;
  await repo.dispose();
});

interface StreamEvent {
  readonly type: string;
  readonly subtype?: string;
  readonly is_error?: boolean;
  readonly num_turns?: number;
  readonly slash_commands?: readonly string[];
  readonly permission_denials?: readonly { readonly tool_input: { readonly command?: string } }[];
}

/** One conversation, a prompt after the other; the first `init` and the result of each. */
async function converse(script: StandInScript, prompts: readonly string[], mode = "default") {
  claude = await realClaude(script);
  const format = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
  const child = spawn(claude.bin, ["--print", ...format, "--permission-mode", mode], {
    cwd: repo.root,
    env: { ...repo.env, MMM_AUTOMATION: "true" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const results: StreamEvent[] = [];
  let init: StreamEvent | null = null;
  const say = (content: string): void => {
    const message = { type: "user", message: { role: "user", content } };
    child.stdin.write(`${JSON.stringify(message)}\n`);
  };
  say(prompts[0] ?? "");
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as StreamEvent;
    if (event.type === "system" && event.subtype === "init") init ??= event;
    if (event.type !== "result") continue;
    results.push(event);
    const next = prompts[results.length];
    if (next === undefined) child.stdin.end();
    else say(next);
  }
  return { init, results, requests: await claude.requests() };
}

/** `/mmm-x text` of every step of every example, with something in the place of its references. */
function callsOfExamples(): readonly string[] {
  const folder = path.join(packageRoot, "examples");
  const calls = readdirSync(folder)
    .filter((file) => file.endsWith(".yml"))
    .flatMap((file) => {
      const { playbook } = readPlaybook(file, readFileSync(path.join(folder, file)));
      return [...everyStep(playbook?.steps ?? [])].flatMap((step) =>
        step.kind === "claude"
          ? [[step.prompt, ...step.args].map(({ value }) => value).join(" ")]
          : [],
      );
    });
  return [...new Set(calls)].map((call) =>
    call
      .replaceAll(/\$\{[^}]+\.output\}/g, "not ok 1 - adds up")
      .replaceAll(/\$\{[^}]+\}|\$ARG/g, "01"),
  );
}

test("every shipped command is found, and its arguments arrive whole", async () => {
  const args = `specs/a b.md --output "x" 'y' <z> $1 $HOME 100% \\n ü {"a": [1]}\nsecond line`;
  const names = [...shipped.keys()];

  const { init, results, requests } = await converse(
    { turns: names.map((name) => ({ text: name })) },
    names.map((name) => `/${name} ${args}`),
  );

  expect(init?.slash_commands).toEqual(expect.arrayContaining(names));
  expect(results.map(({ subtype, is_error: failed }) => [subtype, failed])).toEqual(
    names.map(() => ["success", false]),
  );
  const turns = requests.filter(({ kind }) => kind === "turn");
  expect(turns).toHaveLength(names.length);
  for (const [index, { lastUser }] of turns.entries()) {
    const body =
      shipped
        .get(names[index] ?? "")
        ?.text.split("---\n")
        .slice(2)
        .join("---\n") ?? "";
    // A function: in a text `$1` and the like would mean something.
    expect(lastUser).toContain(body.trim().replace("$ARGUMENTS", () => args));
  }
});

test("every call in the shipped examples is one that the CLI resolves", async () => {
  const calls = callsOfExamples();

  const { results, requests } = await converse(
    { turns: calls.map(() => ({ text: "done" })) },
    calls,
  );

  expect(calls.length).toBeGreaterThan(30);
  expect(results.filter(({ num_turns: turns }) => turns === 0)).toEqual([]);
  const turns = requests.filter(({ kind }) => kind === "turn");
  for (const [index, call] of calls.entries()) {
    const [, name, args = ""] = /^\/(mmm-\S+) ?([^]*)$/.exec(call) ?? [];
    if (name === undefined) continue;
    const [heading] = /^# .+$/m.exec(shipped.get(name)?.text ?? "") ?? [];
    expect(turns[index]?.lastUser).toContain(heading);
    expect(turns[index]?.lastUser).toContain(args);
    expect(turns[index]?.lastUser).not.toContain("$ARGUMENTS");
  }
});

test("a review may do what its steps need without being asked, and not more", async () => {
  const run = (command: string) => ({
    toolUse: { name: "Bash", input: { command, description: "a step" } },
  });
  const wanted = [
    "printenv MMM_AUTOMATION",
    "git log --oneline -20",
    "git diff --stat HEAD",
    "git rev-parse --short HEAD",
    "date +%s",
    "git add specs/temp/iteration-1-improvements.md",
    "git commit -m 'review: generate improvement spec for iteration-1-improvements'",
  ];
  const unwanted = ["git push origin main", "touch src.js", "npm install left-pad"];
  const file = path.join(repo.root, "specs/temp/iteration-1-improvements.md");
  const write = { toolUse: { name: "Write", input: { file_path: file, content: "# Spec\n" } } };
  const turns = [...wanted.slice(0, 5).map(run), write, ...wanted.slice(5).map(run)];

  const { results } = await converse(
    { turns: [...turns, ...unwanted.map(run), { text: "done" }] },
    ["/mmm-code-review"],
  );

  const denied = results[0]?.permission_denials?.map(({ tool_input: input }) => input.command);
  expect(denied).toEqual(unwanted);
  expect(await repo.git("log", "-1", "--format=%s")).toBe(
    "review: generate improvement spec for iteration-1-improvements",
  );
});

/** The git, `date`, `ls` and `printenv` lines that a command's text tells to run, with something in the place of its `<words>`. */
function linesIn(text: string): readonly string[] {
  const [, , ...body] = text.split(/^---\n/m);
  const spans = [...body.join("").matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  const filled = spans
    .filter((span) => /^(?:git|date|ls|printenv)\b/.test(span))
    .map((span) => (span === "git add" ? "git add README.md" : span))
    .map((span) =>
      span.replaceAll(/<(?:commit|branch|range)>/g, "HEAD").replaceAll(/<[^<>]+>/g, "x"),
    );
  return [...new Set(filled)];
}

const readme = (): string => path.join(repo.root, "README.md");

/** `name` itself stands in each, so that a denial tells whose it was. */
function unwantedOf(name: string, text: string) {
  const [, tools = ""] = /^allowed-tools: (.+)$/m.exec(text) ?? [];
  const has = (tool: string): boolean => tools.split(", ").includes(tool);
  const file = path.join(repo.root, `${name}.txt`);
  const bash = (command: string) => ({ name: "Bash", input: { command, description: "a step" } });
  return [
    ...(has("Bash")
      ? []
      : [bash(`touch ${name}`), bash(`git push origin ${name}`), bash(`make ${name}`)]),
    ...(has("Write") ? [] : [{ name: "Write", input: { file_path: file, content: "x" } }]),
    ...(has("Edit")
      ? []
      : [
          {
            name: "Edit",
            input: {
              file_path: readme(),
              old_string: "hello",
              new_string: name,
              replace_all: false,
            },
          },
        ]),
    { name: "WebFetch", input: { url: `https://example.invalid/${name}`, prompt: "read it" } },
  ];
}

test("every command may run each line that its text names without being asked, and nothing beside its tools", async () => {
  const asked = [...shipped].map(([name, { text }]) => {
    const isFree = /^allowed-tools: .*Bash(?:,|$)/m.test(text);
    // What changes the tree is not run here, and what is the project's own could be anything.
    const wanted = isFree ? [`make ${name}`] : linesIn(text);
    return { name, wanted, unwanted: unwantedOf(name, text) };
  });
  // The CLI edits only what it has read.
  const reads = { toolUse: { name: "Read", input: { file_path: readme() } } };
  const turns = asked.flatMap(({ wanted, unwanted }) => [
    reads,
    ...wanted.map((command) => ({
      toolUse: { name: "Bash", input: { command, description: "a step" } },
    })),
    ...unwanted.map((toolUse) => ({ toolUse })),
    { text: "done" },
  ]);

  const { results } = await converse(
    { turns },
    asked.map(({ name }) => `/${name}`),
  );

  const denied = results.map(({ permission_denials: denials = [] }) =>
    denials.map(({ tool_input: input }) => JSON.stringify(input)),
  );
  expect(asked.flatMap(({ wanted }) => wanted).length).toBeGreaterThan(50);
  for (const [index, { name, unwanted }] of asked.entries())
    expect({ name, denied: denied[index] }).toEqual({
      name,
      denied: unwanted.map(({ input }) => JSON.stringify(input)),
    });
  expect(await repo.read("README.md")).toBe("hello\n");
});
