/** Gates, `validation` and `until` (spec 2.6), in the engine with the world in memory. */
import { describe, expect, test } from "vitest";
import { FakeWorld, play } from "../support/fake-ports.ts";

const header = (gates: string, steps: string): string => `gates: ${gates}\nsteps:\n${steps}`;

describe("validation", () => {
  test("runs after the step and its outputs, before mmm's commit, in the order listed", async () => {
    const { world, of, events } = await play(
      header(
        `{one: {shell: "print 1"}, two: {shell: "print \${n}"}}`,
        `  - {shell: "write a.txt x; print 7", outputs: {n: {capture: number}}, validation: [one, two]}`,
      ),
    );

    expect(world.scripts.map(({ script }) => script.split(" ")[0])).toEqual([
      "write",
      "print",
      "print",
    ]);
    expect(of("gate-finished").map(({ gate, verdict, when }) => [gate, verdict, when])).toEqual([
      ["one", "ok", "after"],
      ["two", "ok", "after"],
    ]);
    expect(of("gate-finished")[1]).toMatchObject({
      at: { step: "1" },
      attempt: 1,
      command: "print 7",
      exitCode: 0,
      end: { kind: "exited", code: 0 },
      tail: "7",
      figures: null,
      commit: "c2",
      uncommitted: 1,
      log: "/session/log/0001-1.after.two",
    });
    const types = events.map(({ type }) => type);
    expect(types.indexOf("output-captured")).toBeLessThan(types.indexOf("gate-started"));
    expect(types.lastIndexOf("gate-finished")).toBeLessThan(types.indexOf("commit-made"));
  });

  test("the first gate that fails ends the attempt: no commit, rolled back, its output in the failure", async () => {
    const { world, outcome, finished, of } = await play(
      header(
        `{bad: {shell: "print why; exit 3"}, after: {shell: "print no"}}`,
        `  - {shell: "write a.txt x", validation: [bad, after]}`,
      ),
    );

    expect(outcome).toEqual({ status: "failed", stop: "step-failed" });
    expect(world.scripts).toHaveLength(2);
    expect(world.files).toEqual({ "README.md": "hello" });
    expect(finished.commits).toEqual([]);
    expect(of("step-finished")[0]?.failure).toEqual({
      reason: "validation",
      message: "validation `bad` failed: `print why; exit 3` ended with exit code 3",
      exitCode: null,
      next: [],
      rendered: "print why; exit 3",
      end: { kind: "exited", code: 3 },
      tail: "why",
      log: "/session/log/0001-1.after.bad",
    });
  });

  test("on_failure sees it with what the gate printed, and the step runs again; on_exit_code does not", async () => {
    const { world, steps, of } = await play(
      header(
        `{g: {shell: "print broken; fail 1 9"}}`,
        `  - shell: "write a.txt x"
    validation: g
    on_exit_code: {9: {shell: "print never"}}
    on_failure: {shell: "print \${error.output} \${error.message}"}`,
      ),
    );

    expect(steps).toEqual(["1.on_failure.1 succeeded", "1 succeeded"]);
    expect(of("attempt-started").map(({ rendered }) => rendered)).toContain(
      "print broken\n validation `g` failed: `print broken; fail 1 9` ended with exit code 9",
    );
    expect(world.files["a.txt"]).toBe("x");
  });

  test("a tolerated failure keeps its changes with a trailer", async () => {
    const { world, outcome } = await play(
      header(
        `{g: {shell: "exit 1"}}`,
        `  - {shell: "write a.txt x", validation: [g], continue_on_error: true}`,
      ),
    );

    expect(outcome.status).toBe("completed");
    expect(world.trailers["Mmm-Failed"]).toBe("validation");
  });

  test("what a gate changes is put back, kept, and not committed as the step's", async () => {
    const { world, of } = await play(
      header(
        `{build: {shell: "write dist.js built; write a.txt formatted"}}`,
        `  - {shell: "write a.txt x", validation: [build]}`,
      ),
    );

    expect(world.files).toEqual({ "README.md": "hello", "a.txt": "x" });
    expect(world.kept).toHaveLength(1);
    expect(of("note").map(({ message }) => message)).toEqual([
      "validation changed a.txt, dist.js: put back, and kept in refs/mmm/failed/s/1; add what a check writes to .gitignore",
    ]);
    expect(of("commit-made").map(({ commit }) => commit.subject)).toEqual(["write a.txt x"]);
  });

  test("a gate that commits changes no history", async () => {
    const { world } = await play(
      header(
        `{g: {shell: "write b.txt y; commit sneaky"}}`,
        `  - {shell: "write a.txt x", validation: [g]}`,
      ),
    );

    expect(world.history).toEqual(["first", "write a.txt x"]);
  });

  test.each([
    ["--no-rollback", { rollback: false }],
    ["commit: off", { commit: "off" as const }],
  ])("with %s what a gate changes stays, and is said", async (_name, options) => {
    const { world, of } = await play(
      header(
        `{g: {shell: "write dist.js built"}}`,
        `  - {shell: "write a.txt x", validation: [g]}`,
      ),
      options,
    );

    expect(world.files["dist.js"]).toBe("built");
    expect(world.rollbacks).toEqual([]);
    expect(of("note")[0]?.message).toContain("dist.js: left as it is");
  });

  test("the time of a gate is its own, else the step's", async () => {
    const { world } = await play(
      header(
        `{a: {shell: "print a", timeout: 5s}, b: {shell: "print b"}}`,
        `  - {shell: "print x", timeout: 9s, validation: [a, b]}`,
      ),
    );

    expect(world.timeouts).toEqual([9000, 5000, 9000]);
  });

  test("it works in handlers", async () => {
    const { steps } = await play(
      header(
        `{g: {shell: "exit 1"}}`,
        `  - {shell: "fail 1 1", on_failure: {shell: "print repaired", validation: [g]}}`,
      ),
    );

    expect(steps).toEqual(["1.on_failure.1 failed", "1 succeeded"]);
  });

  test("a step that had nothing to do is not validated", async () => {
    const { world } = await play(
      header(
        `{g: {shell: "exit 1"}}`,
        `  - {claude: "review", id: r}\n  - {claude: "fix \${r.spec}", validation: [g]}`,
      ),
    );

    expect(world.scripts).toEqual([]);
  });

  test("a Ctrl-C during a gate is no failed gate", async () => {
    const { outcome, of } = await play(
      header(`{g: {shell: "abort"}}`, `  - {shell: "write a.txt x", validation: [g]}`),
    );

    expect(outcome.status).toBe("interrupted");
    expect(of("step-finished")[0]?.failure?.reason).toBe("cancelled");
  });
});

describe("words", () => {
  const steps = "  - shell: write a.txt x\n    validation:\n";

  test("stand for the project's own commands", async () => {
    const { world, outcome } = await play(
      `steps:\n${steps}      - tests_pass: true\n      - lint_clean\n      - build_passes: true`,
      { project: { test: "print test", lint: "print lint", build: "print build" } },
    );

    expect(outcome.status).toBe("completed");
    expect(world.scripts.slice(1).map(({ script }) => script)).toEqual([
      "print test",
      "print lint",
      "print build",
    ]);
  });

  test("without such a command they are skipped with a word, neither passed nor failed (spec 9.4)", async () => {
    const { outcome, of } = await play(
      `steps:\n${steps}      tests_pass: true\n      coverage_increased: true\n      performance_regression: false`,
    );

    expect(outcome.status).toBe("completed");
    expect(
      of("gate-finished").map(({ gate, verdict, command }) => [gate, verdict, command]),
    ).toEqual([
      ["tests_pass", "skipped", null],
      ["coverage_increased", "skipped", null],
      ["performance_regression", "skipped", null],
    ]);
    expect(of("gate-finished")[0]?.why).toBe(
      "no test command was found; say it under project.test in .mmm/config.yml",
    );
  });

  test("coverage_increased reads what the tests leave, and is skipped when they leave nothing", async () => {
    const yaml = `steps:\n${steps}      coverage_increased: true`;
    const more = await play(yaml, {
      project: { test: "write lcov.info $MMM_COV" },
      environment: {},
    });
    const none = await play(yaml, { project: { test: "print ok" } });

    expect(more.of("gate-finished").at(-1)).toMatchObject({ verdict: "failed" });
    expect(none.of("gate-finished")).toMatchObject([{ verdict: "skipped", command: "print ok" }]);
  });
});

describe("metrics", () => {
  const metric = (rule: string, step = "write n.txt 2"): Parameters<typeof play> => [
    header(
      `{m: {metric: {shell: "print $N"}, ${rule}}}`,
      `  - {shell: "${step}", env: {N: 10}, validation: [m]}`,
    ),
  ];

  test("are taken before and after the step, and both are recorded", async () => {
    const { of, world } = await play(...metric("must: not_regress"));

    expect(world.scripts.map(({ script }) => script.split(" ")[0])).toEqual([
      "print",
      "write",
      "print",
    ]);
    expect(
      of("gate-finished").map(({ when, verdict, figures }) => [when, verdict, figures]),
    ).toEqual([
      ["before", "measured", { before: 10, after: null }],
      ["after", "ok", { before: 10, after: 10 }],
    ]);
  });

  test("a figure that did not move has neither increased nor decreased", async () => {
    const up = await play(...metric("must: increase"));
    const down = await play(...metric("must: decrease"));

    expect(up.of("step-finished")[0]?.failure?.message).toBe(
      "validation `m` failed: it did not increase: 10 before, 10 after",
    );
    expect(down.outcome.status).toBe("failed");
  });

  test("one that cannot be taken before fails the step before it runs: nothing is paid", async () => {
    const { world, of } = await play(
      header(
        `{m: {metric: {shell: "print none"}, must: increase}}`,
        `  - {claude: "work", validation: [m]}`,
      ),
    );

    expect(world.prompts).toEqual([]);
    expect(of("step-finished")[0]?.failure).toMatchObject({
      reason: "validation",
      message:
        "`m` cannot be measured before the step: the command printed no number on standard output",
      tail: "none",
    });
  });

  test("figures from before the step stand for all attempts", async () => {
    const { world } = await play(
      header(
        `{m: {metric: {shell: "print 1"}, must: not_regress}}`,
        `  - {shell: "fail 1 1", validation: [m], on_failure: {max_attempts: 2}}`,
      ),
    );

    expect(world.scripts.map(({ script }) => script)).toEqual([
      "print 1",
      "fail 1 1",
      "fail 1 1",
      "print 1",
    ]);
  });

  describe("coverage", () => {
    const covered = (step: string, rule = "must: increase"): string =>
      header(
        `{c: {metric: {coverage: lcov.info}, ${rule}}}`,
        `  - {shell: "${step}", validation: [c]}`,
      );
    const world = (percent?: string): FakeWorld => {
      const made = new FakeWorld();
      if (percent !== undefined) made.write("lcov.info", percent);
      made.commit("report");
      return made;
    };

    test("compares the report before with the report after", async () => {
      const good = await play(covered("write lcov.info 81"), { world: world("80") });
      const bad = await play(covered("write lcov.info 79"), { world: world("80") });

      expect(good.of("gate-finished").at(-1)?.figures).toEqual({ before: 80, after: 81 });
      expect(bad.finished.status).toBe("failed");
    });

    test("full coverage cannot increase, and is fine", async () => {
      const { outcome } = await play(covered("write lcov.info 100.0"), { world: world("100") });

      expect(outcome.status).toBe("completed");
    });

    test("a report that is missing, stale or unreadable is a clear failure", async () => {
      const message = async (step: string, percent?: string): Promise<string | undefined> => {
        const { of } = await play(covered(step), { world: world(percent) });
        return of("step-finished")[0]?.failure?.message;
      };

      expect(await message("print x")).toBe(
        "`c` cannot be measured before the step: there is no coverage report lcov.info",
      );
      expect(await message("print x", "80")).toBe(
        "validation `c` failed: the coverage report lcov.info is stale: nothing wrote it since",
      );
      expect(await message("write lcov.info broken", "80")).toBe(
        "validation `c` failed: the coverage report lcov.info cannot be used: its format is not known",
      );
    });

    test("`run` makes the report, before and after; the repository does not see it", async () => {
      const { world: after, of } = await play(
        header(
          `{c: {metric: {coverage: lcov.info, run: "write lcov.info 50"}, must: not_regress}}`,
          `  - {shell: "write a.txt x", validation: [c]}`,
        ),
      );

      expect(of("gate-finished").map(({ figures }) => figures)).toEqual([
        { before: 50, after: null },
        { before: 50, after: 50 },
      ]);
      expect(Object.keys(after.files)).toEqual(["README.md", "a.txt"]);
    });
  });
});

describe("until", () => {
  const until = (more = "", step = "write n.txt $ITERATION"): string =>
    `until: done${more}\ngates: {done: {shell: "fail 2 1"}}\nsteps: [{shell: "${step}"}]`;

  test("stops with success after the iteration that meets it; 10 iterations unless told otherwise", async () => {
    const { outcome, finished, of } = await play(until());

    expect(outcome).toEqual({ status: "completed", stop: "until" });
    expect(finished).toMatchObject({ maxIterations: 10, totals: { iterations: 3 } });
    expect(of("gate-finished").map(({ when, verdict, at }) => [when, verdict, at.step])).toEqual([
      ["until", "failed", "until"],
      ["until", "failed", "until"],
      ["until", "ok", "until"],
    ]);
  });

  test("at the limit without it the session has failed, and its commits stay", async () => {
    const { outcome, world } = await play(until("\nmax_iterations: 2"));

    expect(outcome).toEqual({ status: "failed", stop: "criterion-unmet" });
    expect(world.history).toHaveLength(3);
  });

  test("an iteration that changes nothing does not end the loop: something else may change", async () => {
    const { finished } = await play(until("", "print x"));

    expect(finished).toMatchObject({ stop: "until", totals: { iterations: 3 } });
  });

  test("nothing left to do ends it, with what `until` says", async () => {
    const yaml = (gate: string): string =>
      `until: g\ngates: {g: {shell: "${gate}"}}\nsteps: [{claude: "review", id: r}, {claude: "fix \${r.spec}"}]`;
    const met = await play(yaml("exit 0"));
    const unmet = await play(yaml("exit 1"));

    expect(met.outcome).toEqual({ status: "completed", stop: "until" });
    expect(unmet.outcome).toEqual({ status: "failed", stop: "criterion-unmet" });
    expect(unmet.finished.totals.iterations).toBe(1);
  });

  test("each input has its own; one that does not meet it leaves nothing, and the others run", async () => {
    const { world, finished, of } = await play(
      `until: g\nmax_iterations: 1\ngates: {g: {shell: "fail 1 1"}}\nsteps: [{shell: "write $ARG.txt x"}]`,
      { args: ["a", "b"] },
    );

    expect(of("input-finished").map(({ ok, stop }) => [ok, stop])).toEqual([
      [false, "criterion-unmet"],
      [true, "until"],
    ]);
    expect(world.files).toEqual({ "README.md": "hello", "b.txt": "x" });
    expect(finished).toMatchObject({
      stop: "input-failed",
      failedInputs: [{ message: "until g was not met: `fail 1 1` ended with exit code 1" }],
    });
  });

  test("a word whose command is not there is never met", async () => {
    const { outcome, of } = await play(
      `until: tests_pass\nmax_iterations: 1\nsteps: [{shell: "print x"}]`,
    );

    expect(outcome).toEqual({ status: "failed", stop: "criterion-unmet" });
    expect(of("gate-finished")[0]?.verdict).toBe("skipped");
  });

  test("a Ctrl-C in it is an interruption", async () => {
    const { outcome } = await play(
      `until: g\ngates: {g: {shell: "abort"}}\nsteps: [{shell: "print x"}]`,
    );

    expect(outcome.status).toBe("interrupted");
  });
});

test("${project.x} is the project's command, in texts and in shell text (spec 2.6)", async () => {
  const { world } = await play(
    `steps: [{claude: "run \${project.test}, then \${project.bench:-nothing}"}, {shell: "\${project.test|raw}"}]`,
    { project: { test: "print tests" } },
  );

  expect(world.prompts).toEqual(["run print tests, then nothing"]);
  expect(world.scripts[0]?.script).toBe("print tests");
});

describe("expressions", () => {
  const yaml = (gate: string, more = ""): string =>
    `gates: {healthy: {expression: "${gate}"}}${more}
steps:
  - {shell: "print $ITERATION", id: check, outputs: {score: {capture: number}}, validation: [healthy]}`;

  test("see the outputs of the step they validate", async () => {
    const good = await play(yaml("score == 1 && ${check.exit_code} == 0"));
    const bad = await play(yaml("${check.score} > 5"));

    expect(good.of("gate-finished")).toMatchObject([
      { gate: "healthy", verdict: "ok", command: null },
    ]);
    expect(bad.of("step-finished")[0]?.failure).toMatchObject({
      reason: "validation",
      message: "validation `healthy` failed: ${check.score} > 5 is false",
    });
  });

  test("`until` is one, or names a gate that is one", async () => {
    const direct = await play(
      `until: score >= 3\nsteps: [{shell: "print $ITERATION", outputs: {score: {capture: number}}}]`,
    );
    const named = await play(yaml("score <= 2", "\nuntil: healthy"));

    expect(direct.finished).toMatchObject({ stop: "until", totals: { iterations: 3 } });
    expect(direct.of("gate-finished")[0]).toMatchObject({
      gate: "until",
      why: "score >= 3 is false",
      at: { label: "until score >= 3", place: "pb.yml:1" },
    });
    expect(named.finished).toMatchObject({ stop: "until", totals: { iterations: 1 } });
  });
});
