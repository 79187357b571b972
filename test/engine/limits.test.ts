/** Limits of a session in money, tokens and time (spec 6.5): suspended, never killed. */
import { describe, expect, test } from "vitest";
import { play, type Played } from "../support/fake-ports.ts";

const TWO = `[{claude: "/a"}, {shell: "write b.txt 1"}, {claude: "/c"}, {shell: "print never"}]`;

/** The tree as it is, no step told as failed, nothing rolled back. */
function expectSuspended(
  { outcome, finished, world, of }: Played,
  limit: Partial<Played["finished"]["limit"]>,
): void {
  expect(outcome.status).toBe("suspended");
  expect(finished.limit).toMatchObject(limit ?? {});
  expect(world.rollbacks).toEqual([]);
  expect(of("step-finished").filter(({ conclusion }) => conclusion === "failed")).toEqual([]);
}

describe("money", () => {
  test("what is left goes down to each run of Claude", async () => {
    const { world, outcome } = await play(`[{claude: "/a"}, {claude: "/b"}]`, {
      iterations: 1,
      limits: { costUsd: 2 },
      claude: { "/a": "cost 0.3" },
    });

    expect(world.budgets).toEqual([2, 1.7]);
    expect(outcome.status).toBe("completed");
  });

  test("without a limit nothing goes down", async () => {
    const { world } = await play(`[{claude: "/a"}]`, { iterations: 1 });

    expect(world.budgets).toEqual([null]);
  });

  test("at the limit the next Claude step is not begun; shell steps before it still run", async () => {
    const played = await play(TWO, { limits: { costUsd: 0.5 } });

    expectSuspended(played, { kind: "cost", limit: 0.5, spent: 0.5 });
    expect(played.outcome.stop).toBe("limit");
    expect(played.world.prompts).toEqual(["/a"]);
    expect(played.steps).toEqual(["1 succeeded", "2 succeeded"]);
    expect(played.of("attempt-started").map(({ at }) => at.step)).toEqual(["1", "2"]);
    expect(played.world.files["b.txt"]).toBe("1");
    expect(played.world.history).toEqual(["first", "write b.txt 1"]);
  });

  test("what was spent beyond the limit is told, and the line to type has as much again", async () => {
    const { finished } = await play(TWO, {
      limits: { costUsd: 1 },
      claude: { "/a": "cost 1.2" },
    });

    expect(finished.limit).toEqual({ kind: "cost", limit: 1, spent: 1.2, resetsAt: null });
    expect(finished.next).toEqual(["mmm resume mmm-pb-1 --max-cost 2.20"]);
  });

  test("a session that was done before it looked again is completed", async () => {
    const { outcome } = await play(`[{claude: "/a"}, {shell: "print x"}]`, {
      iterations: 1,
      limits: { costUsd: 0.1 },
    });

    expect(outcome.status).toBe("completed");
  });

  test("it spans iterations and inputs", async () => {
    const iterations = await play(`[{claude: "/a"}]`, {
      claude: { "/a": ["write a 1", "write a 2", "write a 3"] },
      limits: { costUsd: 1 },
    });
    const inputs = await play(`[{claude: "/a $ARG"}]`, {
      args: ["x", "y", "z"],
      limits: { costUsd: 1 },
    });

    expect(iterations.world.prompts).toHaveLength(2);
    expect(iterations.finished.totals.iterations).toBe(3);
    expectSuspended(iterations, { kind: "cost" });
    expect(inputs.world.prompts).toEqual(["/a x", "/a y"]);
    expect(inputs.of("input-started").map(({ input }) => input.arg)).toEqual(["x", "y", "z"]);
    expect(inputs.of("input-finished").map(({ input }) => input.arg)).toEqual(["x", "y"]);
    expect(inputs.finished.failedInputs).toEqual([]);
  });

  test("a prompt that has nothing to do costs nothing, so the limit does not matter", async () => {
    const { outcome } = await play(`[{claude: "/a", id: a}, {claude: "/b \${a.spec}"}]`, {
      limits: { costUsd: 0.5 },
    });

    expect(outcome).toEqual({ status: "completed", stop: "nothing-to-do" });
  });

  test.each([
    {
      where: "in a handler",
      yaml: `[{claude: "/a"}, {shell: "write x.txt 1; exit 1", on_failure: [{shell: "print h", auto_commit: false}, {claude: "/fix"}, {shell: "print never"}]}]`,
      steps: ["1 succeeded", "2.on_failure.1 succeeded"],
    },
    {
      where: "in on_exit_code with a tolerated failure",
      yaml: `[{claude: "/a"}, {shell: "write x.txt 1; exit 7", continue_on_error: true, on_exit_code: {7: {claude: "/fix", fail_workflow: false}}}]`,
      steps: ["1 succeeded"],
    },
    {
      where: "in a handler of a handler",
      yaml: `[{claude: "/a"}, {shell: "write x.txt 1; exit 1", on_failure: {shell: "exit 2", on_failure: {claude: "/fix"}}}]`,
      steps: ["1 succeeded"],
    },
    {
      where: "in on_success",
      yaml: `[{claude: "/a"}, {shell: "write x.txt 1", auto_commit: false, on_success: {claude: "/fix"}, on_failure: {shell: "print never"}}]`,
      steps: ["1 succeeded"],
    },
  ])("$where: it goes up as it is, no handler runs because of it", async ({ yaml, steps }) => {
    const played = await play(yaml, { iterations: 1, limits: { costUsd: 0.5 } });

    expectSuspended(played, { kind: "cost" });
    expect(played.steps).toEqual(steps);
    expect(played.world.prompts).toEqual(["/a"]);
    expect(played.world.scripts.map(({ script }) => script)).not.toContain("print never");
    expect(played.world.files["x.txt"]).toBe("1");
    expect(played.world.history).toEqual(["first"]);
  });

  test("before the second run of a step that failed", async () => {
    const played = await play(`[{claude: "/a", on_failure: {max_attempts: 3}}]`, {
      iterations: 1,
      claude: { "/a": "exit 1" },
      limits: { costUsd: 0.6 },
    });

    expectSuspended(played, { kind: "cost", spent: 1 });
    expect(played.world.prompts).toHaveLength(2);
  });

  test("a run counts while its on_success is at work", async () => {
    const played = await play(`[{claude: "/a", on_success: {claude: "/b"}}]`, {
      iterations: 1,
      limits: { costUsd: 0.5 },
    });

    expectSuspended(played, { kind: "cost", spent: 0.5 });
    expect(played.world.prompts).toEqual(["/a"]);
    expect(played.finished.totals.knownCostUsd).toBe(0.5);
  });

  test("at 80 % there is a warning, once", async () => {
    const { of } = await play(`[{claude: "/a"}, {claude: "/b"}, {claude: "/c"}]`, {
      iterations: 1,
      limits: { costUsd: 1.1 },
      claude: { "/a": "cost 0.8", "/b": "cost 0.1", "/c": "cost 0.1" },
    });

    const warnings = of("note").filter(({ severity }) => severity === "warning");
    expect(warnings.map(({ message }) => message)).toEqual([
      "$0.90 of $1.10 spent, the limit of this session",
    ]);
  });
});

describe("a CLI that stopped at its budget", () => {
  test("suspends: its attempt is no failure, no handler runs, its work stays", async () => {
    const played = await play(
      `[{claude: "/a", on_failure: {shell: "print never"}, continue_on_error: true}]`,
      {
        iterations: 1,
        limits: { costUsd: 1 },
        claude: { "/a": "write a.txt half; cost 1.1; over-budget" },
      },
    );

    expectSuspended(played, { kind: "cost", limit: 1, spent: 1.1 });
    expect(played.world.files["a.txt"]).toBe("half");
    expect(played.world.scripts).toEqual([]);
    expect(played.of("attempt-finished").map(({ failure }) => failure?.reason)).toEqual(["limit"]);
    expect(played.steps).toEqual([]);
  });

  test("suspends even when the figures say that something is left", async () => {
    const played = await play(`[{claude: "/a"}]`, {
      iterations: 1,
      limits: { costUsd: 1 },
      claude: { "/a": "cost 0.9; over-budget" },
    });

    expectSuspended(played, { kind: "cost", spent: 0.9 });
    expect(played.finished.next).toEqual(["mmm resume mmm-pb-1 --max-cost 2.00"]);
  });

  test("without a limit of ours it is a failure like others", async () => {
    const { outcome } = await play(`[{claude: "/a"}]`, { claude: { "/a": "over-budget" } });

    expect(outcome).toEqual({ status: "failed", stop: "step-failed" });
  });
});

describe("unknown cost", () => {
  const unknown = { claude: { "/a": "write a.txt 1; cost unknown" } };

  test("under a money limit it suspends after the step, whose success is kept", async () => {
    const played = await play(
      `[{claude: "/a", id: a, outputs: {f: {file_pattern: "a.txt"}}, on_success: {shell: "print hook", auto_commit: false}}, {shell: "print never"}]`,
      { ...unknown, iterations: 1, limits: { costUsd: 5 } },
    );

    expectSuspended(played, { kind: "unknown-cost", limit: 5, spent: 0 });
    expect(played.steps).toEqual(["1.on_success.1 succeeded", "1 succeeded"]);
    expect(played.of("output-captured").map(({ value }) => value)).toEqual(["a.txt"]);
    expect(played.world.history).toEqual(["first", "a"]);
    expect(played.finished.next).toEqual(["mmm resume mmm-pb-1 --allow-unknown-cost"]);
    expect(played.finished.totals).toMatchObject({ costUsd: null, unknownCosts: 1 });
  });

  test("no other Claude step runs before that, not even its own handler", async () => {
    const played = await play(`[{claude: "/a", on_success: {claude: "/b"}}]`, {
      ...unknown,
      limits: { costUsd: 5 },
    });

    expectSuspended(played, { kind: "unknown-cost" });
    expect(played.world.prompts).toEqual(["/a"]);
  });

  test("--allow-unknown-cost goes on, as does a session without a money limit", async () => {
    const allowed = await play(TWO, {
      ...unknown,
      iterations: 1,
      limits: { costUsd: 5, allowUnknownCost: true },
    });
    const unlimited = await play(TWO, { ...unknown, iterations: 1, limits: { tokens: 1000 } });

    expect([allowed.outcome.status, unlimited.outcome.status]).toEqual(["completed", "completed"]);
  });
});

describe("tokens and time", () => {
  test("tokens: before the next Claude step", async () => {
    const played = await play(TWO, { limits: { tokens: 3 } });

    expectSuspended(played, { kind: "tokens", limit: 3, spent: 3 });
    expect(played.steps).toEqual(["1 succeeded", "2 succeeded"]);
    expect(played.finished.next).toEqual(["mmm resume mmm-pb-1 --max-tokens 6"]);
  });

  test("time: before the next step of any kind; one that runs is not ended", async () => {
    const played = await play(`[{shell: "work 7200000; write a.txt 1"}, {shell: "print never"}]`, {
      iterations: 1,
      limits: { durationMs: 3_600_000 },
    });

    expectSuspended(played, { kind: "duration", limit: 3_600_000 });
    expect(played.steps).toEqual(["1 succeeded"]);
    expect(played.finished.limit?.spent).toBeGreaterThanOrEqual(7_200_000);
    expect(played.finished.next).toEqual(["mmm resume mmm-pb-1 --max-duration 3h1m"]);
  });

  test("time: before the command of `until` too; an expression costs none", async () => {
    const yaml = (until: string): string =>
      `until: ${until}\ngates: {g: {shell: "print x"}}\nsteps: [{shell: "work 7200000"}]`;
    const options = { limits: { durationMs: 3_600_000 } };

    const command = await play(yaml("g"), options);
    const expression = await play(yaml("ITERATION == 1"), options);

    expectSuspended(command, { kind: "duration", limit: 3_600_000 });
    expect(command.world.scripts.map(({ script }) => script)).toEqual(["work 7200000"]);
    expect(expression.outcome).toEqual({ status: "completed", stop: "until" });
  });

  test("money does not hold back the command of `until`", async () => {
    const { outcome } = await play(
      `until: g\ngates: {g: {shell: "print x"}}\nsteps: [{claude: "/a"}]`,
      { limits: { costUsd: 0.5 }, claude: { "/a": "cost unknown" } },
    );

    expect(outcome).toEqual({ status: "completed", stop: "until" });
  });
});

describe("the usage limit of the service", () => {
  const AT_THREE = "1970-01-01T03:00:00.000Z";
  const CLAUDE = { "/a": [`write a.txt half; usage-limit ${AT_THREE}`, "write a.txt whole"] };
  const YAML = `[{claude: "/a", on_failure: {shell: "print never"}}, {shell: "print done"}]`;

  test("suspends with the reset time; the tree stays, no handler runs", async () => {
    const played = await play(YAML, { iterations: 1, claude: CLAUDE });

    expectSuspended(played, { kind: "usage", resetsAt: AT_THREE });
    expect(played.outcome.stop).toBe("usage-limit");
    expect(played.finished.next).toEqual(["mmm resume mmm-pb-1"]);
    expect(played.world.files["a.txt"]).toBe("half");
    expect(played.world.scripts).toEqual([]);
    expect(played.world.slept).toEqual([]);
  });

  test("--wait sleeps until the reset, then runs the same attempt again", async () => {
    const played = await play(YAML, { iterations: 1, claude: CLAUDE, limits: { wait: true } });

    expect(played.outcome.status).toBe("completed");
    expect(played.world.slept).toEqual([3 * 3_600_000 + 30_000]);
    expect(played.of("wait-started")).toMatchObject([
      { until: "1970-01-01T03:00:30.000Z", resetsAt: AT_THREE },
    ]);
    const started = played.of("attempt-started").filter(({ at }) => at.step === "1");
    expect(started.map(({ attempt, log }) => [attempt, log])).toEqual([
      [1, "/session/events/0001-1"],
      [1, "/session/events/0001-1.2"],
    ]);
    expect(played.of("step-finished")[0]).toMatchObject({ conclusion: "succeeded", attempts: 1 });
    expect(played.finished.totals.knownCostUsd).toBe(1);
  });

  test("--wait: what the refused run left is kept and undone before the next one, as a resume does it", async () => {
    const claude = { "/a": [`write half.txt half; usage-limit ${AT_THREE}`, "write a.txt whole"] };
    const played = await play(YAML, { iterations: 1, claude, limits: { wait: true } });

    expect(played.outcome.status).toBe("completed");
    expect(played.world.files).toMatchObject({ "a.txt": "whole" });
    expect(played.world.files).not.toHaveProperty("half.txt");
    const [back, ...others] = played.of("unit-restarted");
    expect(back).toMatchObject({ why: "cut-short", files: ["half.txt"] });
    expect(others).toEqual([]);
    expect(played.finished.next.join("\n")).toContain(back?.kept);
  });

  test("without a reset time it tries again after 5, 10, 20, 40, 60, 60 minutes", async () => {
    const limited = Array.from({ length: 6 }, () => "usage-limit");
    const { world, outcome } = await play(`[{claude: "/a"}]`, {
      iterations: 1,
      claude: { "/a": [...limited, "print ok"] },
      limits: { wait: true },
    });

    expect(outcome.status).toBe("completed");
    expect(world.slept.map((ms) => ms / 60_000)).toEqual([5, 10, 20, 40, 60, 60]);
  });

  test.each(["1969-12-31T00:00:00Z", "soon"])(
    "a reset at %s is none to wait for: after 5 minutes",
    async (resetsAt) => {
      const { world } = await play(`[{claude: "/a"}]`, {
        iterations: 1,
        claude: { "/a": [`usage-limit ${resetsAt}`, "print ok"] },
        limits: { wait: true },
      });

      expect(world.slept).toEqual([300_000]);
    },
  );

  test("time that was slept is no time at work", async () => {
    const { finished, outcome } = await play(YAML, {
      iterations: 1,
      claude: CLAUDE,
      limits: { wait: true, durationMs: 60_000 },
    });

    expect(outcome.status).toBe("completed");
    expect(finished.workedMs).toBeLessThan(60_000);
  });

  test("money that ran out meanwhile suspends instead of another run", async () => {
    const played = await play(YAML, {
      iterations: 1,
      claude: CLAUDE,
      limits: { wait: true, costUsd: 0.5 },
    });

    expectSuspended(played, { kind: "cost" });
    expect(played.world.prompts).toHaveLength(1);
  });

  test("Ctrl-C while it sleeps: interrupted, nothing more is begun", async () => {
    const { outcome, world } = await play(YAML, {
      iterations: 1,
      claude: CLAUDE,
      limits: { wait: true },
      abortAsleep: true,
    });

    expect(outcome).toEqual({ status: "interrupted", stop: "interrupted" });
    expect(world.prompts).toHaveLength(1);
    expect(world.files["a.txt"]).toBe("half");
  });
});
