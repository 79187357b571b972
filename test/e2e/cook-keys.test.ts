/** Every key of the playbook language does what docs say, through the real program (spec 2). */
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

describe("header keys (spec 2.1)", () => {
  test("name, description, max_iterations, env, defaults, claude", async () => {
    const { cook, repo, events, claude, history } = await open();

    const { code, stdout } = await cook(`
name: my playbook
description: what it is for
max_iterations: 2
env: {WHO: team, BOTH: header}
defaults:
  env: {FROM_DEFAULTS: "yes", BOTH: defaults}
  commit_message: "by default"
claude: {model: haiku, permission_mode: acceptEdits, allowed_tools: [Edit, "Bash(git *)"]}
steps:
  - shell: 'echo "$WHO $BOTH $FROM_DEFAULTS $ITERATION" >> seen.txt'
  - shell: 'echo "$BOTH" >> seen.txt'
    env: {BOTH: step}
    commit_message: "by the step"
  - claude: "look around"
`);

    expect(code).toBe(0);
    expect(stdout).toContain("what it is for");
    expect(await repo.read("seen.txt")).toBe(
      "team defaults yes 1\nstep\nteam defaults yes 2\nstep\n",
    );
    expect(await history()).toEqual([
      "first",
      "by default",
      "by the step",
      "by default",
      "by the step",
    ]);
    expect(
      await repo.git("log", "-1", "--format=%(trailers:key=Mmm-Playbook,valueonly)"),
    ).toContain("my playbook");
    expect(events()[0]).toMatchObject({
      name: "my playbook",
      maxIterations: 2,
      boundFrom: "playbook",
    });
    const argv = (await claude.calls())[0]?.argv.join(" ");
    expect(argv).toContain("--model=haiku");
    expect(argv).toContain("--permission-mode=acceptEdits");
    expect(argv).toContain("--allowedTools=Edit --allowedTools=Bash(git *)");
    expect(argv).not.toContain("--dangerously-skip-permissions");
  });

  test("commit: off makes no commits and undoes nothing", async () => {
    const { cook, repo, history } = await open();

    const { code } = await cook(`{commit: off, steps: [{shell: "echo x > a.txt; false"}]}`);

    expect(code).toBe(1);
    expect(await repo.read("a.txt")).toBe("x\n");
    expect(await history()).toEqual(["first"]);
  });

  test("commands: with a text, and a name with args", async () => {
    const { cook, prompts } = await open([
      { times: 1 },
      { prompt: "/say it", writes: { "a.txt": "x" } },
    ]);

    const { code } = await cook(
      `{commands: [{name: say, args: ["$ARG", two], commit_required: false}, "say it"]}`,
      ["--args", "one and a half"],
    );

    expect(code).toBe(0);
    expect(await prompts()).toEqual(["/say one and a half two", "/say it"]);
  });
});

describe("keys of every step (spec 2.2)", () => {
  test("id, env, working_dir, outputs, capture_output, name, stdin", async () => {
    const { cook, repo, prompts } = await open(undefined, {
      "README.md": "x",
      "sub/dir/here.txt": "x",
    });

    const { code } = await cook(
      `
- id: where
  name: a label of my own
  shell: 'basename "$PWD"; echo "$MODE" > made-plan.md; echo noise >&2'
  working_dir: sub/dir
  env: {MODE: "fast \${PLAYBOOK}"}
  outputs:
    place: {capture: text}
    plan: {file_pattern: "*-plan.md"}
    loud: {capture: lines, from: stderr}
- shell: {run: "tr a-z A-Z", stdin: "\${where.place} it is"}
  capture_output: true
- claude: "got \${where.place} \${plan} \${loud} \${where.output} \${CAPTURED_OUTPUT}"
`,
      ["-n", "1"],
    );

    expect(code).toBe(0);
    expect(await repo.read("sub/dir/made-plan.md")).toBe("fast pb.yml\n");
    expect(await prompts()).toEqual(["got dir sub/dir/made-plan.md noise dir\nnoise\n DIR IT IS"]);
    expect(await repo.git("log", "--format=%s", "-1")).toBe("a label of my own");
  });

  test("F03: timeout ends the attempt in time", async () => {
    const { cook, events } = await open();

    const { code, stdout, stderr } = await cook(`[{shell: "sleep 60", timeout: 300ms}]`);

    expect(code).toBe(1);
    expect(stdout + stderr).toContain("timed out after 0.3s");
    const [end] = events().filter(({ type }) => type === "attempt-finished");
    expect(end).toMatchObject({ end: { kind: "timed-out", afterMs: 300 } });
  });

  test("on_failure in all its forms, on_exit_code, on_success, continue_on_error", async () => {
    const { cook, repo, events, prompts } = await open([
      { prompt: "mend it", writes: { "mended.txt": "x" } },
      { times: "always" },
    ]);

    const { code } = await cook(
      `
- shell: test -e mended.txt || { echo sad; exit 5; }
  on_failure: {claude: "mend it: \${shell.output}", max_attempts: 2}
- shell: test -e two.txt
  on_failure: [{shell: "echo a >> trace"}, {shell: "touch two.txt"}]
- shell: exit 7
  on_exit_code: {7: {do: {shell: "echo seven >> trace"}, max_attempts: 1, fail_workflow: false}}
  on_failure: {shell: "echo never >> trace"}
- shell: "echo hi"
  on_success: {shell: "echo success >> trace"}
- shell: exit 8
  continue_on_error: true
- shell: exit 9
  on_failure: {fail_workflow: false}
`,
      ["-n", "1"],
    );

    expect(code).toBe(0);
    expect(await repo.read("trace")).toBe("a\nseven\nsuccess\n");
    expect(await prompts()).toEqual(["mend it: sad"]);
    const ends = events().flatMap((event) =>
      event.type === "step-finished" && event.at.depth === 0
        ? [`${event.at.step} ${event.conclusion} ${event.attempts}`]
        : [],
    );
    expect(ends).toEqual([
      "1 succeeded 2",
      "2 succeeded 2",
      "3 tolerated 1",
      "4 succeeded 1",
      "5 tolerated 1",
      "6 tolerated 1",
    ]);
  });

  test("F15: commit_required names the step that made none; fail_workflow: true fails the run", async () => {
    const { cook } = await open();

    const missing = await cook(`[{shell: "true", name: lazy, commit_required: true}]`);
    const fails = await cook(`[{shell: "exit 3", on_failure: {fail_workflow: true}}]`);

    expect(missing.code).toBe(1);
    expect(missing.stdout + missing.stderr).toContain('no commit was made by "lazy"');
    expect(fails.code).toBe(1);
  });

  test("commit_message with values, auto_commit off and all", async () => {
    const { cook, repo, history } = await open();

    const { code } = await cook(`
- {shell: "echo x > a.txt", commit_message: "pass \${ITERATION}"}
- {shell: "echo x > b.txt", auto_commit: off}
- {shell: "echo x > c.txt", auto_commit: false}
- {shell: "echo x > secret.pem", auto_commit: all, commit_message: "all of it"}
`);
    const blocked = await cook(`[{shell: "echo y > other.pem"}]`);

    expect(code).toBe(0);
    expect(await history()).toEqual(["first", "pass 1", "all of it"]);
    expect((await repo.git("ls-files")).split("\n")).toEqual(
      expect.arrayContaining(["b.txt", "c.txt", "secret.pem"]),
    );
    expect(blocked.code).toBe(1);
    expect(blocked.stdout + blocked.stderr).toContain("other.pem");
  });

  test("analyze and analysis refresh the context, and --skip-analysis leaves it out", async () => {
    const { cook, repo } = await open();
    const playbook = `
- shell: 'echo "before $MMM_CONTEXT_AVAILABLE" >> trace'
- analyze: {max_cache_age: 0, format: json}
  id: a
- shell: 'test -s "$MMM_CONTEXT_DIR/project.json" && echo "after $MMM_CONTEXT_AVAILABLE" >> trace'
  continue_on_error: true
- {shell: "printf %s \${a.output} > analysis.json"}
- {shell: 'echo x >> trace', analysis: {force_refresh: true}}
`;

    const skipped = await cook(playbook, ["--skip-analysis"]);
    const skippedTrace = await repo.read("trace");
    await repo.git("rm", "-q", "trace");
    await repo.commitAll("clear");
    const done = await cook(playbook);

    expect(skipped.code).toBe(0);
    expect(skippedTrace).toBe("before false\nx\n");
    expect(done.code).toBe(0);
    expect(await repo.read("trace")).toBe("before false\nafter true\nx\n");
    expect(JSON.parse(await repo.read("analysis.json"))).toEqual(expect.any(Object));
  });

  test("analysis: alone makes the context before the step runs", async () => {
    const { cook, repo } = await open();

    const { code } = await cook(
      `[{shell: 'test -s "$MMM_CONTEXT_DIR/summary.md" && cp "$MMM_CONTEXT_DIR/summary.md" copy.md', analysis: true}]`,
    );

    expect(code).toBe(0);
    expect(await repo.read("copy.md")).not.toBe("");
  });
});

describe("keys of a Claude step (spec 2.1, 6.1)", () => {
  test("prompt, model, max_turns, permission_mode, the tools and the system prompt reach the CLI", async () => {
    const { cook, claude } = await open();

    const { code } = await cook(
      `
- claude:
    prompt: "do this"
    model: sonnet
    max_turns: 7
    permission_mode: plan
    allowed_tools: [Read]
    disallowed_tools: [WebFetch]
    append_system_prompt: "be brief"
- claude: "do that"
`,
      ["-n", "1"],
    );

    expect(code).toBe(0);
    const [first, second] = await claude.calls();
    expect(first?.prompt).toBe("do this");
    expect(first?.argv).toEqual(
      expect.arrayContaining([
        "--print",
        "--output-format",
        "stream-json",
        "--verbose",
        "--model=sonnet",
        "--max-turns=7",
        "--permission-mode=plan",
        "--allowedTools=Read",
        "--disallowedTools=WebFetch",
        "--append-system-prompt=be brief",
      ]),
    );
    expect(first?.argv).not.toContain("--dangerously-skip-permissions");
    expect(second?.argv).toContain("--dangerously-skip-permissions");
    expect(second?.argv.join(" ")).not.toContain("--model");
  });

  test("F02: top-level steps and handlers call Claude the same way, F01: with a closed input", async () => {
    const { cook, claude } = await open();

    const { code } = await cook(
      `
- claude: "one"
- shell: 'test -e x || { touch x; exit 1; }'
  on_failure: {claude: "one"}
  on_success: {claude: "one"}
`,
      ["-n", "1"],
    );

    expect(code).toBe(0);
    const calls = await claude.calls();
    expect(calls).toHaveLength(3);
    for (const call of calls) {
      expect(call.argv).toEqual(calls[0]?.argv);
      expect(call.stdin).toBe("");
      expect(path.basename(call.cwd)).toBe("repo");
    }
  });

  test("F40: outputs, spec and variables reach the next prompts, and nothing to do ends it early", async () => {
    const { cook, prompts } = await open([
      { prompt: "review", writes: { "specs/one.md": "a spec" }, text: "found it" },
      { prompt: "implement", writes: { "done.txt": "x" }, commit: "implement one" },
      { prompt: "review", text: "all is well" },
    ]);

    const { code, stdout } = await cook(`
- {claude: "review", id: review}
- {claude: "implement \${review.spec} as \${review.output} in pass $ITERATION/\${MAX_ITERATIONS}"}
`);

    expect(code).toBe(0);
    expect(await prompts()).toEqual([
      "review",
      "implement specs/one.md as found it in pass 1/10",
      "review",
    ]);
    expect(stdout).toContain("Iterations: 2/10");
    expect(stdout).toContain("Reason: No more issues found");
  });

  test("what a command's own file says of commits and specs counts (spec 9.2)", async () => {
    const { cook, repo, prompts } = await open([
      { prompt: "/team-review", writes: { "specs/x.md": "1" } },
      { times: "always" },
    ]);
    await repo.write(
      ".claude/commands/team-build.md",
      "---\ndescription: build\nmmm: {commit: required, consumes: spec}\n---\nbuild it\n",
    );
    await repo.write(".claude/commands/team-review.md", "review it\n");

    const { code, stdout, stderr } = await cook(
      `[{claude: "/team-review"}, {claude: "/team-build"}]`,
      ["-n", "1"],
    );

    expect(await prompts()).toEqual(["/team-review", "/team-build specs/x.md"]);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('no commit was made by "/team-build"');
  });
});

describe("condition (spec 2.5)", () => {
  test("true runs the step, false skips it without a word to Claude, in handlers too", async () => {
    const { cook, events, prompts, repo } = await open([
      { prompt: "improve it", writes: { "b.txt": "x" } },
    ]);

    const { code, stdout, stderr } = await cook(`
max_iterations: 1
steps:
  - id: health
    shell: 'echo "{\\"health_score\\": 75}"'
    outputs: {health_score: {capture: json, path: "$.health_score"}}
  - claude: "improve it"
    condition: "\${health_score} < 80"
  - claude: "never"
    condition: "\${{ health.health_score }} >= 80"
  - shell: 'test -f c.txt'
    on_failure:
      - {shell: 'echo x > c.txt', condition: error.exit_code == 1}
      - {shell: 'echo x > d.txt', condition: error.exit_code == 2}
`);

    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(await prompts()).toEqual(["improve it"]);
    expect(stdout).toContain("condition is false: ${{ health.health_score }} >= 80");
    expect((await repo.git("ls-files")).split("\n")).toEqual(["README.md", "b.txt", "c.txt"]);
    const skipped = events().filter(
      (event) => event.type === "step-finished" && event.conclusion === "skipped",
    );
    expect(skipped).toMatchObject([{ at: { step: "3" } }, { at: { step: "4.on_failure.2" } }]);
  });

  test("one that cannot be answered fails its step, with its place and what was asked", async () => {
    const { cook, repo } = await open();

    const { code, stderr } = await cook(`
steps:
  - {id: say, shell: "echo hello"}
  - shell: "echo x > never.txt"
    condition: fromJSON(say.output).ok
`);

    expect(code).toBe(1);
    expect(stderr).toContain(`fromJSON was given no JSON: "hello"`);
    expect(stderr).toMatch(/at: +\S+:4/);
    expect(await repo.git("ls-files")).toBe("README.md");
  });

  test("a wrong one is found before anything runs", async () => {
    const { cook, repo } = await open();

    const { code, stderr } = await cook(`
steps:
  - {id: say, shell: "echo x > a.txt"}
  - {shell: "true", condition: "sya.output == 'x'"}
`);

    expect(code).toBe(2);
    expect(stderr).toContain("4:33 unknown-reference sya.output");
    expect(stderr).toContain("did you mean `say`?");
    expect(await repo.git("status", "--porcelain")).not.toContain("a.txt");
  });
});
