/** How iterations, inputs and the session end (spec 4), and "nothing to do" (spec 3.3). */
import { describe, expect, test } from "vitest";
import type { CommandRules } from "../../src/playbook/plan-model.ts";
import { play } from "../support/fake-ports.ts";

const consumer: ReadonlyMap<string, CommandRules> = new Map([
  ["implement", { commit: "optional", produces: null, consumes: "spec" }],
]);

describe("stops (spec 4)", () => {
  test("all iterations done", async () => {
    const { outcome, finished } = await play(`[{shell: "write n.txt $ITERATION"}]`, {
      iterations: 3,
    });

    expect(outcome).toEqual({ status: "completed", stop: "iterations-done" });
    expect(finished.totals.iterations).toBe(3);
  });

  test("an iteration that changed nothing", async () => {
    const { outcome, finished } = await play(`[{claude: "work"}]`, {
      claude: { work: ["write a.txt 1", "print idle", "write a.txt 3"] },
    });

    expect(outcome).toEqual({ status: "completed", stop: "no-changes" });
    expect(finished.totals.iterations).toBe(2);
  });

  test("an iteration that only put a file back to what it was has changed nothing", async () => {
    const { outcome } = await play(
      `[{shell: "write a.txt 1", auto_commit: false}, {shell: "remove a.txt", auto_commit: false}]`,
      { iterations: 2 },
    );

    expect(outcome.stop).toBe("no-changes");
  });

  test("a failed step ends the iteration and the session", async () => {
    const { outcome, steps } = await play(`[{shell: "exit 1"}, {shell: "print x"}]`, {
      iterations: 3,
    });

    expect(outcome).toEqual({ status: "failed", stop: "step-failed" });
    expect(steps).toEqual(["1 failed"]);
  });

  test("inputs: the failed one is listed, the others run, and --fail-fast stops", async () => {
    const yaml = `[{shell: "print $ARG"}, {shell: "fail 1"}]`;
    const all = await play(yaml, { args: ["a", "b", "c"] });
    const fast = await play(yaml, { args: ["a", "b", "c"], failFast: true });

    expect(all.of("input-finished").map(({ input, ok }) => [input.arg, ok])).toEqual([
      ["a", false],
      ["b", true],
      ["c", true],
    ]);
    expect(all.finished.failedInputs).toEqual([
      {
        input: { arg: "a", file: null, index: 1, total: 3 },
        message: "step 2 (fail 1): the command ended with exit code 1",
      },
    ]);
    expect(fast.of("input-started")).toHaveLength(1);
    expect(fast.outcome).toEqual({ status: "failed", stop: "input-failed" });
  });

  test("each input has its own iterations, and nothing-to-do ends the input alone", async () => {
    const { of, outcome } = await play(
      `[{claude: "/review $ARG", id: r}, {claude: "/fix \${r.spec}"}]`,
      {
        args: ["a", "b"],
        iterations: 3,
        claude: { "/review b": ["write specs/b.md x", "print clean"] },
      },
    );

    expect(outcome).toEqual({ status: "completed", stop: "iterations-done" });
    expect(of("input-finished").map(({ stop }) => stop)).toEqual([
      "nothing-to-do",
      "nothing-to-do",
    ]);
    expect(of("iteration-started").map(({ input, iteration }) => [input, iteration])).toEqual([
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
  });
});

describe("Ctrl-C (spec 5, 7)", () => {
  test.each([
    { when: "during a step", yaml: `[{shell: "write a.txt 1; abort"}, {shell: "print never"}]` },
    {
      when: "in a tolerated step",
      yaml: `[{shell: "write a.txt 1; abort", continue_on_error: true}]`,
    },
    {
      when: "in a handler",
      yaml: `[{shell: "write a.txt 1; exit 1", on_failure: {do: [{shell: "abort"}, {shell: "print never"}], fail_workflow: false}}]`,
    },
    {
      when: "in on_success",
      yaml: `[{shell: "write a.txt 1", auto_commit: false, on_success: {shell: "abort"}, on_failure: {shell: "print never"}}]`,
    },
    {
      when: "between two steps of a handler",
      yaml: `[{shell: "write a.txt 1; exit 1", on_failure: [{shell: "interrupt", auto_commit: false}, {shell: "print never"}]}]`,
    },
    {
      when: "as the last thing of an on_success",
      yaml: `[{shell: "write a.txt 1", on_success: {shell: "interrupt", auto_commit: false}}, {shell: "print never"}]`,
    },
  ])("$when: interrupted, nothing more is begun, the tree stays as it is", async ({ yaml }) => {
    const { outcome, world } = await play(yaml, { iterations: 2 });

    expect(outcome).toEqual({ status: "interrupted", stop: "interrupted" });
    expect(world.scripts.map(({ script }) => script)).not.toContain("print never");
    expect(world.files["a.txt"]).toBe("1");
    expect(world.history).toEqual(["first"]);
    expect(world.rollbacks).toEqual([]);
  });

  test("with inputs: the one at work has not failed, and the next one does not start", async () => {
    const { of, finished, outcome } = await play(`[{shell: "abort"}]`, { args: ["a", "b"] });

    expect(outcome.status).toBe("interrupted");
    expect(of("input-started")).toHaveLength(1);
    expect(finished.failedInputs).toEqual([]);
  });
});

describe("nothing to do (spec 3.3)", () => {
  const review = `
- {claude: "/review", id: review}
- {claude: "/fix \${review.spec}", id: fix}
- {claude: "/check \${fix.spec}"}
`;

  test("nothing changed so far: the iteration and the session end successfully", async () => {
    const { outcome, steps, world, of } = await play(review);

    expect(outcome).toEqual({ status: "completed", stop: "nothing-to-do" });
    expect(of("step-finished")[1]?.why).toBe("nothing to do (step review found nothing)");
    expect(steps).toEqual(["1 succeeded", "2 skipped"]);
    expect(world.prompts).toEqual(["/review"]);
  });

  test("after changes only the steps that need it are skipped, those that lean on them too", async () => {
    const { outcome, steps } = await play(
      `- {shell: "write n.txt $ITERATION"}${review}- {shell: "print last"}`,
      { iterations: 1 },
    );

    expect(steps).toEqual(["1 succeeded", "2 succeeded", "3 skipped", "4 skipped", "5 succeeded"]);
    expect(outcome.stop).toBe("iterations-done");
  });

  test("a spec is the newest one under specs/, else any Markdown that the step added", async () => {
    const inSpecs = await play(review, {
      iterations: 1,
      claude: { "/review": "write specs/a.md x; write specs/deep/b.md y; write notes.md z" },
    });
    const loose = await play(review, { iterations: 1, claude: { "/review": "write notes.md z" } });

    expect(inSpecs.world.prompts[1]).toBe("/fix specs/deep/b.md");
    expect(loose.world.prompts[1]).toBe("/fix notes.md");
  });

  test("a file that was there before is no new spec, though the step changed it", async () => {
    const { world, steps } = await play(
      `[{shell: "write specs/a.md old"}, {claude: "/review", id: review}, {claude: "/fix \${review.spec:-none}"}]`,
      { iterations: 1, claude: { "/review": "write specs/a.md new" } },
    );

    expect(steps).toEqual(["1 succeeded", "2 succeeded", "3 succeeded"]);
    expect(world.prompts[1]).toBe("/fix none");
  });

  test("a producing step that changed files but added no spec is no reason to stop", async () => {
    const { world, outcome } = await play(review, {
      iterations: 1,
      claude: { "/review": "write code.txt x" },
    });

    expect(world.prompts.slice(0, 2)).toEqual(["/review", "/fix"]);
    expect(outcome.stop).toBe("iterations-done");
  });

  test("a fallback makes the step run", async () => {
    const { world } = await play(
      `[{claude: "/review", id: review}, {claude: "/fix \${review.spec:-all of it}"}]`,
      { iterations: 1 },
    );

    expect(world.prompts).toEqual(["/review", "/fix all of it"]);
  });

  test("in a handler only that step is skipped", async () => {
    const { steps } = await play(
      `
- {claude: "/review", id: review}
- shell: "fail 1"
  on_failure: [{claude: "/fix \${review.spec}"}, {shell: "print on"}]
`,
      { iterations: 1 },
    );

    expect(steps).toEqual([
      "1 succeeded",
      "2.on_failure.1 skipped",
      "2.on_failure.2 succeeded",
      "2 succeeded",
    ]);
  });

  test("a file_pattern output of a Claude step that changed nothing is no failure either", async () => {
    const { outcome } = await play(`
- {claude: "/review", id: review, outputs: {plan: {file_pattern: "*.md"}}}
- {claude: "/fix \${plan}"}
`);

    expect(outcome).toEqual({ status: "completed", stop: "nothing-to-do" });
  });

  test("a shell step reads an empty text", async () => {
    const { outcome, world } = await play(
      `[{claude: "/review", id: review}, {shell: "print [\${review.spec}]"}]`,
      { iterations: 1 },
    );

    expect(outcome.status).toBe("completed");
    expect(world.scripts).toHaveLength(1);
  });
});

describe("consumes: spec (spec 3.3)", () => {
  test("newest first, each once, and none is nothing to do", async () => {
    const { world, steps } = await play(
      `[{claude: "/review"}, {claude: "/implement"}, {claude: "/implement"}, {claude: "/implement"}]`,
      {
        iterations: 1,
        rules: consumer,
        claude: { "/review": "write specs/a.md x; write specs/b.md y" },
      },
    );

    expect(world.prompts).toEqual(["/review", "/implement specs/b.md", "/implement specs/a.md"]);
    expect(steps.at(-1)).toBe("4 skipped");
  });

  test("one that was handed to such a step by reference, or is gone, is not taken", async () => {
    const { world } = await play(
      `[{claude: "/review", id: r}, {claude: "/implement \${r.spec}"}, {shell: "remove specs/a.md"}, {claude: "/implement"}]`,
      {
        iterations: 1,
        rules: consumer,
        claude: { "/review": "write specs/a.md x; write specs/b.md y" },
      },
    );

    expect(world.prompts).toEqual(["/review", "/implement specs/b.md"]);
  });

  test("one that another step has only looked at is", async () => {
    const { world } = await play(
      `[{claude: "/review", id: r}, {claude: "/look \${r.spec}"}, {claude: "/implement"}]`,
      { iterations: 1, rules: consumer, claude: { "/review": "write specs/a.md x" } },
    );

    expect(world.prompts.slice(1)).toEqual(["/look specs/a.md", "/implement specs/a.md"]);
  });

  test("with an argument, the argument counts", async () => {
    const { world } = await play(`[{claude: "/implement mine.md"}]`, {
      iterations: 1,
      rules: consumer,
    });

    expect(world.prompts).toEqual(["/implement mine.md"]);
  });

  test("a further attempt gets the same spec again, and its failure is not lost", async () => {
    const options = {
      iterations: 1,
      rules: consumer,
      claude: { "/review": "write specs/a.md x", "/implement": ["exit 1", "write done.txt x"] },
    };
    const yaml = `[{claude: "/review"}, {claude: "/implement", on_failure: {shell: "SCRIPT"}}]`;
    const again = await play(yaml.replace("SCRIPT", "print repair"), options);
    const gone = await play(yaml.replace("SCRIPT", "remove specs/a.md"), options);

    expect(again.world.prompts.slice(1)).toEqual([
      "/implement specs/a.md",
      "/implement specs/a.md",
    ]);
    expect(again.outcome.status).toBe("completed");
    expect(gone.steps.at(-1)).toBe("2 failed");
    expect(gone.outcome.status).toBe("failed");
  });

  test("specs do not survive an iteration", async () => {
    const { world } = await play(`[{claude: "/implement"}, {claude: "/review"}]`, {
      rules: consumer,
      claude: { "/review": "write specs/a.md x" },
    });

    expect(world.prompts).toEqual([]);
  });
});

describe("values (spec 3.1)", () => {
  const yaml = `
- {shell: "write $ITERATION$ARG.txt x; fail 1", id: a, on_failure: {id: repair, shell: "print mended"}}
- {claude: "say \${repair.output:-none}"}
`;

  test("do not survive an iteration", async () => {
    const { world } = await play(yaml.replace("$ARG", ""), { iterations: 2 });

    expect(world.prompts).toEqual(["say mended", "say none"]);
  });

  test("do not survive an input", async () => {
    const { world } = await play(yaml, { args: ["a", "b"] });

    expect(world.prompts).toEqual(["say mended", "say none"]);
  });
});
