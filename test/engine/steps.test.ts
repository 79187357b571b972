/** Attempts and handlers (spec 2.3), and what they see (spec 3.1). */
import { describe, expect, test } from "vitest";
import { play } from "../support/fake-ports.ts";

describe("attempts (spec 2.3)", () => {
  test.each([
    // A handler with max_attempts N: N runs of the step, N-1 repairs; 1: a clean-up that repeats nothing.
    { most: 1, fails: 9, runs: 1, repairs: 1, ok: false },
    { most: 2, fails: 9, runs: 2, repairs: 1, ok: false },
    { most: 3, fails: 9, runs: 3, repairs: 2, ok: false },
    { most: 3, fails: 0, runs: 1, repairs: 0, ok: true },
    { most: 3, fails: 1, runs: 2, repairs: 1, ok: true },
    { most: 3, fails: 2, runs: 3, repairs: 2, ok: true },
    { most: 1, fails: 1, runs: 1, repairs: 1, ok: false },
  ])(
    "with max_attempts $most a step that fails $fails times runs $runs times, with $repairs repairs",
    async ({ most, fails, runs, repairs, ok }) => {
      const { world, outcome, of } = await play(`
- shell: "fail ${fails} 3"
  on_failure: {shell: "print repair", max_attempts: ${most}}
`);

      const ran = world.scripts.map(({ script }) => script);
      expect(ran.filter((script) => script.startsWith("fail"))).toHaveLength(runs);
      expect(ran.filter((script) => script === "print repair")).toHaveLength(repairs);
      expect(outcome.status).toBe(ok ? "completed" : "failed");
      const [step] = of("step-finished").filter(({ at }) => at.depth === 0);
      expect(step?.attempts).toBe(runs);
    },
  );

  test("the default is 3 attempts, and a step without a handler runs once", async () => {
    const repaired = await play(`[{shell: "exit 1", on_failure: {shell: "print x"}}]`);
    const bare = await play(`[{shell: "exit 1"}]`);

    expect(repaired.of("attempt-started").filter(({ at }) => at.step === "1")).toHaveLength(3);
    expect(bare.of("attempt-started")).toHaveLength(1);
  });

  test("fail_workflow alone repeats nothing, and false lets the run go on", async () => {
    const stops = await play(
      `[{shell: "exit 1", on_failure: {fail_workflow: true}}, {shell: "print 2"}]`,
    );
    const goes = await play(
      `[{shell: "exit 1", on_failure: {fail_workflow: false}}, {shell: "print 2"}]`,
    );

    expect(stops.world.scripts).toHaveLength(1);
    expect(stops.outcome).toEqual({ status: "failed", stop: "step-failed" });
    expect(goes.steps).toEqual(["1 tolerated", "2 succeeded"]);
    expect(goes.outcome.status).toBe("completed");
    expect(goes.finished.exitCode).toBe(0);
    expect(goes.finished.toleratedFailures.map(({ at }) => at.step)).toEqual(["1"]);
  });

  test("a failing handler is reported, and the step is run again all the same", async () => {
    const { steps, outcome, of } = await play(`
- shell: "fail 1"
  on_failure: [{shell: "exit 9"}, {shell: "print never"}]
`);

    expect(steps).toEqual(["1.on_failure.1 failed", "1 succeeded"]);
    expect(of("handler-finished").map(({ ok }) => ok)).toEqual([false]);
    expect(outcome.status).toBe("completed");
  });

  test("on_exit_code replaces on_failure for its code only", async () => {
    const { steps } = await play(`
- shell: "fail 1 7"
  on_exit_code: {7: {shell: "print seven"}}
  on_failure: {shell: "print other"}
- shell: "fail 1 8"
  on_exit_code: {7: {shell: "print seven"}}
  on_failure: {shell: "print other"}
`);

    expect(steps).toEqual([
      "1.on_exit_code.7.1 succeeded",
      "1 succeeded",
      "2.on_failure.1 succeeded",
      "2 succeeded",
    ]);
  });

  test("a failing on_success has failed the step, which on_failure sees", async () => {
    const { steps, of } = await play(`
- shell: "print main"
  on_success: {shell: "fail 1 4"}
  on_failure: {shell: "print saw \${error.message}"}
`);

    expect(steps).toEqual([
      "1.on_success.1 failed",
      "1.on_failure.1 succeeded",
      "1.on_success.1 succeeded",
      "1 succeeded",
    ]);
    expect(of("attempt-finished").find(({ at }) => at.step === "1")?.failure?.reason).toBe(
      "on-success",
    );
  });

  test("continue_on_error keeps a failure from ending the run, in a handler's list too", async () => {
    const { steps } = await play(`
- shell: "exit 2"
  continue_on_error: true
  on_failure: [{shell: "exit 3", continue_on_error: true}, {shell: "print on"}]
- shell: "print last"
`);

    expect(steps.slice(0, 2)).toEqual(["1.on_failure.1 tolerated", "1.on_failure.2 succeeded"]);
    expect(steps.slice(-2)).toEqual(["1 tolerated", "2 succeeded"]);
  });

  test("handlers nest, each with its depth and its own error", async () => {
    const { of, world } = await play(`
- id: outer
  shell: "fail 1 5"
  on_failure:
    id: middle
    shell: "fail 1 6"
    on_failure:
      shell: "print \${error.step} \${error.exit_code}"
- shell: "print done"
`);

    expect(of("step-finished").map(({ at }) => [at.step, at.depth, at.number])).toEqual([
      ["1.on_failure.1.on_failure.1", 2, 1],
      ["1.on_failure.1", 1, 1],
      ["1", 0, 1],
      ["2", 0, 2],
    ]);
    const inner = world.scripts.find(
      ({ script }) => script.startsWith("print") && script.includes("$"),
    );
    expect(Object.values(inner?.env ?? {})).toEqual(expect.arrayContaining(["middle", "6"]));
  });
});

test("F03: both kinds get the timeout of their step, and none when it has none", async () => {
  const { world } = await play(
    `
- {shell: "print 1", timeout: 90s}
- {claude: "x", timeout: 1h30m}
- {shell: "fail 1", on_failure: {shell: "print 2", timeout: 5}}
- claude: "y"
`,
    { iterations: 1 },
  );

  expect(world.timeouts).toEqual([90_000, 5_400_000, null, 5000, null, null]);
});

test("a step's env is its own again after that of its handlers (spec 3.1)", async () => {
  const { world } = await play(`
- shell: "write a.txt 1"
  env: {A: own}
  commit_message: "m \${env.A}"
  on_success: {shell: "print x", env: {A: inner}, auto_commit: false}
`);

  expect(world.history.at(-1)).toBe("m own");
});

test("a step's spec is not there yet in its own handlers (spec 3.1)", async () => {
  const playbook = `[{claude: "/r", id: r, on_failure: {claude: "/x \${r.spec}"}}]`;

  await expect(play(playbook)).rejects.toThrow("${r.spec}: step r has no spec");
});

describe("what a handler sees (spec 2.3)", () => {
  test("after an inner handler its own error again, not the inner one", async () => {
    const { world } = await play(`
- id: outer
  shell: "fail 1 5"
  on_failure:
    - {id: middle, shell: "fail 1 6", on_failure: {shell: "print in \${error.exit_code}"}}
    - shell: "print out \${error.step} \${error.exit_code}"
`);

    const after = world.scripts.find(({ script }) => script.startsWith("print out"));
    expect(Object.values(after?.env ?? {})).toEqual(expect.arrayContaining(["outer", "5"]));
  });

  test("the message, code and step of the error, and the failed attempt's output and number", async () => {
    const { world } = await play(
      `
- id: tests
  shell: "print broken; err loud; fail 2 101"
  on_failure:
    claude: "fix \${error.message} | \${error.exit_code} | \${error.step} | \${shell.output} | \${shell.attempt} | \${test.exit_code} | \${tests.output}"
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual([
      "fix the command ended with exit code 101 | 101 | tests | broken\nloud\n | 1 | 101 | broken\nloud",
      "fix the command ended with exit code 101 | 101 | tests | broken\nloud\n | 2 | 101 | broken\nloud",
    ]);
  });

  test("the failed attempt's output also after another step of the same handler has run", async () => {
    const { world } = await play(
      `
- shell: "print broken; fail 1"
  on_failure:
    do: [{shell: "print diff"}, {claude: "fix \${shell.output}"}]
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual(["fix broken"]);
  });

  test("claude.output, and last.output after it", async () => {
    const { world } = await play(
      `
- claude: "one"
  on_failure: {claude: "again \${claude.output}"}
- shell: "print sh"
- claude: "last \${last.output} of \${claude.output}"
`,
      {
        iterations: 1,
        claude: { one: ["print oops; exit 1", "print fine"], again: "print repaired" },
      },
    );

    expect(world.prompts).toEqual(["one", "again oops", "one", "last sh\n of fine"]);
  });
});

describe("env (spec 2.2, 3.1)", () => {
  test("a step's env reaches its child and env.X of that step alone", async () => {
    const { world } = await play(
      `
env: {A: all, B: "b-\${env.A}"}
steps:
  - {shell: "env A; env B; env C", env: {C: one, A: mine}, id: x}
  - {shell: "env A; env B; env C", id: y}
  - claude: "see \${x.output} \${y.output} \${env.A} \${env.C:-none}"
`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual([
      "see A=mine\nB=b-all\nC=one\n A=all\nB=b-all\nC=<unset>\n all none",
    ]);
  });

  test("F05: a variable that no environment can hold is not exported, counted in bytes, and still a value", async () => {
    const wide = "ü".repeat(60_000);
    const { world, outcome } = await play(`[{shell: "env ARG"}, {claude: "see \${ARG}"}]`, {
      args: [wide],
    });

    expect(outcome.status).toBe("completed");
    expect(world.scripts[0]?.env).not.toHaveProperty("ARG");
    expect(world.prompts[0]).toMatch(/^see \/session\/outputs\//);
    const refused = await play(`[{shell: "print x", env: {BIG: "\${ARG}"}}]`, { args: [wide] });
    expect(refused.world.scripts).toEqual([]);
  });

  test("every child gets mmm's own variables and those of the input", async () => {
    const { world } = await play(`[{shell: "print x"}]`, { files: ["specs/65-a.md"] });

    expect(world.scripts[0]?.env).toMatchObject({
      MMM_AUTOMATION: "true",
      MMM_SESSION: "mmm-pb-1",
      MMM_ITERATION: "1",
      MMM_STEP: "1",
      MMM_CONTEXT_DIR: "/ctx",
      MMM_CONTEXT_AVAILABLE: "false",
      FILE: "specs/65-a.md",
      INDEX: "1",
      TOTAL: "1",
      ITERATION: "1",
      MAX_ITERATIONS: "1",
      PROJECT_ROOT: "/repo",
      SESSION_ID: "mmm-pb-1",
      PLAYBOOK: "pb.yml",
      GIT_REFLOG_ACTION: "mmm mmm-pb-1 1",
    });
  });
});

describe("ends of a process", () => {
  test.each([
    {
      script: "timeout",
      message: "the command ran for 1.5 s, its timeout, and was ended with all its children",
    },
    { script: "kill", message: "the command was ended by SIGKILL" },
    { script: "exit 12", message: "the command ended with exit code 12" },
  ])("`$script` is a failure that says so", async ({ script, message }) => {
    const { finished, of } = await play(`[{shell: "${script}"}]`);

    expect(of("step-finished")[0]?.failure).toMatchObject({ reason: "process", message });
    expect(finished.stop).toBe("step-failed");
  });

  test("a working_dir outside of the repository fails the step before it runs", async () => {
    const { world, of } = await play(`[{shell: "print x", working_dir: "../other"}]`);

    expect(world.scripts).toEqual([]);
    expect(of("step-finished")[0]?.failure?.message).toContain('"../other"');
  });
});
