/** `mmm resume` (spec 7): what is reused, what starts again, and what is refused. */
import { cpSync, existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen([
    { prompt: "/first", times: "always", writes: { "first.txt": "1\n" }, text: "one" },
    { prompt: "/second", times: "always", writes: { "second.txt": "2\n" }, text: "two" },
    { times: "always" },
  ]);
});
afterEach(() => kitchen.dispose());

const at = (file: string): string => path.join(kitchen.repo.root, file);
const name = (): string => path.basename(kitchen.session());

/** Ends mmm when a step has made `file`. */
async function stopped(playbook: string, signal: NodeJS.Signals, args: readonly string[] = []) {
  return kitchen.cook(playbook, args, {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (!existsSync(at("started"))) return;
        clearInterval(timer);
        child.kill(signal);
      }, 10);
    },
  });
}

/** Waits in its third step until `go` is there (ignored files outlive what is undone). */
const PLAYBOOK = `
max_iterations: 1
steps:
  - claude: "/first"
    id: first
  - shell: "echo \${first.output} > value.txt"
  - shell: "echo half > half.txt; touch started; while ! test -f go; do sleep 0.05; done; echo whole > whole.txt"
  - claude: "/second \${first.output}"
`;

const SUBJECTS = ["first", "echo one > value.txt"];

/** The playbook is committed, so that nothing but the session's own work is in the tree. */
async function prepared(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
  await ready();
  await kitchen.repo.write("pb.yml", PLAYBOOK);
  await kitchen.repo.commitAll("playbook");
  await stopped(PLAYBOOK, signal);
  await kitchen.repo.write("go", "");
}

async function ready(...ignored: readonly string[]): Promise<void> {
  await kitchen.repo.write(".gitignore", ["started", "go", ...ignored, ""].join("\n"));
  await kitchen.repo.commitAll("ignore");
}

/** Commits of the session. */
async function made(): Promise<readonly string[]> {
  const history = await kitchen.history();
  return history.slice(
    history.findLastIndex((subject) => /^(?:ignore|playbook)$/.test(subject)) + 1,
  );
}

describe("goes on", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)(
    "after %s: finished steps are reused, the one cut short starts again, its work is kept",
    async (signal) => {
      await prepared(signal);
      const before = await kitchen.prompts();

      const result = await kitchen.mmm(["resume"]);

      expect(result).toMatchObject({ code: 0 });
      expect(before).toEqual(["/first"]);
      expect(await kitchen.prompts()).toEqual(["/first", "/second one"]);
      expect(result.stdout).toContain(`Resuming ${name()} (2 steps reused`);
      expect(result.stdout).toMatch(/1\/3 .*was cut short, starts again/);
      expect(result.stdout).toContain("2 steps of this iteration left");
      expect((await made()).slice(0, 2)).toEqual(SUBJECTS);
      expect(await kitchen.repo.read("whole.txt")).toBe("whole\n");
      const kept = await kitchen.repo.git("show", `refs/mmm/failed/${name()}/1:half.txt`);
      expect(kept).toBe("half");
      expect(result.stdout + result.stderr).toContain(
        `git restore --source=refs/mmm/failed/${name()}/1`,
      );
    },
  );

  test("with its own variables, inputs and options, from anywhere in the repository", async () => {
    await kitchen.repo.write("deep/er/x.txt", "x");
    await ready();
    const playbook = `
- shell: "echo \${ARG} \${INDEX}/\${TOTAL} \${ITERATION}/\${MAX_ITERATIONS} \${SESSION_ID} >> out.txt"
- shell: "test \${ARG} = a || { touch started; while ! test -f go; do sleep 0.05; done; }"
- shell: "echo end \${ARG} >> out.txt"
`;
    await stopped(playbook, "SIGKILL", ["--args", "a", "--args", "b", "-n", "1"]);
    await kitchen.repo.write("go", "");
    const session = name();

    const result = await kitchen.mmm(["resume", session], { cwd: at("deep/er") });

    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain("1 of 2 inputs are done");
    expect(await kitchen.repo.read("out.txt")).toBe(
      [`a 1/2 1/1 ${session}`, "end a", `b 2/2 1/1 ${session}`, "end b", ""].join("\n"),
    );
  });

  test("attempt numbers go on, and a repair that was made is not made again", async () => {
    await ready();
    const playbook = `
- shell: "test -f fixed || exit 9; touch started; while ! test -f go; do sleep 0.05; done"
  id: check
  on_failure: {max_attempts: 3, do: [{claude: "/first"}, {shell: "echo \${shell.attempt} > fixed"}]}
- shell: "echo \${check.attempts} > attempts.txt"
`;
    await stopped(playbook, "SIGKILL", ["-n", "1"]);
    await kitchen.repo.write("go", "");

    const result = await kitchen.mmm(["resume", "--reporter", "json"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.prompts()).toEqual(["/first"]);
    expect(await kitchen.repo.read("attempts.txt")).toBe("2\n");
    const [resumed] = result.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(resumed).toMatchObject({
      type: "session-resumed",
      segment: 2,
      inFlight: { attempt: 2, at: { step: "1" } },
    });
  });

  test("killed when it had said no more than what it was asked, it begins like a new one", async () => {
    await ready();
    const hook = path.resolve(import.meta.dirname, "../support/crash-hook.mjs");
    const env = { CRASH_AT: "after:1", NODE_OPTIONS: `--import=${hook}` };
    const killed = await kitchen.cook('[{claude: "/first"}]', ["-n", "1"], { env });

    const result = await kitchen.mmm(["resume"]);

    expect(killed).toMatchObject({ signal: "SIGKILL" });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain("nothing is reused");
    expect(await kitchen.prompts()).toEqual(["/first"]);
  });

  test("a failed session starts again at the step that failed", async () => {
    const playbook = `
- claude: "/first"
- shell: "echo junk > junk.txt; test -f mended"
- shell: "echo end > end.txt"
`;
    await ready("mended");
    expect(await kitchen.cook(playbook, ["-n", "1"])).toMatchObject({ code: 1 });
    await kitchen.repo.write("mended", "");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.prompts()).toEqual(["/first"]);
    expect(await made()).toHaveLength(3);
  });

  test("after --no-rollback what the failed step left is kept and undone, and nobody calls it cut short", async () => {
    await ready("mended");
    const playbook = '[{shell: "echo junk >> junk.txt; test -f mended"}]';
    await kitchen.cook(playbook, ["-n", "1", "--no-rollback"]);
    await kitchen.repo.write("mended", "");

    const result = await kitchen.mmm(["resume"]);
    const shown = await kitchen.mmm(["sessions", "show"]);

    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toContain("1 file that the failed step had left is kept in refs/mmm/");
    expect(shown.stdout).toContain("the step that failed begins again");
    expect(result.stdout + result.stderr + shown.stdout).not.toContain("cut short");
    expect(await kitchen.repo.read("junk.txt")).toBe("junk\n");
  });

  test("of several inputs only those that failed start anew", async () => {
    const playbook = `
- claude: "/work \${ARG}"
- shell: "test \${ARG} != b || test -f mended"
- shell: "echo \${ARG} >> done.txt"
`;
    await ready("mended");
    const args = ["--args", "a", "--args", "b", "--args", "c"];
    expect(await kitchen.cook(playbook, args)).toMatchObject({ code: 1 });
    await kitchen.repo.write("mended", "");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.prompts()).toEqual(["/work a", "/work b", "/work c", "/work b"]);
    expect(await kitchen.repo.read("done.txt")).toBe("a\nc\nb\n");
  });

  test("a commit that the unit made before it was killed is undone and kept, and made again", async () => {
    await ready();
    const playbook = `
- shell: "echo x >> x.txt; git add x.txt; git commit -qm mine; touch started; while ! test -f go; do sleep 0.05; done"
`;
    await stopped(playbook, "SIGKILL");
    await kitchen.repo.write("go", "");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await made()).toEqual(["mine"]);
    expect(await kitchen.repo.read("x.txt")).toBe("x\n");
    expect(
      await kitchen.repo.git("log", "-2", "--format=%s", `refs/mmm/failed/${name()}/1`),
    ).toContain("mine");
  });

  test("a branch that the unit had switched to before it was killed is left again", async () => {
    await ready();
    const playbook = `
- shell: "test -f go && exit 0; git switch -qc side; git commit -qm mine --allow-empty; touch started; sleep 60"
- shell: "git branch --show-current > branch.txt"
`;
    await stopped(playbook, "SIGKILL", ["-n", "1"]);
    await kitchen.repo.write("go", "");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("branch.txt")).toBe("main\n");
    expect(await kitchen.repo.git("log", "-1", "--format=%s", "side")).toBe("mine");
  });

  test("under --allow-dirty the user's own edits are byte for byte as they were", async () => {
    await kitchen.repo.write("mine.txt", "committed\n");
    await ready();
    await kitchen.repo.write("mine.txt", "my edit\n");
    await kitchen.repo.write("new.txt", "my new file\n");
    const playbook = `
- shell: "echo a > a.txt"
- shell: "if test -f go; then echo b > b.txt; else echo spoiled > mine.txt; rm new.txt; touch started; sleep 60; fi"
`;
    await stopped(playbook, "SIGKILL", ["--allow-dirty"]);
    await kitchen.repo.write("go", "");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("mine.txt")).toBe("my edit\n");
    expect(await kitchen.repo.read("new.txt")).toBe("my new file\n");
    expect(await kitchen.repo.git("show", "HEAD:mine.txt")).toBe("committed");
  });

  test("without commits, from the snapshot before the step", async () => {
    await ready();
    const playbook = `
- shell: "echo a >> a.txt"
- shell: "echo b >> b.txt; touch started; while ! test -f go; do sleep 0.05; done"
- shell: "cat a.txt b.txt > both.txt"
`;
    await stopped(playbook, "SIGKILL", ["--no-commit"]);
    await kitchen.repo.write("go", "");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("both.txt")).toBe("a\nb\n");
    expect(await made()).toEqual([]);
  });

  test.each([[[]], [["--no-commit"]]])(
    "after a gc that keeps nothing it need not keep, with %j",
    async (args) => {
      await ready();
      const playbook = `
max_iterations: 1
steps:
- shell: "echo a > a.txt"
- shell: "echo b > b.txt; touch started; while ! test -f go; do sleep 0.05; done"
`;
      await stopped(playbook, "SIGKILL", args);
      await kitchen.repo.git("gc", "--quiet", "--prune=now");
      await kitchen.repo.write("go", "");

      expect(await kitchen.mmm(["resume"])).toMatchObject({ code: 0 });
      expect(await kitchen.repo.git("for-each-ref", "refs/mmm/failed")).not.toBe("");
    },
  );

  test("a limit that was lowered counts from where the session goes on, and all that was spent is told", async () => {
    await ready();
    const playbook = `
max_iterations: 1
steps:
- shell: "echo a > a.txt"
- claude: "/first"
- shell: "touch started; while ! test -f go; do sleep 0.05; done"
- shell: "echo end > end.txt"
`;
    await stopped(playbook, "SIGKILL");
    await kitchen.repo.write("go", "");

    const result = await kitchen.mmm(["resume", "--max-duration", "1ms", "--reporter", "json"]);

    expect(result).toMatchObject({ code: 75 });
    const end = JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "") as object;
    expect(end).toMatchObject({ stop: "limit", totals: { steps: 2, commits: 2 } });
  });

  test("with a recording that stands in for Claude, after the calls that were made", async () => {
    await ready();
    const playbook = `
- claude: "/same"
- shell: "if ! test -f go; then touch started; sleep 60; fi"
- claude: "/same"
`;
    const tape = path.join(kitchen.repo.base, "tape.jsonl");
    await kitchen.repo.write("go", "");
    await kitchen.cook(playbook, ["--record", tape]);
    await kitchen.repo.git("clean", "-fdxq", "--", "go");
    await stopped(playbook, "SIGKILL", ["--replay", tape]);
    await kitchen.repo.write("go", "");

    expect(await kitchen.mmm(["resume"])).toMatchObject({ code: 0 });
    expect(await kitchen.prompts()).toEqual(["/same", "/same"]);
  });
});

describe("an edited playbook", () => {
  const edit = async (from: string, to: string): Promise<void> =>
    kitchen.repo.write("pb.yml", PLAYBOOK.replace(from, to));

  test("before a finished step it is refused, and --force runs again from there", async () => {
    await prepared();
    await edit("> value.txt", "new > value.txt");

    const refused = await kitchen.mmm(["resume"]);
    const forced = await kitchen.mmm(["resume", "--force"]);

    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toMatch(/the playbook of .* has changed: step 2 .*pb\.yml:6/);
    expect(refused.stderr).toContain("--force");
    expect(forced).toMatchObject({ code: 0 });
    expect(forced.stderr).toContain(
      "that the step which has changed, and those after it, had made",
    );
    expect(await kitchen.prompts()).toEqual(["/first", "/second one"]);
    expect(await made()).toEqual([
      "first",
      "echo one new > value.txt",
      expect.stringContaining("half"),
      "second one",
    ]);
  });

  test("after the last finished step it needs nothing", async () => {
    await prepared();
    await edit("echo whole", "echo other");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("whole.txt")).toBe("other\n");
    expect(await kitchen.prompts()).toEqual(["/first", "/second one"]);
  });

  test("comments and places mean nothing", async () => {
    await prepared();
    await kitchen.repo.write(
      "pb.yml",
      `# a comment\n\n${PLAYBOOK.replace("- shell", "# more\n  - shell")}`,
    );

    expect(await kitchen.mmm(["resume"])).toMatchObject({ code: 0 });
  });

  test("that is gone is told, with the ways out", async () => {
    await prepared();
    await kitchen.repo.git("mv", "pb.yml", "moved.yml");

    const gone = await kitchen.mmm(["resume"]);

    expect(gone).toMatchObject({ code: 2 });
    expect(gone.stderr).toContain(`the playbook of ${name()} is gone`);
    expect(gone.stderr).toContain(`mmm cook FILE --resume ${name()}`);
  });

  test("that cannot be read is told like any other", async () => {
    await prepared();
    await kitchen.repo.write("pb.yml", "- shel: x\n");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 2 });
    expect(result.stderr).toContain("shel");
  });
});

describe("is refused, with what to do", () => {
  test("a session that is complete", async () => {
    await kitchen.cook('- shell: "true"');

    const named = await kitchen.mmm(["resume", name()]);
    const any = await kitchen.mmm(["resume"]);

    expect(named).toMatchObject({ code: 2 });
    expect(named.stderr).toContain("is complete: there is nothing to resume");
    expect(any).toMatchObject({ code: 2 });
    expect(any.stderr).toContain("no session of this repository can be resumed");
  });

  test("a name that does not exist, with the nearest", async () => {
    await prepared();

    const result = await kitchen.mmm(["resume", `${name()}x-`]);

    expect(result).toMatchObject({ code: 2 });
    expect(result.stderr).toContain(`did you mean ${name()}?`);
  });

  test.each([
    [
      "HEAD moved by somebody else",
      ["commit", "-q", "--allow-empty", "-m", "mine"],
      /git reset --keep/,
    ],
    ["another branch", ["switch", "-qc", "other", "--discard-changes"], /git switch main/],
    ["a branch that is gone", ["switch", "-q", "--detach", "--discard-changes"], /git switch main/],
  ])("%s", async (_, words, next) => {
    await prepared();
    await kitchen.repo.git("stash", "-uq");
    await kitchen.repo.git(...words.filter((word) => word !== "--discard-changes"));
    const head = await kitchen.repo.git("rev-parse", "HEAD");

    const result = await kitchen.mmm(["resume"]);

    expect(result).toMatchObject({ code: 3 });
    expect(result.stderr).toContain("the tree has moved on");
    expect(result.stderr).toMatch(next);
    expect(await kitchen.repo.git("rev-parse", "HEAD")).toBe(head);
  });

  test("its branch was deleted: the refusal says so, and its line brings the branch back", async () => {
    await prepared();
    await kitchen.repo.git("stash", "-uq");
    await kitchen.repo.git("switch", "-qc", "other");
    await kitchen.repo.git("branch", "-qD", "main");

    const refused = await kitchen.mmm(["resume"]);
    const line = /next: git (switch -c main [0-9a-f]+)$/m.exec(refused.stderr)?.[1] ?? "";
    await kitchen.repo.git(...line.split(" "));
    const resumed = await kitchen.mmm(["resume"]);

    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toContain("and that branch is gone");
    expect(resumed).toMatchObject({ code: 0 });
  });

  test("files that changed after it stopped; put aside, it goes on", async () => {
    await prepared();
    await kitchen.repo.write("README.md", "my own words\n");

    const refused = await kitchen.mmm(["resume"]);
    await kitchen.repo.git("stash", "-uq");
    const result = await kitchen.mmm(["resume"]);

    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toContain("README.md");
    expect(result).toMatchObject({ code: 0 });
    await kitchen.repo.git("checkout", "-q", "stash@{0}", "--", "README.md");
    expect(await kitchen.repo.read("README.md")).toBe("my own words\n");
  });

  test("a copy of the repository elsewhere", async () => {
    await prepared();
    const copy = path.join(kitchen.repo.base, "copy");
    cpSync(kitchen.repo.root, copy, { recursive: true });

    const result = await kitchen.mmm(["resume"], { cwd: copy });

    expect(result).toMatchObject({ code: 3 });
    expect(result.stderr).toContain("was begun in");
  });

  test("its repository was moved: it says where it was, and put back it goes on", async () => {
    await prepared();
    const { root, base } = kitchen.repo;
    const elsewhere = path.join(base, "else where");
    renameSync(root, elsewhere);

    const moved = await kitchen.mmm(["resume"], { cwd: elsewhere });
    renameSync(elsewhere, root);

    expect(moved).toMatchObject({ code: 3 });
    expect(moved.stderr).toContain(`put it back at ${root}`);
    expect(await kitchen.mmm(["resume"])).toMatchObject({ code: 0 });
  });

  test("twice at once: one goes on, the other hears who holds the tree", async () => {
    await prepared("SIGKILL");
    await kitchen.repo.git("clean", "-fxq", "--", "go");
    const first = kitchen.mmm(["resume"], {
      onStdout: (text) => {
        if (text.includes("Running: echo half")) writeFileSync(at("running"), "");
      },
    });
    await expect.poll(() => existsSync(at("running")), { timeout: 20_000 }).toBe(true);

    const second = await kitchen.mmm(["resume"]);
    await kitchen.repo.write("go", "");

    expect(second).toMatchObject({ code: 3 });
    expect(second.stderr).toContain(`another session is at work here: ${name()}`);
    expect((await first).code).not.toBeNull();
  });

  test("options that would begin something else", async () => {
    const map = await kitchen.mmm(["cook", "--resume", "x", "--map", "*.md"]);
    const force = await kitchen.mmm(["cook", "--force"]);

    expect(map).toMatchObject({ code: 2 });
    expect(map.stderr).toContain("--resume and --map exclude each other");
    expect(force).toMatchObject({ code: 2 });
  });
});

test("a new cook on the tree of a stopped session names it, and both ways out (spec 7)", async () => {
  await prepared();

  const result = await kitchen.mmm(["cook", "pb.yml"]);

  expect(result).toMatchObject({ code: 3 });
  expect(result.stderr).toContain(`mmm resume ${name()}`);
  expect(result.stderr).toContain(`mmm sessions drop ${name()}`);
  expect(readdirSync(at(".mmm/sessions"))).toHaveLength(1);
});

test("`cook --resume NAME` is the same", async () => {
  await prepared();

  expect(await kitchen.mmm(["cook", "--resume", name()])).toMatchObject({ code: 0 });
});

test("a failed input that fails again takes nothing of the other inputs with it (spec 8.4)", async () => {
  const goes = path.join(kitchen.repo.home, "goes");
  const playbook = `
- {shell: "echo \${ARG} > out-\${ARG}.txt", commit_message: "add \${ARG}"}
- shell: 'test \${ARG} != a || test -f "${goes}"'
`;
  const codes = [(await kitchen.cook(playbook, ["--args", "a", "--args", "b"])).code];
  codes.push((await kitchen.mmm(["resume"])).code);
  writeFileSync(goes, "");
  codes.push((await kitchen.mmm(["resume"])).code);

  expect(codes).toEqual([1, 1, 0]);
  expect((await kitchen.history()).slice(-2)).toEqual(["add b", "add a"]);
  expect(existsSync(at("out-b.txt"))).toBe(true);
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  expect(end?.type === "session-finished" && end.inputResults).toMatchObject([
    { status: "completed", commits: 1 },
    { status: "completed", commits: 1 },
  ]);
});

test("what finished inputs have spent is spent before the others go on (spec 6.5)", async () => {
  await kitchen.dispose();
  kitchen = await openKitchen([{ times: "always", cost: 2, writes: { "x.txt": "x\n" } }]);
  const goes = path.join(kitchen.repo.home, "goes");
  const playbook = `
- {shell: 'test \${ARG} != a || test -f "${goes}"'}
- {claude: "/do \${ARG}", commit_required: false}
`;
  const inputs = ["a", "b", "c"].flatMap((arg) => ["--args", arg]);
  await kitchen.cook(playbook, [...inputs, "--max-cost", "5"]);
  writeFileSync(goes, "");

  const { code } = await kitchen.mmm(["resume"]);

  expect(code).toBe(0);
  const budgets = (await kitchen.claude.calls()).map(
    ({ argv }) => /--max-budget-usd[= ](\S+)/.exec(argv.join(" "))?.[1],
  );
  expect(budgets.at(-1)).toBe("1");
});
