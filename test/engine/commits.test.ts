/** Commits, the commit rule, HEAD, and going back (spec 5). */
import { describe, expect, test } from "vitest";
import type { CommandRules } from "../../src/playbook/plan-model.ts";
import { FakeWorld, play } from "../support/fake-ports.ts";

const rules = (commit: CommandRules["commit"]): ReadonlyMap<string, CommandRules> =>
  new Map([["cmd", { commit, produces: null, consumes: null }]]);

describe("commit_required (spec 5)", () => {
  const forms = {
    string: '"cmd"',
    name: "{name: cmd}",
    claude: '{claude: "/cmd"}',
    shell: '{shell: "print x"}',
  };
  const cases = [
    // form, written, frontmatter -> required
    { form: "string", written: null, ruled: null, required: true },
    { form: "name", written: null, ruled: null, required: true },
    { form: "claude", written: null, ruled: null, required: false },
    { form: "shell", written: null, ruled: null, required: false },
    { form: "string", written: null, ruled: "optional", required: false },
    { form: "claude", written: null, ruled: "required", required: true },
    { form: "string", written: false, ruled: "required", required: false },
    { form: "name", written: false, ruled: null, required: false },
    { form: "claude", written: true, ruled: "optional", required: true },
    { form: "shell", written: true, ruled: null, required: true },
  ] as const;

  const withKey = (step: string, written: boolean | null): string => {
    if (written === null) return step;
    const mapping = step.startsWith('"') ? `{claude: ${step.replace('"', '"/')}}` : step;
    return mapping.replace("}", `, commit_required: ${String(written)}}`);
  };

  test.each(cases)(
    "F16: $form, written $written, frontmatter $ruled: a missing commit fails: $required",
    async ({ form, written, ruled, required }) => {
      const { outcome, of } = await play(`[${withKey(forms[form], written)}]`, {
        rules: rules(ruled),
        iterations: 1,
      });

      expect(outcome.status).toBe(required ? "failed" : "completed");
      expect(of("step-finished")[0]?.failure?.reason ?? null).toBe(required ? "no-commit" : null);
    },
  );

  test.each(cases.filter(({ required }) => required))(
    "F15: $form, written $written, frontmatter $ruled: what the step left is committed and enough",
    async ({ form, written, ruled }) => {
      const step = withKey(forms[form], written).replace("print x", "write a.txt x");
      const { outcome, world } = await play(`[${step}]`, {
        rules: rules(ruled),
        iterations: 1,
        claude: { "/cmd": "write a.txt x" },
      });

      expect(outcome.status).toBe("completed");
      expect(world.history).toHaveLength(2);
    },
  );

  test("in a handler a bare command requires no commit", async () => {
    const { steps } = await play(`[{shell: "fail 1", on_failure: "cmd"}]`, { rules: rules(null) });

    expect(steps).toEqual(["1.on_failure.1 succeeded", "1 succeeded"]);
  });

  test("what its own file requires it requires in a handler too, unless the step says no", async () => {
    const asked = await play(`[{shell: "fail 1", on_failure: "cmd"}]`, {
      rules: rules("required"),
    });
    const excused = await play(
      `[{shell: "fail 1", on_failure: {claude: "/cmd", commit_required: false}}]`,
      { rules: rules("required") },
    );

    expect(asked.steps).toEqual(["1.on_failure.1 failed", "1 succeeded"]);
    expect(excused.steps).toEqual(["1.on_failure.1 succeeded", "1 succeeded"]);
  });

  test("a commit made in a handler or in on_success counts for the step", async () => {
    const { outcome, of } = await play(`
- shell: "fail 1"
  commit_required: true
  on_failure: {shell: "write fix.txt y; commit the fix"}
- shell: "print x"
  commit_required: true
  on_success: {shell: "write b.txt y"}
`);

    expect(outcome.status).toBe("completed");
    expect(of("step-finished").at(-1)?.commits).toHaveLength(1);
  });

  test("a missed commit is a failure that on_failure sees", async () => {
    const { steps, world } = await play(
      `[{claude: "work", commit_required: true, on_failure: {claude: "\${error.message}"}}]`.replace(
        '"${error',
        '"so: ${error',
      ),
      { iterations: 1, claude: { work: ["print idle", "write a.txt x"] } },
    );

    expect(steps.at(-1)).toBe("1 succeeded");
    expect(world.prompts[1]).toBe('so: no commit was made by "work"');
  });

  test("under commit: off any change satisfies it, and nothing is committed or undone", async () => {
    const good = await play(`[{shell: "write a.txt x", commit_required: true}]`, { commit: "off" });
    const idle = await play(`[{shell: "print x", commit_required: true}]`, { commit: "off" });
    const failed = await play(`[{shell: "write a.txt x; exit 1"}]`, { commit: "off" });

    expect(good.outcome.status).toBe("completed");
    expect(good.world.history).toEqual(["first"]);
    expect(idle.outcome.status).toBe("failed");
    expect(failed.world.files["a.txt"]).toBe("x");
    expect(failed.world.rollbacks).toEqual([]);
  });

  test("a defaulted requirement missed in an unchanged later iteration means nothing is left", async () => {
    const { outcome, finished, of } = await play(`["cmd"]`, {
      claude: { "/cmd": ["write a.txt 1", "print idle"] },
      rules: rules(null),
    });

    expect(outcome).toEqual({ status: "completed", stop: "nothing-to-do" });
    expect(finished.totals.iterations).toBe(2);
    expect(of("step-finished").at(-1)).toMatchObject({
      conclusion: "succeeded",
      why: "nothing left to improve",
    });
  });

  test("an explicit requirement missed there is a failure, and so is a defaulted one after changes", async () => {
    const explicit = await play(`[{claude: "/cmd", commit_required: true}]`, {
      claude: { "/cmd": ["write a.txt 1", "print idle"] },
    });
    const after = await play(`[{shell: "write n.txt $ITERATION"}, "cmd"]`, {
      iterations: 3,
      claude: { "/cmd": ["write a.txt 1", "print idle"] },
    });

    expect(explicit.outcome).toEqual({ status: "failed", stop: "step-failed" });
    expect(after.outcome).toEqual({ status: "failed", stop: "step-failed" });
  });
});

describe("mmm's own commits (spec 5)", () => {
  test("one commit of what is left, with label and trailers; the step's own stay as they are", async () => {
    const { world, of, finished } = await play(`
name: my playbook
steps: [{shell: "write a.txt 1; commit own; write b.txt 2", name: label}]
`);

    expect(world.history).toEqual(["first", "own", "label"]);
    expect(world.trailers).toEqual({
      "Mmm-Session": "mmm-pb-1",
      "Mmm-Playbook": "my playbook",
      "Mmm-Step": "1",
      "Mmm-Iteration": "1",
    });
    expect(of("commit-made").map(({ by, commit }) => [by, commit.subject])).toEqual([
      ["step", "own"],
      ["mmm", "label"],
    ]);
    expect(finished.totals).toMatchObject({ commits: 2, filesChanged: 2, steps: 1, iterations: 1 });
  });

  test("commit_message with its values is the subject", async () => {
    const { world } = await play(
      `[{id: w, shell: "write a.txt 1; print deep", commit_message: "do \${w.what} for \${ARG}", outputs: {what: {capture: text}}}]`,
      { args: ["me"] },
    );

    expect(world.history.at(-1)).toBe("do deep for me");
  });

  test("without a name the subject is what was run, so that inputs differ; a name stays", async () => {
    const plain = await play('[{claude: "/edit ${ARG}"}, {shell: "write b.txt $ARG"}]', {
      args: ["one", "two"],
      claude: { "/edit": "write a.txt x" },
    });
    const named = await play('[{claude: "/edit ${ARG}", name: Edit it}]', {
      args: ["one"],
      claude: { "/edit": "write a.txt x" },
    });

    expect(plain.world.history.slice(1, 3)).toEqual(["edit one", "write b.txt one"]);
    expect(plain.world.history.at(-1)).toBe("write b.txt two");
    expect(named.world.history.at(-1)).toBe("Edit it");
  });

  test("auto_commit: false leaves it uncommitted, also for a required commit", async () => {
    const loose = await play(`[{shell: "write a.txt 1", auto_commit: false}]`);
    const required = await play(
      `[{shell: "write a.txt 1", auto_commit: off, commit_required: true}]`,
    );

    expect(loose.outcome.status).toBe("completed");
    expect(loose.world.history).toEqual(["first"]);
    expect(required.outcome.status).toBe("failed");
  });

  test.each([
    {
      refuse: { kind: "refused", text: "hook says no\n" } as const,
      message: "git commit was refused: hook says no",
    },
    {
      refuse: { kind: "timed-out", afterMs: 60_000 } as const,
      message: "git commit did not end within 60 s and was ended",
    },
    {
      refuse: {
        kind: "blocked",
        reasons: ["key.pem looks secret"],
        ignoreLines: ["*.pem"],
      } as const,
      message: "not committed: key.pem looks secret",
    },
  ])(
    "a commit that is $refuse.kind fails the step, and the handler hears why",
    async ({ refuse, message }) => {
      const { of, world } = await play(
        `[{shell: "write a.txt 1", on_failure: {claude: "see \${error.message}", max_attempts: 1}}]`,
        { refuse, iterations: 1 },
      );

      expect(of("step-finished").at(-1)?.failure).toMatchObject({ reason: "commit", message });
      expect(world.prompts).toEqual([`see ${message}`]);
    },
  );

  test("a tolerated failure keeps and commits its changes, with the exit code as a trailer", async () => {
    const { world, of, finished } = await play(
      `[{shell: "write a.txt 1; exit 3", continue_on_error: true}, {shell: "write b.txt 1"}]`,
    );

    const trailers = [...world.commits.values()].map((commit) =>
      Object.fromEntries(commit.trailers),
    );
    expect(trailers[1]).toMatchObject({ "Mmm-Step": "1", "Mmm-Failed": "exit 3" });
    expect(trailers[2]).not.toHaveProperty("Mmm-Failed");
    expect(of("step-finished")[0]).toMatchObject({ conclusion: "tolerated", files: ["a.txt"] });
    expect(finished.exitCode).toBe(0);
  });
});

describe("HEAD (spec 5)", () => {
  test.each([
    { script: "back 1", message: /HEAD moved backwards, from c\d+ to c\d+/ },
    { script: "amend", message: /history was rewritten/ },
    { script: "branch other", message: /HEAD moved from branch main to branch other/ },
  ])("`$script` is a failure, never a commit, and never tolerated", async ({ script, message }) => {
    const world = new FakeWorld();
    world.write("two.txt", "2");
    const { sha } = world.commit("second");

    const { of, outcome } = await play(
      `[{shell: "${script}", commit_required: true, continue_on_error: true}]`,
      { world },
    );

    expect(of("step-finished")[0]?.failure).toMatchObject({ reason: "head" });
    expect(of("step-finished")[0]?.failure?.message).toMatch(message);
    expect(outcome.status).toBe("failed");
    expect(world.head).toBe(sha);
    expect(world.rollbacks[0]?.branch).toBe("main");
  });

  test("a clean-up handler that moves HEAD back makes a tolerated failure a real one", async () => {
    const world = new FakeWorld();
    world.write("two.txt", "2");
    const { sha } = world.commit("second");

    const { outcome, steps } = await play(
      `[{shell: "exit 1", on_failure: {shell: "back 1", max_attempts: 1, fail_workflow: false}}]`,
      { world },
    );

    expect(steps).toEqual(["1.on_failure.1 failed", "1 failed"]);
    expect(outcome.status).toBe("failed");
    expect(world.head).toBe(sha);
  });
});

describe("rollback (spec 5, 8.4)", () => {
  test("a failed step goes back to where it began, handler commits included; earlier steps stay", async () => {
    const { world, of, finished } = await play(`
- shell: "write one.txt 1"
- shell: "write two.txt 2; exit 1"
  on_failure: {shell: "write fix.txt 3"}
- shell: "print never"
`);

    expect(world.files).toEqual({ "README.md": "hello", "one.txt": "1" });
    expect(world.kept).toEqual([expect.stringContaining("fix.txt")]);
    expect(of("rolled-back")[0]).toMatchObject({ kept: "refs/mmm/failed/s/1", head: world.head });
    expect(finished.next).toEqual(["git restore --source=refs/mmm/failed/s/1 -- two.txt fix.txt"]);
    // what was rolled back is no commit of the session's any more
    expect(finished.totals.commits).toBe(1);
    expect(finished.commits.map(({ subject }) => subject)).toEqual(["write one.txt 1"]);
  });

  test("a failed input goes back to the input's start and leaves nothing, the next one runs", async () => {
    const { world, of, outcome } = await play(
      `[{shell: "write $ARG.txt x"}, {shell: "print $ARG"}, {shell: "fail 1"}]`,
      { args: ["a", "b"] },
    );

    expect(world.files).toEqual({ "README.md": "hello", "b.txt": "x" });
    expect(of("input-finished").map(({ ok }) => ok)).toEqual([false, true]);
    expect(outcome).toEqual({ status: "failed", stop: "input-failed" });
  });

  test("--no-rollback leaves all as it is", async () => {
    const { world } = await play(`[{shell: "write a.txt 1; exit 1"}]`, { rollback: false });

    expect(world.files["a.txt"]).toBe("1");
    expect(world.kept).toEqual([]);
  });

  test("a step that changed nothing keeps nothing and undoes nothing, beside the user's own files too", async () => {
    const plain = await play(`[{shell: "exit 1"}]`);
    const beside = await play(`[{shell: "exit 1"}]`, { protectedFiles: true });

    for (const { world, of } of [plain, beside]) {
      expect(world.kept).toEqual([]);
      expect(of("rolled-back")).toEqual([]);
    }
  });
});
