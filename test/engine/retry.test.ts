/** `retry:` (spec 2.4), on a clock that never waits: which failures, how many runs, how long between them. */
import { describe, expect, test } from "vitest";
import { play, type PlayOptions } from "../support/fake-ports.ts";

const once: PlayOptions = { iterations: 1 };

/** Runs and sleeps of a single shell step that always fails in this way. */
async function shell(acts: string, retry: string, more: PlayOptions = {}) {
  const { world, outcome, of } = await play(`[{shell: "${acts}", retry: ${retry}}]`, {
    ...once,
    ...more,
  });
  return { runs: world.scripts.length, slept: world.slept, status: outcome.status, of };
}

describe("delays", () => {
  test("N attempts are N runs, with no delay before the first", async () => {
    expect(await shell("exit 1", "{attempts: 3}")).toMatchObject({
      runs: 3,
      slept: [1000, 2000],
      status: "failed",
    });
  });

  test.each([
    ["{}", [1000, 2000]],
    ["{max_attempts: 2}", [1000]],
    ["{attempts: 1}", []],
    ["{attempts: 8}", [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
    ["{attempts: 5, backoff: fixed, initial_delay: 3s}", [3000, 3000, 3000, 3000]],
    ["{attempts: 5, backoff: linear, max_delay: 3s}", [1000, 2000, 3000, 3000]],
    ["{attempts: 3, backoff: exponential, initial_delay: 50ms}", [50, 100]],
    ["{attempts: 3, initial_delay: 2m}", [120_000, 120_000]],
    ["{attempts: 3, initial_delay: 0}", []],
  ])("%s sleeps %j", async (retry, slept) => {
    expect((await shell("exit 1", retry)).slept).toEqual(slept);
  });

  test.each([
    [0, [500, 1000]],
    [0.5, [750, 1500]],
  ])("jitter takes up to half of each: %d makes it %j", async (random, slept) => {
    expect((await shell("exit 1", "{}", { random })).slept).toEqual(slept);
    expect((await shell("exit 1", "{jitter: false}", { random })).slept).toEqual([1000, 2000]);
  });

  test("Ctrl-C in the middle of one ends the session at once: nothing is run any more", async () => {
    const { runs, status } = await shell("exit 1", "{attempts: 5}", { abortAsleep: true });

    expect([runs, status]).toEqual([1, "interrupted"]);
  });
});

describe("which failures of a command", () => {
  test.each([
    ["exit 1", "{}", 3],
    ["timeout", "{}", 3],
    ["kill", "{}", 3],
    ["timeout", "{retry_on: [timeout]}", 3],
    ["exit 1", "{retry_on: [timeout]}", 1],
    ["exit 75", "{retry_on: [transient]}", 3],
    ["exit 7", "{retry_on: [transient, {exit_code: [7, 8]}]}", 3],
    ["exit 9", "{retry_on: [transient, {exit_code: [7, 8]}]}", 1],
    ["exit 9", "{retry_on: [{exit_code: 9}]}", 3],
    ["err 503 Service; exit 1", "{retry_on: [{pattern: 503 Ser}]}", 3],
    ["print x 503; exit 1", "{retry_on: [{pattern: '/\\b50[34]$/m'}]}", 3],
    ["print x 500; exit 1", "{retry_on: [{pattern: '/\\b50[34]$/m'}]}", 1],
  ])("%s with %s: %d runs", async (acts, retry, runs) => {
    expect((await shell(acts, retry)).runs).toBe(runs);
  });

  test("a pattern is looked for in all of a big output, across the pieces it is read in", async () => {
    const edge = 8 * 1024 * 1024 - 4;
    const retry = "{attempts: 2, initial_delay: 0, retry_on: [{pattern: NEEDLE}]}";
    const there = await shell(`flood ${edge} NEEDLE; exit 1`, retry);
    const notThere = await shell(`flood ${edge} NEED_E; exit 1`, retry);
    const anchored = retry.replace("NEEDLE", "'/^x+$/'");
    const edges = await shell(`flood ${edge * 2} o; exit 1`, anchored);

    expect([there.runs, notThere.runs, edges.runs]).toEqual([2, 1, 1]);
  });

  test("without `retry` a command is run once", async () => {
    const { world } = await play(`[{shell: "exit 1"}]`, once);

    expect(world.scripts).toHaveLength(1);
  });
});

describe("Claude", () => {
  async function claude(acts: string | readonly string[], retry: string | null, more = {}) {
    const option = retry === null ? "" : `, retry: ${retry}`;
    const played = await play(`[{claude: "/a"${option}}]`, {
      ...once,
      ...more,
      claude: { "/a": acts },
    });
    return { ...played, runs: played.world.prompts.length, slept: played.world.slept };
  }

  test("is run again after trouble that may pass, up to three times, and what each run cost counts", async () => {
    const { runs, slept, finished, outcome, of } = await claude(
      ["trouble overloaded transient", "trouble connection transient", "print ok"],
      null,
    );

    expect([runs, slept, outcome.status]).toEqual([3, [1000, 2000], "completed"]);
    expect(finished.totals.costUsd).toBe(1.5);
    expect(finished.spending.runs).toBe(3);
    expect(of("run-failed").map(({ run, failure }) => [run, failure.code])).toEqual([
      [1, "overloaded"],
      [2, "connection"],
    ]);
    expect(of("retry-started")).toMatchObject([
      { attempt: 1, run: 2, maxRuns: 4, delayMs: 1000, why: "claude: overloaded" },
      { attempt: 1, run: 3, maxRuns: 4, delayMs: 2000, why: "claude: connection" },
    ]);
    expect(of("attempt-finished")).toMatchObject([{ attempt: 1, failure: null }]);
  });

  test.each([
    ["trouble overloaded transient", null, 4],
    ["trouble idle transient", "{}", 4],
    ["trouble overloaded transient", "{attempts: 1}", 1],
    ["trouble overloaded transient", "{attempts: 2}", 2],
    ["trouble overloaded transient", "{attempts: 6}", 6],
    ["trouble overloaded transient", "{retry_on: [timeout]}", 4],
    ["timeout", null, 1],
    ["timeout", "{}", 3],
    ["trouble max-turns", "{}", 1],
    ["trouble max-turns", "{retry_on: [{pattern: max-turns}]}", 3],
    ["exit 3", "{retry_on: [{exit_code: [3]}]}", 3],
    ["print try again; exit 3", "{retry_on: [{pattern: try again}]}", 3],
  ])("%s with %s: %d runs", async (acts, retry, runs) => {
    expect((await claude(acts, retry)).runs).toBe(runs);
  });

  test.each(["not-logged-in", "api-error", "prompt-too-long", "unknown-command", "not-started"])(
    "%s is never worth another run, whatever `retry_on` says",
    async (code) => {
      const retry = "{retry_on: [transient, timeout, {exit_code: [1]}, {pattern: claude}]}";

      expect((await claude(`trouble ${code}`, retry)).runs).toBe(1);
    },
  );

  test("a usage limit and a spent budget suspend, and are no failures to run again after", async () => {
    const retry = "{retry_on: [{pattern: '/./'}]}";
    const usage = await claude("usage-limit", retry);
    const budget = await claude("over-budget", retry, { limits: { costUsd: 5 } });

    expect([usage.runs, usage.outcome.status]).toEqual([1, "suspended"]);
    expect([budget.runs, budget.outcome.status]).toEqual([1, "suspended"]);
  });

  test("the wait that the service asked for is kept to, ten minutes at most", async () => {
    const { slept } = await claude(
      ["trouble rate-limit transient 9000", "trouble rate-limit transient 9000000", "print ok"],
      "{max_delay: 2s}",
    );

    expect(slept).toEqual([9000, 600_000]);
  });

  test("a limit that is reached between two runs suspends before the next is said", async () => {
    const { runs, outcome, of, slept } = await claude("trouble overloaded transient", null, {
      limits: { costUsd: 0.8 },
    });

    expect([runs, slept, outcome.status]).toEqual([2, [1000], "suspended"]);
    expect(of("retry-started")).toHaveLength(1);
  });

  test("after a usage limit the run is made again and not counted as one", async () => {
    const { runs, slept, outcome, of } = await claude(
      ["trouble overloaded transient", "usage-limit", "trouble overloaded transient", "print ok"],
      "{attempts: 3}",
      { limits: { wait: true } },
    );

    expect([runs, outcome.status]).toEqual([4, "completed"]);
    expect(slept).toEqual([1000, 300_000, 2000]);
    expect(of("retry-started").map(({ run }) => run)).toEqual([2, 3]);
  });
});

describe("inside one attempt (spec 2.3)", () => {
  test("handlers run when the runs are used up, and each attempt has all of them", async () => {
    const { world, steps, of } = await play(
      `[{shell: "exit 1", retry: {attempts: 2, initial_delay: 0}, on_failure: {do: {shell: "print fix"}, max_attempts: 2}}]`,
      once,
    );

    expect(world.scripts.map(({ script }) => script)).toEqual([
      "exit 1",
      "exit 1",
      "print fix",
      "exit 1",
      "exit 1",
    ]);
    expect(steps).toEqual(["1.on_failure.1 succeeded", "1 failed"]);
    expect(of("attempt-started").map(({ at, attempt }) => `${at.step} ${attempt}`)).toEqual([
      "1 1",
      "1.on_failure.1 1",
      "1 2",
    ]);
    expect(of("run-failed").map(({ attempt, run }) => [attempt, run])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test("what a failed run left in the tree stays for the next, and is committed with the step", async () => {
    const { world, outcome, of } = await play(
      `[{shell: "write a.txt 1; fail 1 7; write b.txt 2", retry: {}}]`,
      once,
    );

    expect(outcome.status).toBe("completed");
    expect(world.files).toMatchObject({ "a.txt": "1", "b.txt": "2" });
    expect(world.rollbacks).toEqual([]);
    expect(of("commit-made")).toHaveLength(1);
  });

  test("a HEAD that went backwards is not run over", async () => {
    const { world, of } = await play(
      `[{shell: "commit one"}, {shell: "back 1; exit 1", retry: {}}]`,
      once,
    );

    expect(world.scripts).toHaveLength(2);
    expect(of("step-finished").at(-1)?.failure?.reason).toBe("head");
  });

  test("each run has files of its own, and its output is that of the last", async () => {
    const { of, world } = await play(
      `[{id: a, shell: "print said; fail 1 7; print more", retry: {}}, {shell: "print \${a.output}"}]`,
      once,
    );

    expect(of("attempt-started")[0]?.log).toBe("/session/log/0001-1");
    expect(of("retry-started")[0]?.log).toBe("/session/log/0001-1.2");
    expect(Object.values(world.scripts.at(-1)?.env ?? {}).join()).toContain("said\nmore");
  });

  test("each place: handlers, on_success, defaults and inputs", async () => {
    const handler = await play(
      `[{shell: "exit 1", continue_on_error: true, on_failure: {shell: "fail 2 1", retry: {}, max_attempts: 1}}]`,
      once,
    );
    const success = await play(
      `[{shell: "print x", on_success: {shell: "fail 2 1", retry: {}}}]`,
      once,
    );
    const inputs = await play(
      `{defaults: {retry: {attempts: 2}}, steps: [{shell: "fail 1 1; print \${ARG}"}]}`,
      { ...once, args: ["a", "b"] },
    );

    expect(handler.steps).toEqual(["1.on_failure.1 succeeded", "1 tolerated"]);
    expect(success.steps).toEqual(["1.on_success.1 succeeded", "1 succeeded"]);
    expect(inputs.steps).toEqual(["1 succeeded", "1 succeeded"]);
    expect(inputs.world.slept.length).toBeGreaterThan(0);
  });
});
