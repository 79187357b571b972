/** `mmm cook --dry-run`: the plan, nothing started but git, nothing written (spec 1). */
import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;
const open = async (...args: Parameters<typeof openKitchen>): Promise<Kitchen> =>
  (kitchen = await openKitchen(...args));

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

const RICH = `
description: try all of it
max_iterations: 3
params: {level: {type: number, default: 3}, who: {type: string, required: true}}
env: {MODE: "m-\${params.level}"}
secrets: {API: {env: API}}
limits: {cost_usd: 5}
steps:
  - claude: "look at \${FILE} as \${params.who} in \${env.MODE}"
    id: look
    outputs: {word: {capture: text}}
  - shell: printf '%s' "\${word}" "\${env.API}"
    condition: "\${look.success}"
    timeout: 90s
    on_failure: {max_attempts: 2, claude: "mend \${shell.output}"}
`;
const ASKED = ["--dry-run", "--args", "a", "--map", "specs/*.md", "--param", "who=me"];

/** Every file below a folder, git's own included: name, mode, time of change, content. */
async function everything(folder: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).toSorted()) {
    const file = path.join(folder, name);
    const stat = await lstat(file);
    const content = stat.isSymbolicLink()
      ? await readlink(file)
      : stat.isFile()
        ? createHash("sha256")
            .update(await readFile(file))
            .digest("hex")
        : "";
    found[name] = `${stat.mode} ${stat.mtimeMs} ${content}`;
  }
  return found;
}

describe("mmm cook --dry-run", () => {
  test("starts nothing but git, and changes no file in the repository or HOME", async () => {
    const { mmm, repo } = await open([], { "specs/1.md": "x", "README.md": "x" });
    await repo.write("pb.yml", RICH.replace("FILE", "ARG"));
    await repo.write("dirty.txt", "not committed");
    const spies = path.join(repo.base, "spies");
    const told = path.join(repo.base, "told");
    await mkdir(spies);
    const git = (process.env["PATH"] ?? "").split(path.delimiter);
    for (const name of ["git", "sh", "bash", "claude", "ps", "mkfifo", "env", "node"]) {
      const real = `PATH=${git.map((each) => `'${each}'`).join(":")} exec git "$@"`;
      const text = `#!/bin/sh\necho "${name} $*" >> '${told}'\n${name === "git" ? real : "exit 9"}\n`;
      await writeFile(path.join(spies, name), text);
      await chmod(path.join(spies, name), 0o755);
    }
    const before = [await everything(repo.root), await everything(repo.home)];

    const ran = await mmm(["cook", "pb.yml", ...ASKED], {
      env: { PATH: spies, API: "abcdefgh-secret", MMM_CLAUDE_BIN: path.join(spies, "claude") },
    });

    expect(ran.code).toBe(0);
    expect([await everything(repo.root), await everything(repo.home)]).toEqual(before);
    const started = (await readFile(told, "utf8")).trim().split("\n");
    expect(started.length).toBeGreaterThan(0);
    expect(started.filter((line) => !/^git .*(rev-parse|status|var|--version)/.test(line))).toEqual(
      [],
    );
  });

  test("shows known values, marks for others, what needs what, handlers, bounds; secrets never", async () => {
    const { cook } = await open([], { "specs/1.md": "x" });

    const ran = await cook(
      RICH,
      ["--dry-run", "--map", "specs/*.md", "--param", "who=abcdefgh-secret"],
      {
        env: { API: "abcdefgh-secret" },
      },
    );

    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).not.toContain("abcdefgh");
    expect(ran.stdout.replace(/^ {2}tree .*$/m, "  tree")).toBe(`📝 Plan of pb: try all of it
  playbook   pb.yml
  tree
  commits    of what each step leaves
  inputs     1: specs/1.md
  iterations at most 3 (max_iterations of the playbook)
  params     level=3, who=***
  secrets    API
  limits     $5.00

1 [look] claude: look at \${FILE} as \${params.who} in \${env.MODE} (pb.yml:9)
  run        look at specs/1.md as *** in m-3
  outputs    word (text)
  expected   unknown

2 shell: printf '%s' "\${word}" "\${env.API}" (pb.yml:12)
  run        printf '%s' "<word>" "***"
  if         \${look.success}
  needs      1 (look.success, word)
  timeout    1m 30s
  expected   unknown
  on_failure: then the step again, 2 runs of it at most
    2.on_failure.1 claude: mend \${shell.output} (pb.yml:15)
      run        mend <shell.output>
      needs      2 (shell.output)

  at most    6 runs of Claude, 6 runs of shell commands
             3 iterations x 1 input x (2 runs of Claude, 2 runs of shell commands)
  bounded by iterations and attempts; suspended at $5.00
  expected   unknown: no earlier session of this playbook
`);
  });

  test("--reporter json is one document: no note beside it, names of parameters as they are", async () => {
    const { cook } = await open();
    const playbook = `
params: {someName: {type: string, default: "x"}}
steps: [{shell: "a \${params.someName} $ITERATION", on_exit_code: {7: {claude: "fix it"}}}]
`;

    const ran = await cook(playbook, ["--dry-run", "--reporter", "json", "-n", "2"], {
      env: { MMM_CLAUDE_BIN: "/nonexistent/claude" },
    });

    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      v: 1,
      type: "plan",
      playbook: { file: "pb.yml", name: "pb", shipped: false },
      params: [{ name: "someName", value: "x" }],
      iterations: { max: 2, from: "option" },
      limits: { cost_usd: null, tokens: null, duration_ms: null },
      steps: [
        {
          step: "1",
          rendered: { text: "a x <ITERATION>", open: ["ITERATION"] },
          handlers: [{ handler: "on_exit_code 7", max_attempts: 3, fail_workflow: true }],
        },
      ],
      worst_case: { iteration: { shell: 3, claude: 2 }, total: { shell: 6, claude: 4 } },
      problems: [{ code: "claude-missing", exit_code: 3 }],
    });
  });

  test("tells every reason why a run would be refused, in its order, and the plan all the same", async () => {
    const { mmm, repo } = await open();
    await repo.write("pb.yml", `{secrets: {KEY: {env: KEY}}, steps: [{claude: do it}]}`);
    await repo.write("dirty.txt", "x");

    const ran = await mmm(["cook", "pb.yml", "--dry-run", "--no-emoji"], {
      env: {
        MMM_CLAUDE_BIN: "/nonexistent/claude",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "user.useConfigOnly",
        GIT_CONFIG_VALUE_0: "true",
      },
    });

    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("run        do it");
    expect(ran.stderr.match(/\(exit 3\): .*/g)).toEqual([
      "(exit 3): secret KEY: the variable KEY is not set",
      `(exit 3): 1 file is not committed in ${repo.root}:`,
      "(exit 3): /nonexistent/claude: there is no such file",
      expect.stringContaining("git does not know who makes the commits"),
    ]);
  });

  test("outside of a repository the plan is shown, and why a run would be refused", async () => {
    const { mmm, repo } = await open();
    await writeFile(path.join(repo.base, "pb.yml"), `[{shell: "true"}]`);

    const ran = await mmm(["cook", "pb.yml", "--dry-run"], { cwd: repo.base });

    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("1 shell: true");
    expect(ran.stderr).toContain("(exit 3)");
  });

  test("playbook, parameters, unknown commands and --resume are exit 2, as in a run", async () => {
    const { mmm, repo } = await open();
    await repo.write("bad.yml", `[{shel: x}]`);
    await repo.write(
      "param.yml",
      `{params: {a: {type: string, required: true}}, steps: [{shell: a}]}`,
    );
    await repo.write("command.yml", `[mmm-code-reviw]`);
    await repo.write("fine.yml", `[{shell: a}]`);

    for (const [file, more, word] of [
      ["bad.yml", [], "shell"],
      ["param.yml", [], "required"],
      ["command.yml", [], "unknown-command"],
      ["fine.yml", ["--resume", "x"], "--resume and --dry-run exclude each other"],
    ] as const) {
      const ran = await mmm(["cook", file, "--dry-run", ...more]);

      expect(ran).toMatchObject({ code: 2, stdout: "" });
      expect(ran.stderr).toContain(word);
    }
  });

  test("gates, until and loops: what is run, what is left out, and how often at most", async () => {
    const { cook } = await open([], {
      "package.json": JSON.stringify({ scripts: { test: "node --test", bench: "./bench" } }),
    });

    const ran = await cook(
      `
max_iterations: 2
until: done
limits: {cost_usd: 5, duration: 1h}
gates:
  done: {shell: "test $ITERATION = \${MAX_ITERATIONS}", timeout: 10s}
  size: {metric: {shell: "wc -c < \${plan}"}, must: not_regress, tolerance: 5%, better: higher}
  high: {expression: "n > 3"}
steps:
  - id: plan
    claude: "Plan it"
    outputs: {plan: {file_pattern: "*.plan"}, n: {capture: number}}
    validation: [high]
  - foreach: [a, b, c]
    do:
      - shell: "make \${item}"
        validation: [size, {tests_pass: true}, {performance_regression: false}, {lint_clean: true}]
        retry: {attempts: 2}
        on_failure: {max_attempts: 3, claude: "mend \${item}: \${error.output}"}
  - foreach: {shell: "ls \${plan}"}
    max_items: 4
    do: {shell: "true"}
    validation: {build_passes: true}
`,
      ["--dry-run"],
    );

    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toContain("until      done: test <ITERATION> = 2 (timeout 10s)\n");
    expect(ran.stdout).toContain("limits     $5.00, 1h at work\n");
    expect(ran.stdout.slice(ran.stdout.indexOf("\n1 [plan]"))).toBe(`
1 [plan] claude: Plan it (pb.yml:10)
  run        Plan it
  outputs    plan (file *.plan), n (number)
  gate       high: n > 3
  expected   unknown

2 foreach: foreach a, b, c (pb.yml:14)
  run        3 items
  expected   unknown
  do: for each item
    2.do.1 shell: make \${item} (pb.yml:16)
      run        make <item>
      needs      1 (plan)
      retry      up to 2 runs an attempt
      gate       size must not regress by more than 5%, higher is better: wc -c < <plan>
      gate       tests_pass: npm test
      gate       performance_regression must not regress by more than 5%, lower is better: npm run bench
      gate       lint_clean: left out, the project has no command for it
      on_failure: then the step again, 3 runs of it at most
        2.do.1.on_failure.1 claude: mend \${item}: \${error.output} (pb.yml:19)
          run        mend <item>: <error.output>
          needs      2.do.1 (error.output)

3 foreach: foreach line of ls \${plan} (pb.yml:20)
  run        ls <plan> (at most 4 items)
  needs      1 (plan)
  gate       build_passes: left out, the project has no command for it
  expected   unknown
  do: for each item
    3.do.1 shell: true (pb.yml:22)
      run        true

  at most    14 runs of Claude, 46 runs of shell commands, 68 runs of gates
             2 iterations x (7 runs of Claude, 23 runs of shell commands, 34 runs of gates)
  bounded by iterations and attempts; suspended at $5.00, 1h at work
  expected   unknown: no earlier session of this playbook
`);
  });

  test("with history: median of time and cost of the same steps of the same playbook", async () => {
    const { cook, mmm, repo } = await open([{ times: "always", cost: 0.25 }]);
    const playbook = `[{claude: do it}, {shell: "true"}]`;
    await cook(playbook, ["-n", "1"]);
    await cook(playbook, ["-n", "1"]);
    await repo.write("other/pb.yml", playbook);
    await mmm(["cook", "other/pb.yml", "-n", "1"]);

    const same = await cook(playbook, ["--dry-run"]);
    const changed = await cook(`[{claude: do that}, {shell: "true"}]`, ["--dry-run"]);
    const json = await mmm(["cook", "pb.yml", "--dry-run", "--reporter", "json"]);

    expect(same.stdout).toMatch(/1 claude: do it.*\n.*\n {2}expected {3}\S+, \$0\.25 \(2 runs\)/);
    expect(same.stdout).toMatch(/expected {3}\S+ and \$0\.25 an iteration \(2 earlier sessions\)/);
    expect(same.stdout).toMatch(/and \$0\.25 a session \(2 completed\)/);
    expect(changed.stdout).toMatch(/1 claude: do that.*\n.*\n {2}expected {3}unknown/);
    expect(changed.stdout).toContain("what 1 of 2 steps takes is unknown");
    expect(JSON.parse(json.stdout)).toMatchObject({
      steps: [{ expected: null }, { expected: { samples: 2, cost_usd: null } }],
      expected: { sessions: 2, iteration: { unknown: 1 }, session: { samples: 2, cost_usd: 0.25 } },
    });
  });

  test("with history of loops, gates and inputs: a step's own is all that it took; a session's is of as many inputs", async () => {
    const { cook } = await open([{ times: "always", cost: 0.25 }]);
    const playbook = `
gates: {fine: {shell: "true"}}
steps:
  - {foreach: [a, b], do: [{claude: "do \${item} of \${ARG}", commit_required: false, validation: fine}]}
  - {shell: "true", condition: "ARG == 'never'"}
`;
    const two = ["--args", "p", "--args", "q"];
    await cook(playbook, two);
    await cook(playbook, [...two, "--args", "r"]);

    const same = await cook(playbook, [...two, "--dry-run"]);
    const other = await cook(playbook, ["--args", "p", "--dry-run"]);

    expect(same.stdout).toMatch(/2 items\n {2}expected {3}\S+, \$0\.50 \(5 runs\)/);
    expect(same.stdout).toMatch(
      /and \$0\.50 an iteration, and what 1 of 2 steps takes is unknown \(2 earlier sessions\)/,
    );
    expect(same.stdout).toMatch(/and \$1\.00 a session \(1 completed with 2 inputs\)/);
    expect(other.stdout).toMatch(/and \$0\.50 an iteration/);
    expect(other.stdout).not.toContain("a session (");
  });
});
