import { describe, expect, test } from "vitest";
import type { ClaudeStep, Playbook, ShellStep, Step } from "../../src/playbook/model.ts";
import { renderDiagnostics } from "../../src/playbook/print.ts";
import { readPlaybook, withoutText } from "../../src/playbook/read.ts";

function read(text: string, file = "playbooks/improve.yml"): Playbook {
  const { playbook, diagnostics, source } = readPlaybook(file, text);
  if (playbook === null) throw new Error(renderDiagnostics(source, diagnostics));
  return playbook;
}

function steps(text: string): readonly Step[] {
  return read(text).steps;
}

function claude(step: Step | undefined): ClaudeStep {
  if (step?.kind !== "claude") throw new Error("not a claude step");
  return step;
}

function shell(step: Step | undefined): ShellStep {
  if (step?.kind !== "shell") throw new Error("not a shell step");
  return step;
}

function codes(text: string): readonly string[] {
  return readPlaybook("x.yml", text).diagnostics.map(({ severity, code }) => `${severity} ${code}`);
}

describe("the forms of the original's README", () => {
  test("a list of steps with outputs, references and a repair loop", () => {
    const [coverage, write, run] = steps(`
- claude: "/mmm-analyze-coverage"
  id: coverage
  outputs:
    spec:
      file_pattern: "specs/*-coverage.md"
- claude: "/mmm-write-tests \${coverage.spec}"
  commit_required: true
- shell: "cargo test"
  on_failure:
    claude: "/mmm-fix-test \${shell.output}"
    max_attempts: 3
    fail_workflow: false
`);

    expect(coverage).toMatchObject({
      kind: "claude",
      form: "claude",
      id: "coverage",
      label: "/mmm-analyze-coverage",
      prompt: { value: "/mmm-analyze-coverage" },
      commitRequired: null,
      outputs: [
        { name: "spec", rule: { kind: "file", pattern: "specs/*-coverage.md", all: false } },
      ],
    });
    expect(write).toMatchObject({
      prompt: { value: "/mmm-write-tests ${coverage.spec}" },
      commitRequired: true,
    });
    expect(run).toMatchObject({
      kind: "shell",
      run: { value: "cargo test" },
      stdin: null,
      onFailure: { maxAttempts: 3, failWorkflow: false },
    });
    expect(run?.onFailure?.steps).toHaveLength(1);
    expect(run?.onFailure?.steps[0]).toMatchObject({
      kind: "claude",
      prompt: { value: "/mmm-fix-test ${shell.output}" },
    });
  });

  test("`commands:` with texts and {name, args}", () => {
    const playbook = read(`
commands:
  - mmm-code-review
  - /mmm-security-audit --deep
  - name: mmm-implement-spec
    args: ["$ARG", 3, true, 1.50]
  - name: mmm-lint
    commit_required: false
`);

    const [review, audit, implement, lint] = playbook.steps.map(claude);
    expect(playbook.name).toBe("improve");
    expect(review).toMatchObject({
      form: "string",
      prompt: { value: "/mmm-code-review" },
      label: "mmm-code-review",
    });
    expect(audit).toMatchObject({
      form: "string",
      prompt: { value: "/mmm-security-audit --deep" },
    });
    expect(implement?.form).toBe("name");
    expect(implement?.args.map(({ value }) => value)).toEqual(["$ARG", "3", "true", "1.50"]);
    expect(implement?.label).toBe("mmm-implement-spec $ARG 3 true 1.50");
    expect(lint).toMatchObject({ prompt: { value: "/mmm-lint" }, args: [], commitRequired: false });
  });

  test("`on_failure` with `fail_workflow` alone repeats nothing", () => {
    const [step] = steps('- shell: "cargo audit"\n  on_failure:\n    fail_workflow: true\n');

    expect(step?.onFailure).toMatchObject({ steps: [], maxAttempts: 1, failWorkflow: true });
  });

  test("`capture_output: true`, a name for it, and no note about either", () => {
    const text =
      "- shell: cargo bench\n  id: bench_results\n  capture_output: true\n- shell: x\n  capture_output: log\n";
    const [bench, named] = steps(text);

    expect(bench).toMatchObject({ id: "bench_results", captureOutput: true, outputs: [] });
    expect(named).toMatchObject({
      captureOutput: true,
      outputs: [{ name: "log", rule: { kind: "capture", capture: "text", from: "stdout" } }],
    });
    expect(codes(text)).toEqual([]);
  });

  test("`analysis` beside a step, and `analyze` steps", () => {
    const [coverage, analyze, bare] = steps(`
- claude: /mmm-coverage
  analysis: {force_refresh: true, max_cache_age: 600}
- analyze: {max_cache_age: 10m, save: false, format: json}
- analyze:
`);

    expect(coverage?.analysis).toEqual({
      maxCacheAgeMs: 600_000,
      forceRefresh: true,
      save: true,
      format: "summary",
    });
    expect(analyze).toMatchObject({
      kind: "analyze",
      label: "analyze",
      options: { maxCacheAgeMs: 600_000, forceRefresh: false, save: false, format: "json" },
    });
    expect(bare).toMatchObject({ options: { maxCacheAgeMs: 300_000, save: true } });
  });
});

describe("the header (spec 2.1)", () => {
  test("every key of it", () => {
    const playbook = read(`
name: improve all
description: a round of care
max_iterations: 5
commit: off
env: {CI: true, LEVEL: 3, RATE: 1e3, EMPTY: }
claude: {model: opus, max_turns: 30, permission_mode: acceptEdits, allowed_tools: Bash, disallowed_tools: [Web], append_system_prompt: be brief}
steps: [mmm-lint]
`);

    expect(playbook).toMatchObject({
      name: "improve all",
      description: "a round of care",
      maxIterations: 5,
      commit: "off",
      claude: {
        model: "opus",
        maxTurns: 30,
        permissionMode: "acceptEdits",
        allowedTools: ["Bash"],
        disallowedTools: ["Web"],
        appendSystemPrompt: "be brief",
      },
    });
    expect(playbook.env.map(({ name, value }) => [name, value.value])).toEqual([
      ["CI", "true"],
      ["LEVEL", "3"],
      ["RATE", "1e3"],
      ["EMPTY", ""],
    ]);
  });

  test("a bare list has the defaults", () => {
    expect(read("- mmm-lint\n", "/a/b/Nightly.YAML")).toMatchObject({
      name: "Nightly",
      description: null,
      maxIterations: null,
      commit: "auto",
      env: [],
      claude: {},
    });
  });

  test("`defaults` go to every step outside handlers, its own keys win, `env` is merged by name", () => {
    const [text, own] = steps(`
defaults:
  timeout: 1m
  continue_on_error: true
  env: {A: default, B: default}
  on_failure: {shell: default repair}
steps:
  - mmm-lint
  - shell: npm test
    timeout: 2m
    continue_on_error: false
    env: {B: own}
    on_failure:
      shell: own repair
`);

    expect(text).toMatchObject({ timeoutMs: 60_000, continueOnError: true });
    expect(text?.env.map(({ name, value }) => [name, value.value])).toEqual([
      ["A", "default"],
      ["B", "default"],
    ]);
    expect(text?.onFailure?.steps[0]).toMatchObject({
      run: { value: "default repair" },
      timeoutMs: null,
      env: [],
    });
    expect(own).toMatchObject({ timeoutMs: 120_000, continueOnError: false });
    expect(own?.env.map(({ name, value }) => [name, value.value])).toEqual([
      ["A", "default"],
      ["B", "own"],
    ]);
    expect(own?.onFailure?.steps).toHaveLength(1);
    expect(own?.onFailure?.steps[0]).toMatchObject({
      run: { value: "own repair" },
      timeoutMs: null,
      onFailure: null,
    });
  });
});

describe("steps (spec 2.1, 2.2)", () => {
  test("every option of a step", () => {
    const [step] = steps(`
- shell: {run: cat, stdin: "in \${x}"}
  id: build-1
  name: the build
  env: {A: 1}
  working_dir: sub/dir
  timeout: 1h30m
  continue_on_error: true
  commit_required: true
  commit_message: "built \${x}"
  auto_commit: all
`);

    expect(step).toMatchObject({
      kind: "shell",
      run: { value: "cat" },
      stdin: { value: "in ${x}" },
      id: "build-1",
      label: "the build",
      workingDir: { value: "sub/dir" },
      timeoutMs: 5_400_000,
      continueOnError: true,
      commitRequired: true,
      commitMessage: { value: "built ${x}" },
      autoCommit: "all",
      captureOutput: false,
      analysis: null,
    });
  });

  test.each([
    ["true", "on"],
    ["on", "on"],
    ["false", "off"],
    ["off", "off"],
    ["all", "all"],
  ])("`auto_commit: %s` is %s (spec 5)", (written, meant) => {
    expect(steps(`- {shell: x, auto_commit: ${written}}`)[0]?.autoCommit).toBe(meant);
  });

  test("a Claude step with options of its own", () => {
    const [step] = steps(
      "- claude: {prompt: ' do it ', model: haiku, max_turns: 3, allowed_tools: [Read, Bash(git *)]}\n",
    );

    expect(claude(step)).toMatchObject({
      form: "claude",
      prompt: { value: " do it " },
      label: "do it",
      options: { model: "haiku", maxTurns: 3, allowedTools: ["Read", "Bash(git *)"] },
    });
  });

  test("a label is one line of at most 80 characters; `name` beside a kind is the label", () => {
    const [block, long, named] = steps(`
- shell: |

    first line
    second line
- shell: ${"x".repeat(200)}
- name: Run it all
  claude: /mmm-x
`);

    expect(block?.label).toBe("first line …");
    expect(long?.label).toBe(`${"x".repeat(79)}…`);
    expect(named?.label).toBe("Run it all");
    expect(claude(named).form).toBe("claude");
  });

  test("a step's range is its first character to its last", () => {
    const text = "steps:\n  - shell: npm test\n    timeout: 5\n\n  # a comment\n  - mmm-lint\n";
    const playbook = read(text);

    const written = playbook.steps.map(({ range }) => text.slice(range.start, range.end));
    expect(written).toEqual(["shell: npm test\n    timeout: 5", "mmm-lint"]);
  });
});

describe("handlers (spec 2.3)", () => {
  test.each([
    ["a text", "mmm-fix", 1, 3, true],
    ["a step", "{shell: fix}", 1, 3, true],
    ["a list", "[mmm-fix, {shell: fix}]", 2, 3, true],
    [
      "steps with keys",
      "{do: [mmm-fix, {shell: x}], max_attempts: 5, fail_workflow: false}",
      2,
      5,
      false,
    ],
    ["one step under `do`", "{do: mmm-fix}", 1, 3, true],
    ["a step with the keys itself", "{shell: fix, max_attempts: 1}", 1, 1, true],
    ["no steps", "{fail_workflow: false}", 0, 1, false],
    ["attempts alone", "{max_attempts: 4}", 0, 4, true],
  ])("%s", (_, written, count, maxAttempts, failWorkflow) => {
    const [step] = steps(`- shell: npm test\n  on_failure: ${written}\n`);

    expect(step?.onFailure).toMatchObject({ maxAttempts, failWorkflow });
    expect(step?.onFailure?.steps).toHaveLength(count);
  });

  test("`on_exit_code` takes numbers and texts, `on_success` a step or a list", () => {
    const [step] = steps(`
- shell: npm test
  on_exit_code: {101: {shell: a, max_attempts: 2}, "5": mmm-fix}
  on_success: [mmm-lint, {shell: b}]
`);

    expect(step?.onExitCode.map(({ code, handler }) => [code, handler.maxAttempts])).toEqual([
      [101, 2],
      [5, 3],
    ]);
    expect(step?.onSuccess).toHaveLength(2);
  });

  test("five deep is allowed", () => {
    const nested = `${"{shell: x, on_failure: ".repeat(5)}{shell: x}${"}".repeat(5)}`;

    let step: Step | undefined = steps(`- ${nested}\n`)[0];
    let depth = 0;
    for (; step?.onFailure; step = step.onFailure.steps[0]) depth += 1;
    expect(depth).toBe(5);
  });
});

describe("outputs (spec 3.3)", () => {
  test("every option of both forms", () => {
    const [step] = steps(
      `
- shell: x
  outputs:
    files: {file_pattern: "**/*.md", all: true, default: []}
    score: {capture: number, pattern: "/score: (\\\\d+)/im", from: both, default: 0}
    lines: {capture: lines, pattern: "a.b"}
    no-default: {capture: json, path: "$.a['b c'][0]..d[*]", default: ~}
`
        .replaceAll("\\\\", "\\")
        .replace('"/score: (\\d+)/im"', "'/score: (\\d+)/im'"),
    );

    expect(step?.outputs.map(({ name, rule }) => [name, rule])).toEqual([
      ["files", { kind: "file", pattern: "**/*.md", all: true, default: [] }],
      [
        "score",
        {
          kind: "capture",
          capture: "number",
          pattern: "/score: (\\d+)/im",
          from: "both",
          default: 0,
        },
      ],
      ["lines", { kind: "capture", capture: "lines", pattern: "a.b", from: "stdout" }],
      [
        "no-default",
        {
          kind: "capture",
          capture: "json",
          path: "$.a['b c'][0]..d[*]",
          from: "stdout",
          default: null,
        },
      ],
    ]);
  });
});

describe("old forms become new ones, with a note (spec 2.1)", () => {
  test("`test:` is a shell step", () => {
    const text =
      "- test: npm test\n- test: {command: cargo test, on_failure: {claude: /fix}}\n  on_failure: {shell: outer}\n";
    const [short, long] = steps(text).map(shell);

    expect(short?.run.value).toBe("npm test");
    expect(long?.run.value).toBe("cargo test");
    expect(long?.onFailure?.steps[0]).toMatchObject({ kind: "claude", prompt: { value: "/fix" } });
    expect(codes(text)).toEqual(["note old-form", "note old-form"]);
  });

  test("`options` become arguments, `metadata` the step's own keys", () => {
    const text = `
- name: mmm-code-review
  args: [a]
  options: {focus: security, max-issues: 10, fix: true, quiet: false}
  metadata: {timeout: 300, continue_on_error: true, env: {A: 1}, commit_required: true, analysis: {force_refresh: true}}
  commit_required: false
`;
    const [step] = steps(text).map(claude);

    expect(step?.args.map(({ value }) => value)).toEqual([
      "a",
      "--focus",
      "security",
      "--max-issues",
      "10",
      "--fix",
    ]);
    expect(step).toMatchObject({
      timeoutMs: 300_000,
      continueOnError: true,
      commitRequired: false,
      analysis: { forceRefresh: true },
    });
    expect(step?.env.map(({ name }) => name)).toEqual(["A"]);
    expect(codes(text)).toEqual(["note old-form", "note old-form"]);
  });

  test("what step and `metadata` both have is the step's, and the note says so; `env` is merged", () => {
    const text =
      "- {name: mmm-x, timeout: 5, env: {A: 1}, metadata: {timeout: 9, env: {A: 2, B: 2}}}\n";
    const [step] = steps(text);
    const [note] = readPlaybook("x.yml", text).diagnostics;

    expect(step?.timeoutMs).toBe(5000);
    expect(step?.env.map(({ name, value }) => name + value.value)).toEqual(["A1", "B2"]);
    expect(note?.help).toBe(
      "write `env` in the step itself, and remove `timeout`, which the step has already",
    );
  });

  test("`config:` is the header", () => {
    const text = "config: {max_iterations: 3, name: x}\nname: y\ncommands: [mmm-lint]\n";

    expect(read(text)).toMatchObject({ maxIterations: 3, name: "y" });
    expect(codes(text)).toEqual(["note old-form"]);
  });
});

describe("YAML and JSON (spec 2)", () => {
  test("JSON is read as YAML, tabs and all", () => {
    const value = { max_iterations: 2, steps: [{ shell: 'echo "\u00e9\\n"' }, "mmm-lint"] };
    const playbook = read(JSON.stringify(value, null, "\t"), "x.json");

    expect(playbook).toMatchObject({ name: "x", maxIterations: 2 });
    expect(shell(playbook.steps[0]).run.value).toBe('echo "\u00e9\\n"');
  });

  test("a byte order mark and Windows line ends change nothing", () => {
    const text = "\ufeff- shell: |\r\n    a\r\n    b\r\n- mmm-lint\r\n";
    const bytes = new TextEncoder().encode(text);

    for (const given of [text, bytes]) {
      const { playbook } = readPlaybook("x.yml", given);
      expect(shell(playbook?.steps[0]).run.value).toBe("a\nb\n");
    }
  });

  test("aliases are resolved, the latest anchor counts", () => {
    const [one, two, three] = steps(
      "- {shell: a, env: &e {A: 1}}\n- {shell: b, env: &e {A: 2}}\n- {shell: c, env: *e}\n",
    );

    expect([one, two, three].map((step) => step?.env[0]?.value.value)).toEqual(["1", "2", "2"]);
  });

  test("YAML 1.2: yes, on and off are text, so is a date", () => {
    const playbook = read(
      "env: {A: yes, B: on, C: off, D: 2001-01-01, E: 0o17, F: ~}\nsteps: [mmm-lint]\n",
    );

    expect(playbook.env.map(({ value }) => value.value)).toEqual([
      "yes",
      "on",
      "off",
      "2001-01-01",
      "0o17",
      "",
    ]);
  });
});

describe("files that are no playbooks", () => {
  test("5 MB of noise is refused at once", () => {
    const { playbook, diagnostics } = readPlaybook(
      "noise.yml",
      new Uint8Array(5_000_000).fill(0x7b),
    );

    expect(playbook).toBeNull();
    expect(diagnostics).toMatchObject([
      { code: "too-big", message: "the file has 4.8 MiB, a playbook at most 2" },
    ]);
  });

  test.each([
    ["a long word", "x".repeat(2_000_000)],
    ["prose", "lorem ipsum dolor\n".repeat(50_000)],
    ["closing brackets", "]".repeat(1_000_000)],
    ["anchors", "&a ".repeat(500_000)],
    ["an open quote", `"${"a\n".repeat(500_000)}`],
    ["documents", "---\n".repeat(200_000)],
    ["keys", Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join("\n")],
    ["one key many times", "k: 1\n".repeat(5000)],
    ["steps of no kind", "- {a: b}\n".repeat(5000)],
  ])("a file of %s has few problems, all told", (_, text) => {
    const { playbook, diagnostics, source } = readPlaybook("noise.yml", text);

    expect(playbook).toBeNull();
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThanOrEqual(201);
    expect(renderDiagnostics(source, diagnostics).length).toBeLessThan(200_000);
  });

  test.each([
    ["[", "too-deep"],
    ["{a: ", "too-deep"],
    ["- ", "too-deep"],
    ["? ", "too-deep"],
    ["[,", "too-deep"],
  ])("100 000 times %j is nested too deep, and no stack overflow", (piece, code) => {
    const { playbook, diagnostics } = readPlaybook("deep.yml", piece.repeat(100_000));

    expect(playbook).toBeNull();
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code]);
  });

  test("bytes that are not UTF-8 are named, with their place", () => {
    const before = new TextEncoder().encode("- shell: größe\n- shell: ");
    const bytes = new Uint8Array([...before, 0xe4, 0x62, 0x0a]);
    const { playbook, diagnostics, source } = readPlaybook("latin1.yml", bytes);

    expect(playbook).toBeNull();
    expect(renderDiagnostics(source, diagnostics)).toBe(
      "latin1.yml:2:10 not-utf8 byte 27 is not UTF-8\n    - shell: \ufffdb\n             ~\n  help: save the file as UTF-8\n",
    );
  });

  test("UTF-16 is told apart", () => {
    const bytes = new Uint8Array([0xff, 0xfe, 0x2d, 0x00, 0x20, 0x00]);

    expect(readPlaybook("x.yml", bytes).diagnostics[0]?.message).toBe(
      "the file is UTF-16, not UTF-8",
    );
  });

  test("a directory and an unreadable file have their words", () => {
    const directory = withoutText("playbooks", {
      code: "playbook-directory",
      message: "playbooks is a directory, not a playbook",
      next: ["mmm cook playbooks/a.yml"],
    });
    const missing = withoutText("x.yml", {
      code: "playbook-unreadable",
      message: "cannot read x.yml: permission denied",
      next: [],
    });

    expect(renderDiagnostics(directory.source, directory.diagnostics)).toBe(
      "playbooks:1:1 playbook-directory playbooks is a directory, not a playbook\n  help: mmm cook playbooks/a.yml\n",
    );
    expect(renderDiagnostics(missing.source, missing.diagnostics)).toBe(
      "x.yml:1:1 playbook-unreadable cannot read x.yml: permission denied\n",
    );
  });

  test("2000 notes hide no step: all are read, the notes past 200 are counted", () => {
    const text = Array.from({ length: 2000 }, (_, i) => `- test: echo ${i}\n`).join("");
    const { playbook, diagnostics } = readPlaybook("x.yml", text);

    expect(playbook?.steps).toHaveLength(2000);
    expect(diagnostics).toHaveLength(201);
    expect(diagnostics.at(-1)?.message).toBe("1800 more problems are not shown");
  });

  test("10 000 steps are read", () => {
    const text = Array.from({ length: 10_000 }, (_, i) => `- shell: echo ${i}\n  id: s${i}\n`).join(
      "",
    );

    expect(steps(text)).toHaveLength(10_000);
  });
});
