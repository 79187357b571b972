import { expect, test } from "vitest";
import { claudeCommandLine, refuseRoot } from "../../src/claude/command-line.ts";
import { MmmError } from "../../src/errors.ts";

const start = ["--print", "--output-format", "stream-json", "--verbose"];

test("F01: without options claude is headless, skips permissions and gets the text last (6.1)", () => {
  expect(claudeCommandLine("/mmm-lint --fix", {})).toEqual({
    args: [...start, "--dangerously-skip-permissions", "--", "/mmm-lint --fix"],
    stdin: null,
  });
});

test("F02: every option has its place in the argument list (6.1)", () => {
  const line = claudeCommandLine("-p", {
    model: "claude-x",
    maxTurns: 3,
    permissionMode: "acceptEdits",
    allowedTools: ["Bash(git *)", "Write"],
    disallowedTools: ["WebFetch"],
    appendSystemPrompt: "-be brief",
  });

  expect(line.args).toEqual([
    ...start,
    "--permission-mode=acceptEdits",
    "--allowedTools=Bash(git *)",
    "--allowedTools=Write",
    "--disallowedTools=WebFetch",
    "--model=claude-x",
    "--max-turns=3",
    "--append-system-prompt=-be brief",
    "--",
    "-p",
  ]);
});

test.each([
  [{ permissionMode: "plan" }, ["--permission-mode=plan"]],
  [{ allowedTools: ["Edit"] }, ["--allowedTools=Edit"]],
  [{ allowedTools: [] }, []],
])("%j replaces the flag that skips permissions (6.1)", (options, flags) => {
  expect(claudeCommandLine("x", options).args).toEqual([...start, ...flags, "--", "x"]);
});

test("a text over 100 KB goes through standard input and not through an argument (6.1)", () => {
  const short = "é".repeat(50_000);
  const long = `${short}!`;

  expect(claudeCommandLine(short, {}).stdin).toBeNull();
  const line = claudeCommandLine(long, {});
  expect(line.stdin).toBe(long);
  expect(line.args).toEqual([...start, "--dangerously-skip-permissions"]);
});

const root = { uid: 0, sandbox: undefined };

test("root with the skip flag is refused before the first call, with the ways out (6.1)", () => {
  expect.assertions(3);
  try {
    refuseRoot({}, root);
  } catch (error) {
    expect(error).toBeInstanceOf(MmmError);
    expect(error).toMatchObject({ code: "claude-root", exitCode: 3 });
    expect((error as MmmError).next.join("\n")).toMatch(
      /another user[^]*acceptEdits[^]*IS_SANDBOX=1/,
    );
  }
});

test("bypassPermissions is the same to root as the flag (6.1)", () => {
  expect(() => refuseRoot({ permissionMode: "bypassPermissions" }, root)).toThrow(MmmError);
});

test.each([
  ["another user", {}, { uid: 1000, sandbox: undefined }],
  ["a system without user ids", {}, { uid: null, sandbox: undefined }],
  ["root in a sandbox", {}, { uid: 0, sandbox: "1" }],
  ["root with acceptEdits", { permissionMode: "acceptEdits" }, root],
  ["root with a list of tools", { allowedTools: ["Bash"] }, root],
])("%s may go on (6.1)", (_, options, who) => {
  expect(() => refuseRoot(options, who)).not.toThrow();
});

test("IS_SANDBOX=0 is not a sandbox (6.1)", () => {
  expect(() => refuseRoot({}, { uid: 0, sandbox: "0" })).toThrow(MmmError);
});
