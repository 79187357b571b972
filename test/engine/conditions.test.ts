/** Steps that run or do not (spec 2.5, 4). */
import { describe, expect, test } from "vitest";
import { play } from "../support/fake-ports.ts";

describe("condition (spec 2.5)", () => {
  test("false skips the step and says why, true runs it; a skip is no failure", async () => {
    const { steps, of, world, outcome, finished } = await play(`
- {id: a, shell: "print 79", outputs: {score: {capture: number}}}
- {shell: "print low", condition: "\${score} < 80"}
- {shell: "print high", condition: "a.score >= 80"}
`);

    expect(steps).toEqual(["1 succeeded", "2 succeeded", "3 skipped"]);
    expect(world.scripts.map(({ script }) => script)).toEqual(["print 79", "print low"]);
    const skipped = of("step-finished").at(-1);
    expect(skipped).toMatchObject({
      why: "condition is false: a.score >= 80",
      attempts: 0,
      failure: null,
    });
    expect(of("attempt-started").map(({ at }) => at.step)).toEqual(["1", "2"]);
    expect(outcome.status).toBe("completed");
    expect(finished.exitCode).toBe(0);
  });

  test("everything of a skipped step is null, and later conditions take it so", async () => {
    const { steps } = await play(`
- {id: a, shell: "print x", condition: "ITERATION == 2", outputs: {found: {capture: count, pattern: x}, all: {capture: lines}}}
- {shell: "print 2", condition: "\${found} > 0"}
- {shell: "print 3", condition: "a.success == null && a.exit_code == null && !a.all && a.output == ''"}
- {shell: "print 4", condition: "\${found:-7} == 7 && a.attempts == 0"}
`);

    expect(steps).toEqual(["1 skipped", "2 skipped", "3 succeeded", "4 succeeded"]);
  });

  test("in a text an output of a skipped step is nothing, and a prompt that holds it is sent", async () => {
    const { world } = await play(
      `
- {id: a, claude: "/find it", condition: "ITERATION == 2", outputs: {spec: {file_pattern: "*.md"}}}
- {claude: "do <\${a.spec}>"}
`,
      { claude: { do: "write x.txt y" }, iterations: 1 },
    );

    expect(world.prompts).toEqual(["do <>"]);
  });

  test("it is asked once, before the first attempt, and again in each iteration", async () => {
    const { steps } = await play(
      `
- {shell: "write a.txt $ITERATION", condition: "ITERATION == 2"}
- {shell: "write b.txt $ITERATION"}
`,
      { iterations: 2 },
    );

    expect(steps).toEqual(["1 skipped", "2 succeeded", "1 succeeded", "2 succeeded"]);
  });

  test("the line ends that a command prints last do not count", async () => {
    const { steps } = await play(`
- {id: a, shell: "print yes"}
- {shell: "print 2", condition: "a.output == 'yes' && shell.output == 'YES' && last.output == 'yes'"}
`);

    expect(steps).toEqual(["1 succeeded", "2 succeeded"]);
  });

  test("env of playbook and step, and the environment", async () => {
    const { steps } = await play(
      `
env: {A: playbook, B: "\${env.HOME}/x"}
steps:
  - {shell: "print 1", condition: "env.A == 'step' && env.B == '/home/x' && env.HOME == '/home'", env: {A: step}}
  - {shell: "print 2", condition: "env.A == 'playbook' && \${env.NOPE:-no} == 'no'"}
`,
      { environment: { HOME: "/home" } },
    );

    expect(steps).toEqual(["1 succeeded", "2 succeeded"]);
  });

  test("in handlers, where it sees the failed attempt", async () => {
    const { steps } = await play(`
- shell: "fail 2 4"
  on_failure:
    - {shell: "print first", condition: "error.exit_code == 4 && shell.attempt == 1 && failure()"}
    - {shell: "print second", condition: "shell.attempt == 2"}
  on_success: {shell: "print done", condition: "success()"}
- {shell: "print well", condition: "success() && !failure()"}
`);

    expect(steps).toEqual([
      "1.on_failure.1 succeeded",
      "1.on_failure.2 skipped",
      "1.on_failure.1 skipped",
      "1.on_failure.2 succeeded",
      "1.on_success.1 succeeded",
      "1 succeeded",
      "2 succeeded",
    ]);
  });

  test("success() and failure() tell of tolerated failures of this iteration", async () => {
    const { steps } = await play(
      `
- {shell: "write a.txt $ITERATION"}
- {shell: "fail 1", continue_on_error: true}
- {shell: "print good", condition: "success()"}
- {shell: "print bad", condition: "failure()"}
- {shell: "print any", condition: "always()"}
`,
      { iterations: 2 },
    );

    expect(steps).toEqual([
      "1 succeeded",
      "2 tolerated",
      "3 skipped",
      "4 succeeded",
      "5 succeeded",
      "1 succeeded",
      "2 succeeded",
      "3 succeeded",
      "4 skipped",
      "5 succeeded",
    ]);
  });

  test("one that cannot be answered fails the step without an attempt, and no handler runs", async () => {
    const { steps, of, outcome, world } = await play(`
- {id: a, shell: "print no json"}
- shell: "print 2"
  condition: "fromJSON(a.output).x == 1"
  on_failure: {shell: "print never"}
`);

    expect(steps).toEqual(["1 succeeded", "2 failed"]);
    expect(outcome).toEqual({ status: "failed", stop: "step-failed" });
    expect(world.scripts).toHaveLength(1);
    const failure = of("step-finished").at(-1)?.failure;
    expect(failure?.reason).toBe("value");
    expect(failure?.message).toBe(
      `condition fromJSON(a.output).x == 1: fromJSON was given no JSON: "no json"`,
    );
  });

  test("its failure can be tolerated as any other", async () => {
    const { steps, finished } = await play(`
- {id: a, shell: "print 2", condition: "fromJSON(PLAYBOOK).x == 1", continue_on_error: true}
- {shell: "print 3", condition: "failure() && a.success == false"}
`);

    expect(steps).toEqual(["1 tolerated", "2 succeeded"]);
    expect(finished.exitCode).toBe(0);
  });

  test("it is no way around what a value is: printed text is compared, never read as a condition", async () => {
    const { steps } = await play(`
- {id: a, shell: "print ' || 'x' == 'x"}
- {shell: "print 2", condition: "a.output == 'y'"}
`);

    expect(steps).toEqual(["1 succeeded", "2 skipped"]);
  });
});
