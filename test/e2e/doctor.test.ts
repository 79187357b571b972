/** `mmm doctor`: what is missing, and the way out, before anything is paid for (spec 1). */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Check } from "../../src/app/doctor.ts";
import { fakeClaude, type FakeClaude } from "../support/fake-claude.ts";
import { runCli } from "../support/run-cli.ts";
import { makeRepo, type TempRepo } from "../support/temp-repo.ts";

let repo: TempRepo;
let claude: FakeClaude;

beforeEach(async () => {
  repo = await makeRepo();
  claude = await fakeClaude({});
});
afterEach(async () => {
  await claude.dispose();
  await repo.dispose();
});

/** As root only with IS_SANDBOX the CLI's usual flag works. */
const usual = () => ({
  MMM_CLAUDE_BIN: claude.bin,
  IS_SANDBOX: "1",
  ANTHROPIC_API_KEY: "sk-ant-x",
});

async function ask(env: Readonly<Record<string, string | undefined>> = {}, cwd = repo.root) {
  const all = { ...repo.env, ...usual(), ...env };
  const { code, stdout } = await runCli(["doctor", "--json"], { cwd, env: all });
  const { checks, ...rest } = JSON.parse(stdout) as {
    readonly v: number;
    readonly ok: boolean;
    readonly checks: readonly Check[];
  };
  const line = (name: string) => checks.find((each) => each.name === name);
  return { code, ...rest, checks, line, stdout };
}

test("where all is there it says what it found, ends with 0 and starts nothing", async () => {
  await runCli(["init"], { cwd: repo.root, env: { ...repo.env, ...usual() } });

  const { code, ok, v, checks, stdout } = await ask();

  expect(checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "node ok",
    "git ok",
    "repository ok",
    "identity ok",
    "tree ok",
    "config ok",
    "claude ok",
    "permissions ok",
    "login ok",
    "commands ok",
  ]);
  expect({ code, ok, v }).toEqual({ code: 0, ok: true, v: 1 });
  expect(stdout).not.toContain("sk-ant-x");
  expect(await claude.calls()).toEqual([]);
});

test("for people each line has its status, and the way out below it", async () => {
  const { code, stdout } = await runCli(["doctor"], {
    cwd: repo.root,
    env: { ...repo.env, ...usual(), MMM_CLAUDE_BIN: "/nowhere/claude" },
  });

  expect(code).toBe(3);
  expect(stdout).toMatch(/^ok {7}node {9}\d+\.\d+/m);
  expect(stdout).toMatch(
    /^problem {2}claude {7}\/nowhere\/claude: there is no such file\n +next: /m,
  );
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("1 problem, 1 warning");
});

test.each<[what: string, env: Record<string, string | undefined>, name: string, message: RegExp]>([
  [
    "no claude",
    { MMM_CLAUDE_BIN: undefined, PATH: "/usr/bin:/bin" },
    "claude",
    /no program claude/,
  ],
  ["no identity", { HOME: "/nonexistent" }, "identity", /does not know who/],
])("%s is a problem with a way out, and exit 3", async (_, env, name, message) => {
  const { code, ok, line } = await ask(env);

  expect({ code, ok }).toEqual({ code: 3, ok: false });
  expect(line(name)).toMatchObject({ status: "problem", message: expect.stringMatching(message) });
  expect(line(name)?.next.length).toBeGreaterThan(0);
});

test("a CLI that is too old is a problem (6.1)", async () => {
  await claude.dispose();
  claude = await fakeClaude({ version: "1.0.128 (Claude Code)" });

  const { code, line } = await ask();

  expect(code).toBe(3);
  expect(line("claude")).toMatchObject({
    status: "problem",
    message: expect.stringContaining("claude 1.0.128"),
  });
});

test("root without IS_SANDBOX is a problem, unless the config says what is allowed (6.1)", async () => {
  const bare = await ask({ IS_SANDBOX: undefined });
  await repo.write(".mmm/config.yml", "claude: { permission_mode: acceptEdits }\n");
  const allowed = await ask({ IS_SANDBOX: undefined });

  const isRoot = process.getuid?.() === 0;
  expect(bare.line("permissions")?.status).toBe(isRoot ? "problem" : "ok");
  expect(allowed.line("permissions")).toMatchObject({
    status: "ok",
    message: "permission_mode acceptEdits",
  });
});

test.each([
  ["a subscription's", ".claude/.credentials.json", '{"claudeAiOauth":{}}'],
  ["a helper's", ".claude/settings.json", '{"apiKeyHelper":"cat key"}'],
  ["an account's", ".claude.json", '{"oauthAccount":{"x":1}}'],
])("%s login is seen, and none is a warning", async (_, file, content) => {
  const none = await ask({ ANTHROPIC_API_KEY: undefined });
  await mkdir(path.dirname(path.join(repo.home, file)), { recursive: true });
  await writeFile(path.join(repo.home, file), content);
  const seen = await ask({ ANTHROPIC_API_KEY: undefined });

  expect(none).toMatchObject({ code: 0, ok: true });
  expect(none.line("login")?.status).toBe("warning");
  expect(seen.line("login")).toMatchObject({
    status: "ok",
    message: expect.stringContaining(file),
  });
});

test("outside of a repository the rest is told all the same", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "mmm-doctor-"));
  try {
    const { code, line } = await ask({ GIT_CEILING_DIRECTORIES: tmpdir() }, folder);

    expect(code).toBe(3);
    expect(line("repository")?.next[0]).toBe("git init");
    expect(line("identity")).toBeUndefined();
    expect(line("claude")?.status).toBe("ok");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a wrong config is a problem with its place", async () => {
  await repo.write(".mmm/config.yml", "claude:\n  modle: opus\n");

  const { code, line } = await ask();

  expect(code).toBe(3);
  expect(line("config")?.message).toContain(".mmm/config.yml:2:3 unknown key `modle`");
  expect(line("claude")).toBeUndefined();
});

test("a dirty tree is a warning, a merge under way a problem", async () => {
  await repo.write("new.txt", "x");
  const dirty = await ask();
  await repo.write(".git/MERGE_HEAD", `${await repo.git("rev-parse", "HEAD")}\n`);
  const merging = await ask();

  expect(dirty.line("tree")).toMatchObject({ status: "warning" });
  expect(dirty.code).toBe(0);
  expect(merging.line("tree")).toMatchObject({ status: "problem" });
});

test("a command of the home that hides the project's, and an mmm block nobody knows, are warnings (6.3, 9.2)", async () => {
  await repo.write(".claude/commands/x.md", "project\n");
  await repo.write(".claude/commands/y.md", "---\nmmm:\n  comit: required\n---\ny\n");
  await mkdir(path.join(repo.home, ".claude/commands"), { recursive: true });
  await writeFile(path.join(repo.home, ".claude/commands/x.md"), "home\n");

  const { code, checks } = await ask();

  const told = checks.filter(({ name }) => name === "commands").map(({ message }) => message);
  expect(code).toBe(0);
  expect(told[0]).toBe("2 found, 0 of the 23 that mmm ships");
  expect(told.some((message) => /^\/x: .*home.* shadows .*repo/.test(message))).toBe(true);
  expect(told.some((message) => message.includes("mmm.comit is not known"))).toBe(true);
});
