/** Options, environment and config of `mmm cook` (spec 1), each seen to do what it says. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { execa } from "execa";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;
const open = async (
  calls?: readonly FakeCall[],
  files?: Readonly<Record<string, string>>,
): Promise<Kitchen> => (kitchen = await openKitchen(calls, files));

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

const SAY_WHERE = `[{shell: 'basename "$PWD" >> "$PROJECT_ROOT/trace"'}]`;

describe("--path", () => {
  test("F17: a subdirectory, from a third place, by ~/ and through a symlink; commits land in its repository", async () => {
    const { repo, mmm, history } = await open(undefined, { "README.md": "x", "sub/a.txt": "x" });
    const elsewhere = path.join(repo.base, "elsewhere");
    await mkdir(elsewhere);
    await writeFile(path.join(elsewhere, "pb.yml"), SAY_WHERE);
    await symlink(repo.root, path.join(repo.home, "link"));

    for (const where of [path.join(repo.root, "sub"), "../repo", "~/link", "~/link/sub"]) {
      const { code, stderr } = await mmm(["cook", "pb.yml", "--path", where], { cwd: elsewhere });
      expect([code, stderr]).toEqual([0, ""]);
    }

    expect(await repo.read("trace")).toBe("sub\nrepo\nrepo\nsub\n");
    expect(await history()).toHaveLength(5);
  });

  test("one that is missing or is a file is exit 2", async () => {
    const { cook } = await open();

    const missing = await cook(SAY_WHERE, ["-p", "nowhere"]);
    const file = await cook(SAY_WHERE, ["-p", "README.md"]);

    expect([missing.code, file.code]).toEqual([2, 2]);
    expect(missing.stderr).toContain("nowhere does not exist");
    expect(file.stderr).toContain("README.md is not a directory");
  });
});

describe("inputs", () => {
  const files = { "specs/65-cook.md": "a", "specs/no-number.md": "b", "specs/old/7.md": "c" };
  const SHOW = `[{shell: 'printf "%s|%s|%s|%s\\n" "$ARG" "\${FILE:-}" "$INDEX" "$TOTAL" >> trace'}]`;

  test("many inputs make no noise: nothing of Node's own on standard error", async () => {
    const { cook } = await open();
    const inputs = Array.from({ length: 12 }, (_, at) => `--args=${at}`);

    const { code, stderr } = await cook('[{shell: "true"}]', inputs);
    const atOnce = await cook('[{shell: "true"}]', [...inputs, "--parallel=3"]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(atOnce.stderr).not.toContain("Warning");
    expect(atOnce.code).toBe(0);
  });

  test("--map (sorted, once, no directories) and then --args; $ARG, $FILE, $INDEX, $TOTAL", async () => {
    const { cook, repo } = await open(undefined, files);

    const { code } = await cook(SHOW, [
      "--map=specs/*",
      "--map=specs/**/*.md",
      "--args=-n free; $(text)",
      "--args=",
    ]);

    expect(code).toBe(0);
    expect((await repo.read("trace")).split("\n")).toEqual([
      "65|specs/65-cook.md|1|5",
      "no-number|specs/no-number.md|2|5",
      "7|specs/old/7.md|3|5",
      "-n free; $(text)||4|5",
      "||5|5",
      "",
    ]);
  });

  test("--map through a symlinked --path names files of the repository", async () => {
    const { cook, repo } = await open(undefined, files);
    await symlink(repo.root, path.join(repo.home, "link"));

    const { code } = await cook(SHOW, ["--path", "~/link", "--map", "specs/65*"]);

    expect(code).toBe(0);
    expect(await repo.read("trace")).toBe("65|specs/65-cook.md|1|1\n");
  });

  test("no match and a file outside are exit 2", async () => {
    const { cook, repo } = await open(undefined, files);
    await writeFile(path.join(repo.base, "out.md"), "x");

    const none = await cook(SHOW, ["--map", "nothing/*.md"]);
    const outside = await cook(SHOW, ["--map", "../out.md"]);

    expect([none.code, outside.code]).toEqual([2, 2]);
    expect(none.stderr).toContain("--map nothing/*.md matches no file");
    expect(outside.stderr).toContain("outside the repository");
  });

  test("a failing input is skipped and listed, exit 1; --fail-fast stops at it", async () => {
    const { cook, repo, history } = await open();
    const playbook = `[{shell: "echo x > $ARG.txt"}, {shell: "test $ARG != b"}, {shell: "echo y >> $ARG.txt"}]`;

    const all = await cook(playbook, ["--args", "a", "--args", "b", "--args", "c"]);
    const fast = await cook(playbook, ["--fail-fast", "--args", "b", "--args", "d"]);

    expect([all.code, fast.code]).toEqual([1, 1]);
    expect(all.stdout + all.stderr).toMatch(/\bb\b.*the command ended with exit code 1/);
    expect(await repo.read("c.txt")).toBe("x\ny\n");
    await expect(repo.read("b.txt")).rejects.toThrow();
    await expect(repo.read("d.txt")).rejects.toThrow();
    expect(await history()).toHaveLength(5);
  });
});

describe("the bound and the model", () => {
  test("-n beats the playbook, and the first line says the bound", async () => {
    const { cook, repo } = await open();

    const { code, stdout } = await cook(
      `{max_iterations: 9, steps: [{shell: "echo $ITERATION of $MAX_ITERATIONS >> trace"}]}`,
      ["-n", "2"],
    );

    expect(code).toBe(0);
    expect(await repo.read("trace")).toBe("1 of 2\n2 of 2\n");
    expect(stdout.split("\n")[0]).toContain("2 iterations");
  });

  test("--model beats MMM_MODEL, which beats the repository's config, which beats the user's", async () => {
    const { cook, repo, claude } = await open();
    const userHome = path.join(repo.base, "mmm-home");
    await mkdir(userHome);
    await writeFile(
      path.join(userHome, "config.yml"),
      "claude: {model: of-user, allowed_tools: [Read]}",
    );
    const step = `[{claude: "go"}]`;
    const env = { MMM_HOME: userHome };

    await cook(step, ["-n", "1"], { env });
    await repo.write(".mmm/config.yml", "claude: {model: of-repository, permission_mode: plan}");
    await cook(step, ["-n", "1"], { env });
    await cook(step, ["-n", "1"], { env: { ...env, MMM_MODEL: "of-environment" } });
    await cook(step, ["-n", "1", "--model", "of-option"], { env: { ...env, MMM_MODEL: "x" } });

    const argvs = (await claude.calls()).map(({ argv }) => argv);
    expect(argvs.map((argv) => argv.find((arg) => arg.startsWith("--model=")))).toEqual([
      "--model=of-user",
      "--model=of-repository",
      "--model=of-environment",
      "--model=of-option",
    ]);
    for (const argv of argvs) expect(argv).toContain("--allowedTools=Read");
    expect(argvs[1]).toContain("--permission-mode=plan");
  });

  test("claude.bin of the config, MMM_CLAUDE_BIN over it, and strict_permissions", async () => {
    const denied = [{ tool_name: "Bash", tool_use_id: "t", tool_input: {} }];
    const { cook, repo, claude } = await open([
      { times: 3, do: [{ init: {} }, { result: { permission_denials: denied } }] },
    ]);
    const step = `[{claude: "go"}]`;
    await repo.write(".mmm/config.yml", `claude: {bin: ${claude.bin}}`);

    const byConfig = await cook(step, ["-n", "1"], { env: { MMM_CLAUDE_BIN: undefined } });
    await repo.write(".mmm/config.yml", `claude: {bin: /no/such/claude, strict_permissions: true}`);
    const strict = await cook(step, ["-n", "1"]);
    const missing = await cook(step, ["-n", "1"], { env: { MMM_CLAUDE_BIN: undefined } });

    expect([byConfig.code, strict.code, missing.code]).toEqual([0, 1, 3]);
    expect(missing.stderr).toContain("/no/such/claude");
  });

  test.each([
    { config: "claude: {modle: x}", says: ":1:10 unknown key `modle`" },
    { config: "clod: {model: x}", says: ":1:1 unknown key `clod`" },
    { config: "claude: {model: 7}", says: ":1:17 `claude.model` must be a text" },
    {
      config: "claude:\n  strict_permissions: maybe",
      says: ":2:23 `claude.strict_permissions` must be true or false",
    },
    { config: "claude: {bin: x, bin: y}", says: ":1:18 " },
    { config: "claude: {model: x}\n---\na: 1", says: ":2:1 a config is one YAML document" },
    { config: "defaults: {}", says: ":1:1 `defaults` is not supported" },
    {
      config: "limits: {cost_usd: free}",
      says: ":1:20 `limits.cost_usd` must be a number of US dollars above 0",
    },
    { config: "limits: {token: 1}", says: ":1:10 unknown key `token`" },
    {
      config: "project: {test: [npm, test]}",
      says: ":1:17 `project.test` must be a text, not a list",
    },
    { config: "claude: [", says: ":1:" },
  ])("a config with `$config` is exit 2 with its place", async ({ config, says }) => {
    const { cook, repo } = await open();
    await repo.write(".mmm/config.yml", config);

    const { code, stderr } = await cook(`[{shell: "true"}]`);

    expect(code).toBe(2);
    expect(stderr).toContain(`config.yml${says.startsWith(":") ? says : ""}`);
    expect(stderr).toContain(says);
  });

  test("all wrong keys are told at once, those of the user's file too", async () => {
    const { cook, repo } = await open();
    const userHome = path.join(repo.home, ".mmm");
    await mkdir(userHome);
    await writeFile(path.join(userHome, "config.yml"), "claud: {}\n");
    await repo.write(".mmm/config.yml", "defaults: {}\nclaude:\n  modl: x\n  bin: [1]\n");

    const { code, stderr } = await cook("[{shell: 'true'}]");

    expect(code).toBe(2);
    expect(stderr).toContain("4 problems in the config\n");
    for (const place of [
      ":1:1 unknown key `claud`",
      ":1:1 `defaults`",
      ":3:3 unknown",
      ":4:8 `claude.bin`",
    ])
      expect(stderr).toContain(`config.yml${place}`);
  });

  test("a broken playbook shows the plan's problems in the same run (spec 2)", async () => {
    const { cook } = await open();

    const { code, stderr } = await cook("- shel: make\n- claude: 'See ${nobody.output} $FILE'\n", [
      "--map",
      "nothing-is-looked-for",
    ]);

    expect(code).toBe(2);
    expect(stderr).toContain("1:3 unknown-key");
    expect(stderr).toContain("2:16 unknown-reference");
    expect(stderr).toContain("2 problems in pb.yml, nothing was run");
  });
});

describe("git", () => {
  test("--allow-dirty goes on and leaves those files alone, --no-rollback and --no-commit leave all", async () => {
    const { cook, repo, history } = await open();
    await repo.write("mine.txt", "mine");
    const step = `[{shell: "echo x > a.txt"}]`;
    const failing = `[{shell: "echo x > b.txt; false"}]`;

    const refused = await cook(step);
    const allowed = await cook(step, ["--allow-dirty"]);
    const undone = await cook(failing, ["--allow-dirty"]);
    const left = await cook(failing, ["--allow-dirty", "--no-rollback"]);
    await repo.git("clean", "-qf", "b.txt");
    const uncommitted = await cook(`[{shell: "echo x > c.txt"}]`, ["--allow-dirty", "--no-commit"]);

    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/mine\.txt[^]*git stash -u[^]*--allow-dirty/);
    expect([allowed.code, undone.code, left.code, uncommitted.code]).toEqual([0, 1, 1, 0]);
    expect(await repo.read("mine.txt")).toBe("mine");
    expect(undone.stdout + undone.stderr).toContain("git restore --source=refs/mmm/failed/");
    expect(left.stdout + left.stderr).not.toContain("git restore");
    expect(await history()).toHaveLength(2);
    const status = await repo.git("status", "--porcelain");
    expect(status.split("\n").toSorted()).toEqual(["?? c.txt", "?? mine.txt", "?? pb.yml"]);
  });

  test.each([
    ["few names", "echo kept > 'a b.txt'"],
    ["odd names", "echo kept > 'a b.txt'; touch 'n\\new' ':(glob)**' \"$(printf 'line\\nbreak')\""],
  ])(
    "what a failed step left comes back with the line that the summary prints, and nothing else does: %s",
    async (_what, make) => {
      const { cook, repo } = await open();
      await repo.write("gone.txt", "to be deleted\n");
      await repo.commitAll("gone.txt");

      const { stdout, stderr } = await cook(
        `[{shell: ${JSON.stringify(`${make}; echo y >> README.md; rm gone.txt; false`)}}]`,
      );
      const line = /^ *(git .*restore .*)$/m.exec(stdout + stderr)?.[1] ?? "false";
      const before = await repo.git("status", "--porcelain");
      await repo.write("pb.yml", "# edited since\n");
      await execa("sh", ["-c", line], { cwd: repo.root, env: repo.env, extendEnv: false });

      expect(before).toBe("?? pb.yml");
      expect(await repo.read("a b.txt")).toBe("kept\n");
      expect(await repo.read("README.md")).toBe("hello\ny\n");
      await expect(repo.read("gone.txt")).rejects.toThrow();
      expect(await repo.read("pb.yml")).toBe("# edited since\n");
    },
  );

  test.each(["sub", ".."])("the line holds when mmm was started in %s", async (from) => {
    const { mmm, repo } = await open(undefined, { "README.md": "x", "sub/keep": "x" });
    await repo.write("pb.yml", `[{shell: "echo y > top.txt; false"}]`);
    const cwd = path.join(repo.root, from);
    const playbook = path.join(repo.root, "pb.yml");

    const { stdout, stderr } = await mmm(["cook", playbook, "--path", repo.root], { cwd });
    const line = /git .*restore --source=.*/.exec(stdout + stderr)?.[0] ?? "false";
    await execa("sh", ["-c", line], { cwd, env: repo.env, extendEnv: false });

    expect(await repo.read("top.txt")).toBe("y\n");
  });

  test("sessions of several worktrees at once are all counted, each once (spec 7)", async () => {
    const { repo, mmm } = await open();
    const trees = ["a", "b", "c", "d", "e"].map((name) => path.join(repo.base, name));
    for (const tree of trees) {
      await repo.git("worktree", "add", "-q", "--detach", tree);
      await writeFile(
        path.join(tree, "pb.yml"),
        `[{shell: "echo 7", id: s, outputs: {score: {capture: number}}}]`,
      );
    }

    const ran = await Promise.all(trees.map((cwd) => mmm(["cook", "pb.yml"], { cwd })));

    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(JSON.parse(await repo.read(".mmm/state.json"))).toMatchObject({
      total_runs: 5,
      running: [],
      score: 7,
    });
    expect(await repo.git("status", "--porcelain")).toBe("");
  });

  test("F11: a linked worktree is worked in, its state lies in the main repository", async () => {
    const { repo, mmm } = await open();
    const linked = path.join(repo.base, "linked");
    await repo.git("worktree", "add", "-q", "-b", "side", linked);
    await writeFile(path.join(linked, "pb.yml"), `[{shell: "echo x > a.txt"}]`);

    const { code, stderr } = await mmm(["cook", "pb.yml"], { cwd: linked });

    expect([code, stderr]).toEqual([0, ""]);
    expect(await repo.gitIn(linked, "log", "--format=%s", "side", "^main")).toBe("echo x > a.txt");
    expect(JSON.parse(await repo.read(".mmm/state.json"))).toMatchObject({
      total_runs: 1,
      running: [],
    });
  });
});

describe("--record and --replay (spec 6.6)", () => {
  test("a recording stands in for Claude, without any claude, and makes the same commits", async () => {
    const { cook, repo, history } = await open([
      { prompt: "review", writes: { "specs/a.md": "spec" }, text: "found" },
      { prompt: "implement", writes: { "b.txt": "b" }, commit: "implemented" },
    ]);
    const playbook = `[{claude: "review", id: r}, {claude: "implement \${r.spec}: \${r.output}"}]`;

    const recorded = await cook(playbook, ["-n", "1", "--record", "../run.jsonl"]);
    const first = await history();
    await repo.git("reset", "-q", "--hard", ":/first");
    const replayed = await cook(playbook, ["-n", "1", "--replay", "../run.jsonl"], {
      env: { MMM_CLAUDE_BIN: "/no/claude" },
    });

    expect([recorded.code, replayed.code]).toEqual([0, 0]);
    expect(await history()).toEqual(first);
    expect(await repo.read("b.txt")).toBe("b");
  });

  test("--replay reads no command files: a command that is not installed is none of its business", async () => {
    const { cook, repo } = await open([{ writes: { "a.txt": "a" }, text: "done" }]);
    await repo.write(".claude/commands/mmm-own.md", "do it");
    const step = `[{claude: "/mmm-own"}]`;

    const recorded = await cook(step, ["-n", "1", "--record", "../run.jsonl"]);
    await rm(path.join(repo.root, ".claude"), { recursive: true });
    await repo.git("reset", "-q", "--hard", ":/first");
    const replayed = await cook(step, ["-n", "1", "--replay", "../run.jsonl"]);
    const unknown = await cook(step, ["-n", "1"]);

    expect([recorded.code, replayed.code, unknown.code]).toEqual([0, 0, 2]);
    expect(await repo.read("a.txt")).toBe("a");
  });

  test("both at once, a missing recording, and one that is none are exit 2", async () => {
    const { cook, repo } = await open();
    await repo.write("no.jsonl", "nonsense\n");
    await repo.commitAll("files");
    const step = `[{claude: "go"}]`;

    const both = await cook(step, ["--record", "a", "--replay", "b"]);
    const missing = await cook(step, ["--replay", "missing.jsonl"]);
    const none = await cook(step, ["--replay", "no.jsonl"]);

    expect([both.code, missing.code, none.code]).toEqual([2, 2, 2]);
  });

  test("a recording that cannot be put in its place is exit 3, and the tree is free for the next session", async () => {
    const { cook, repo } = await open([{ times: "always" }]);
    const inTheWay = `[{claude: "go"}, {shell: 'mkdir ../run.jsonl'}]`;

    const { code, stderr } = await cook(inTheWay, ["-n", "1", "--record", "../run.jsonl"]);

    expect([code, stderr]).toEqual([3, expect.stringContaining("the recording lies in")]);
    expect(existsSync(path.join(repo.root, ".mmm", "session.lock"))).toBe(false);
  });
});

describe("what people see (spec 10)", () => {
  const playbook = `[{shell: "echo loud; echo x > a.txt"}, {claude: "think"}]`;

  test("--reporter json is one event a line, those of the journal", async () => {
    const { cook, events } = await open();

    const { code, stdout } = await cook(playbook, ["-n", "1", "--reporter", "json"]);

    expect(code).toBe(0);
    const types = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; v: number });
    expect(types.every(({ v }) => v === 1)).toBe(true);
    const journalled = events().map(({ type }) => type);
    expect(
      types.map(({ type }) => type).filter((type) => journalled.includes(type as "note")),
    ).toEqual(journalled);
    expect(types.at(-1)?.type).toBe("session-finished");
  });

  test("-q, the default, -v and -vv say more and more; --no-emoji uses letters", async () => {
    const { cook } = await open();
    const outputs: string[] = [];
    for (const args of [["-q"], [], ["-v"], ["-vv"], ["--no-emoji"]]) {
      const { code, stdout } = await cook(playbook, ["-n", "1", ...args]);
      expect(code).toBe(0);
      outputs.push(stdout);
    }

    const [quiet = "", normal = "", verbose = "", most = "", plain = ""] = outputs;
    expect(quiet.length).toBeLessThan(normal.length);
    expect(quiet).not.toContain("Step 1/2");
    expect(normal).toContain("Step 1/2");
    expect(normal).not.toMatch(/^\s*\S*\s*loud$/m);
    expect(verbose).toMatch(/loud$/m);
    expect(most.length).toBeGreaterThan(verbose.length);
    expect(normal).toMatch(/\p{Extended_Pictographic}/u);
    expect(plain).not.toMatch(/\p{Extended_Pictographic}/u);
  });

  test("-v may stand before cook as well, and -y is taken", async () => {
    const { repo, mmm } = await open();
    await repo.write("pb.yml", playbook);

    const { code, stdout } = await mmm(["-v", "cook", "-n", "1", "-y", "pb.yml"]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/loud$/m);
  });

  test("F09, F10: a failure shows step, place, command, code, the last lines and a log that is there", async () => {
    const { cook } = await open();

    const { code, stdout, stderr } = await cook(
      `- shell: "true"\n- shell: |\n    seq 1 50\n    echo sorry >&2; exit 42\n  name: count`,
    );

    const said = stdout + stderr;
    expect(code).toBe(1);
    for (const part of ["Step 2/2", "count", "pb.yml:2", "seq 1 50", "42", "sorry"])
      expect(said).toContain(part);
    expect(said).toMatch(/^\s*│ 50$/m);
    expect(said).not.toMatch(/^\s*│ 31$/m);
    const log = /log:\s+(\S+)/.exec(said)?.[1] ?? "";
    expect((await readFile(log, "utf8")).split("\n")).toHaveLength(52);
  });
});
