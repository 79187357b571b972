/** Gates, validation and until with real commands, files and git (spec 2.6). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;
const open = async (files?: Readonly<Record<string, string>>): Promise<Kitchen> =>
  (kitchen = await openKitchen(undefined, files));

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

const manifest = (test: string): string => JSON.stringify({ scripts: { test } });

test("tests_pass runs the project's own tests; what fails them is repaired, then committed", async () => {
  const { cook, history, events, repo } = await open({ "package.json": manifest("test -f good") });

  const { code, stdout } = await cook(`
- shell: "echo x > work"
  commit_message: worked
  validation:
    - tests_pass: true
  on_failure:
    shell: 'touch good; grep -c "test -f good" \${error.output|file}'
`);

  expect(stdout).toContain("Checking tests_pass: npm test");
  expect(code).toBe(0);
  const found = events().flatMap((each) => (each.type === "gate-finished" ? [each] : []));
  expect(found.map(({ verdict, exitCode }) => [verdict, exitCode])).toEqual([
    ["failed", 1],
    ["ok", 0],
  ]);
  const evidence = found[1];
  expect(evidence).toMatchObject({ gate: "tests_pass", command: "npm test", when: "after" });
  expect(readFileSync(evidence?.log ?? "", "utf8")).toContain("test -f good");
  expect(evidence?.commit).toMatch(/^[0-9a-f]{40}$/);
  expect(await history()).toHaveLength(2);
  expect(await repo.git("status", "--porcelain")).toBe("?? pb.yml");
  expect(stdout).toMatch(/Gates:\n.*tests_pass \(step 1\) passed, exit code 0/);
});

test("a failed gate undoes the step, exit 1, and shows the gate's command, output and log", async () => {
  const { cook, history, repo } = await open();

  const { code, stderr } = await cook(`
gates:
  tests: {shell: "echo three tests failed; exit 7"}
steps:
  - shell: "echo x > work"
    validation: tests
`);

  expect(code).toBe(1);
  expect(stderr).toContain("command: echo three tests failed; exit 7");
  expect(stderr).toContain("exit code 7");
  expect(stderr).toContain("three tests failed");
  expect(existsSync(path.join(repo.root, "work"))).toBe(false);
  expect(await history()).toEqual(["first"]);
});

test("config says the project's commands, for words and references; what is not found is skipped with a word", async () => {
  const { cook, events, repo } = await open();
  await repo.write(".mmm/config.yml", "project:\n  test: 'echo from config'\n");

  const { code, stderr } = await cook(`
- shell: "printf %s \${project.test} > said; \${project.test|raw} >> said"
  validation: {tests_pass: true, lint_clean: true}
`);

  expect(code).toBe(0);
  expect(await repo.read("said")).toBe("echo from configfrom config\n");
  expect(stderr).toContain("lint_clean skipped: no lint command was found");
  expect(events().flatMap((each) => (each.type === "gate-finished" ? [each.verdict] : []))).toEqual(
    ["ok", "skipped"],
  );
});

test("a wrong config is refused with its place", async () => {
  const { cook, repo } = await open();
  await repo.write(".mmm/config.yml", "project:\n  tests: npm test\n  lint: 3\n");

  const { code, stderr } = await cook(`- shell: "true"`);

  expect(code).toBe(2);
  expect(stderr).toContain("config.yml:2:3");
  expect(stderr).toContain("config.yml:3:9");
});

test("coverage before and after, from a report that git does not see", async () => {
  const lcov = (hit: number): string => `SF:a.js\\nDA:1,1\\nDA:2,${hit}\\nend_of_record\\n`;
  const { cook, events } = await open({ ".gitignore": "coverage/\n", "hit.txt": "0" });

  const { code } = await cook(`
gates:
  covered:
    metric:
      coverage: coverage/lcov.info
      run: 'mkdir -p coverage; printf "${lcov(0).replace("DA:2,0", "DA:2,%s")}" "$(cat hit.txt)" > coverage/lcov.info'
    must: increase
steps:
  - shell: "printf 1 > hit.txt"
    validation: [covered]
`);

  expect(code).toBe(0);
  expect(events().flatMap((each) => (each.type === "gate-finished" ? [each.figures] : []))).toEqual(
    [
      { before: 50, after: null },
      { before: 50, after: 100 },
    ],
  );
});

test("what a gate builds is neither committed nor left, and is kept", async () => {
  const { cook, repo, history } = await open();

  const { code, stderr } = await cook(`
gates:
  build: {shell: "mkdir dist && cp work dist/out && echo changed >> work"}
steps:
  - shell: "echo x > work"
    validation: [build]
`);

  expect(code).toBe(0);
  expect(stderr).toContain(
    "validation changed dist/out, work: put back, and kept in refs/mmm/failed/",
  );
  expect(await repo.read("work")).toBe("x\n");
  expect(existsSync(path.join(repo.root, "dist/out"))).toBe(false);
  expect(await history()).toHaveLength(2);
  expect(await repo.git("for-each-ref", "refs/mmm/failed")).not.toBe("");
});

test("until loops with real state, succeeds when it is met, and fails at the limit", async () => {
  const { cook } = await open();
  const playbook = (most: number): string => `
max_iterations: ${most}
until: enough
gates: {enough: {shell: 'test "$(wc -l < n.txt)" -ge 3'}}
steps: [{shell: "echo x >> n.txt"}]
`;

  const unmet = await cook(playbook(2));
  const met = await cook(playbook(9));

  expect(unmet.code).toBe(1);
  expect(unmet.stdout).toContain("Reason: until enough is not met");
  expect(met.code).toBe(0);
  expect(met.stdout).toContain("Iterations: 1/9");
  expect(met.stdout).toContain("Reason: until enough is met");
});

test("with inputs each has its own until, and one that fails leaves nothing (spec 8.4)", async () => {
  const { cook, repo, events } = await open();

  const { code } = await cook(
    `
until: good
max_iterations: 2
gates: {good: {shell: 'test "$ARG" = b'}}
steps: [{shell: 'echo x >> "$ARG.txt"'}]
`,
    ["--args", "a", "--args", "b"],
  );

  expect(code).toBe(1);
  expect(readdirSync(repo.root)).toContain("b.txt");
  expect(readdirSync(repo.root)).not.toContain("a.txt");
  expect(
    events().flatMap((each) => (each.type === "input-finished" ? [[each.ok, each.stop]] : [])),
  ).toEqual([
    [false, "criterion-unmet"],
    [true, "until"],
  ]);
});

test("in a handler and under defaults", async () => {
  const { cook, events } = await open();

  const { code } = await cook(`
gates: {good: {shell: "test -f good"}}
defaults: {validation: [good]}
steps:
  - shell: "test -f good"
    on_failure:
      shell: "touch good"
      validation: [good]
`);

  expect(code).toBe(0);
  expect(events().flatMap((each) => (each.type === "gate-finished" ? [each.at.step] : []))).toEqual(
    ["1.on_failure.1", "1"],
  );
});

test("resumed: gates that gave their verdict are not run again, figures before the step still count (spec 7)", async () => {
  const { repo, cook, mmm, events } = await open({
    ".gitignore": "ran\nstarted\ngo\n",
    "n.txt": "5",
  });

  const stopped = await cook(
    `
gates:
  fewer: {metric: {shell: "echo m >> ran; cat n.txt"}, must: decrease}
  slow: {shell: "echo s >> ran; touch started; while ! test -f go; do sleep 0.05; done"}
until: over
max_iterations: 1
steps:
  - {shell: "printf 4 > n.txt", validation: [fewer]}
  - {shell: "printf 3 > n.txt", validation: [fewer, slow]}
`.replace("until: over", 'until: "ITERATION == 1"'),
    [],
    {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(path.join(repo.root, "started"))) return;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 10);
      },
    },
  );
  const before = await repo.read("ran");
  await repo.write("go", "");
  const resumed = await mmm(["resume"]);

  expect(stopped.code).not.toBe(0);
  expect(before).toBe("m\nm\nm\nm\ns\n");
  expect(resumed, resumed.stdout + resumed.stderr).toMatchObject({ code: 0 });
  // The gate that was cut short runs again, and nothing else: its step may have been paid for.
  expect((await repo.read("ran")).slice(before.length)).toBe("s\n");
  const last = events().flatMap((each) =>
    each.type === "gate-finished" && each.gate === "fewer" && each.when === "after"
      ? [each.figures]
      : [],
  );
  expect(last.at(-1)).toEqual({ before: 4, after: 3 });
});

test("a gate gets all secrets, at a Claude step that lists none too, and shows none of them", async () => {
  const { cook, events, session } = await open();
  const secret = `planted-${"q".repeat(2_500)}-0001`;

  const { code, stdout, stderr } = await cook(
    `
secrets: {DEPLOY: {env: DEPLOY}}
gates:
  reachable: {shell: 'printf "%s\\n" \${env.DEPLOY} "$DEPLOY"; test \${env.DEPLOY} = "$DEPLOY" && exit 4'}
steps:
  - claude: look
    commit_required: false
    validation: reachable
`,
    [],
    { env: { DEPLOY: secret } },
  );

  expect(code).toBe(1);
  expect(events().find(({ type }) => type === "gate-finished")).toMatchObject({
    exitCode: 4,
    tail: "***\n***",
    command: 'printf "%s\\n" *** "$DEPLOY"; test *** = "$DEPLOY" && exit 4',
  });
  const journal = readFileSync(path.join(session(), "journal.jsonl"), "utf8");
  for (const text of [stdout, stderr, journal]) expect(text).not.toContain("qqqq");
});

test("a figure that a secret hides is no figure, whatever stands before it", async () => {
  const { cook } = await open();

  const { code, stderr } = await cook(
    `
secrets: {PIN: {env: PIN}}
gates:
  score: {metric: {shell: 'echo 7; echo "$PIN.5"'}, must: not_regress}
steps:
  - shell: "true"
    validation: score
`,
    [],
    { env: { PIN: "1234" } },
  );

  expect(code).toBe(1);
  expect(stderr).toContain("the command printed no number on standard output");
});

test("a gate is no run of Claude: a money limit that is reached suspends before the step, not before its gates", async () => {
  const { cook, events } = await open();

  const { code } = await cook(
    `
gates:
  size: {metric: {shell: "echo 3"}, must: not_regress}
steps:
  - claude: spend
    commit_required: false
    validation: size
  - claude: more
    validation: size
`,
    ["--max-cost", "0.000001"],
  );

  expect(code).toBe(75);
  const gates = events().flatMap((each) =>
    each.type === "gate-finished" ? [[each.at.step, each.when, each.verdict]] : [],
  );
  expect(gates).toEqual([
    ["1", "before", "measured"],
    ["1", "after", "ok"],
  ]);
});

test("the context tells the project's commands as the config has them, by `mmm analyze` and by a step", async () => {
  const { cook, mmm, repo } = await open({ "package.json": manifest("true") });
  await repo.write(".mmm/config.yml", "project:\n  test: my-own-tests\n");

  const analyzed = await mmm(["analyze"]);
  const cooked = await cook(
    '- analyze: {force_refresh: true}\n- shell: "cat $MMM_CONTEXT_DIR/*"\n',
    ["-v"],
  );

  expect(analyzed.stdout).toContain("- test: `my-own-tests`\n");
  expect(cooked.stdout).toContain("my-own-tests");
  await repo.write(".mmm/config.yml", "projects: {}\n");
  expect((await mmm(["analyze"])).code).toBe(2);
});
