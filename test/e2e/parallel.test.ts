/** `mmm cook --parallel` (spec 8.4): inputs at once, each in a worktree of its own. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { together } from "./parallel-state.ts";

let kitchen: Kitchen;

afterEach(() => kitchen.dispose());

async function open(...calls: Parameters<typeof openKitchen>[0] & object): Promise<void> {
  kitchen = await openKitchen(calls.length === 0 ? undefined : calls);
}

function args(n: number): readonly string[] {
  return Array.from({ length: n }, (_, index) => ["--args", `a${index + 1}`]).flat();
}

const sessionName = (): string => path.basename(kitchen.session());

/** What of the session lies outside of its folder. */
async function left() {
  const lines = async (...words: string[]): Promise<readonly string[]> =>
    (await kitchen.repo.git(...words)).split("\n").filter((line) => line !== "");
  const records = path.join(kitchen.repo.root, ".git", "worktrees");
  const folder = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo");
  return {
    branches: await lines("for-each-ref", "--format=%(refname:short)", "refs/heads"),
    records: existsSync(records) ? readdirSync(records) : [],
    folders: existsSync(folder) ? readdirSync(folder).filter((name) => name[0] !== ".") : [],
  };
}

function finished(): Extract<Event, { type: "session-finished" }> {
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  if (end?.type !== "session-finished") throw new Error("the session has no end");
  return end;
}

function results(): readonly (readonly [string, string | null, number])[] {
  return finished().inputResults.map(({ status, stop, commits }) => [status, stop, commits]);
}

const WRITE = `- {shell: "echo \${ARG} > out-\${ARG}.txt", commit_message: "add \${ARG}"}`;

/** No two of them can get past this line alone. */
const MEET = `while [ $(ls "$MEETING" | wc -l) -lt 2 ]; do sleep 0.02; done`;

test("two at a time, merged one by one into the session's branch, and home", async () => {
  await open();
  const meeting = path.join(kitchen.repo.home, "meeting");
  await kitchen.repo.git("init", "-q", meeting); // A folder outside of the repository.
  const playbook = `
env: {MEETING: "${meeting}/in"}
steps:
- {shell: 'mkdir -p "$MEETING"; touch "$MEETING/\${ARG}"; ${MEET}', commit_required: false}
${WRITE}
`;

  const { code, stdout, stderr } = await kitchen.cook(playbook, [
    ...args(4),
    "--parallel",
    "2",
    "--yes",
  ]);

  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("✅ Improvement session completed");
  expect(results()).toEqual([1, 2, 3, 4].map(() => ["completed", "iterations-done", 1]));
  expect(await left()).toEqual({ branches: ["main"], records: [], folders: [] });
  const name = sessionName();
  const subjects = await kitchen.repo.git("log", "--format=%s", "--first-parent", "main");
  expect(subjects.split("\n")[0]).toBe(`Merge branch '${name}' into main`);
  const merges = await kitchen.repo.git("log", "--merges", "--format=%s", "main^2");
  expect(merges.split("\n").toSorted()).toEqual(
    [1, 2, 3, 4].map((n) => `Merge branch '${name}-i${n}' into ${name}`),
  );
  for (const n of [1, 2, 3, 4]) expect(await kitchen.repo.read(`out-a${n}.txt`)).toBe(`a${n}\n`);
});

test("a failed input leaves nothing on the branch, keeps its own, and says what to type", async () => {
  await open();
  const playbook = `${WRITE}\n- shell: "test \${ARG} != a2"`;

  const { code, stdout, stderr } = await kitchen.cook(playbook, [
    ...args(3),
    "--parallel",
    "2",
    "--yes",
  ]);

  const name = sessionName();
  expect(code).toBe(1);
  expect(results().map(([status]) => status)).toEqual(["completed", "failed", "completed"]);
  expect(finished().inputResults[1]).toMatchObject({ branch: `${name}-i2`, commits: 1 });
  expect(existsSync(path.join(kitchen.repo.root, "out-a1.txt"))).toBe(true);
  expect(existsSync(path.join(kitchen.repo.root, "out-a2.txt"))).toBe(false);
  // The session can go on with the failed one, so its branch stays too.
  expect((await left()).branches).toEqual(["main", name, `${name}-i2`]);
  expect(stdout + stderr).toContain(`mmm resume ${name}`);
  expect(await kitchen.repo.git("show", `${name}-i2:out-a2.txt`)).toBe("a2");
});

test("inputs that change the same lines: one is merged, the other fails alone and is kept", async () => {
  await open();
  const playbook = `- {shell: "echo \${ARG} > same.txt", commit_message: "same \${ARG}"}`;
  const meet = `${playbook}
- {shell: "touch $PROJECT_ROOT/../\${ARG}.met; while [ $(ls $PROJECT_ROOT/.. | grep -c met) -lt 2 ]; do sleep 0.02; done", commit_required: false}`;

  const { code } = await kitchen.cook(meet, [...args(2), "--parallel", "2", "--yes"]);

  const outcomes = results().map(([status, stop]) => `${status} ${String(stop)}`);
  expect(code).toBe(1);
  expect(outcomes.toSorted()).toEqual(["completed iterations-done", "failed merge-conflict"]);
  const lost = finished().inputResults.find(({ status }) => status === "failed");
  expect(lost?.message).toContain("changed the same lines: same.txt");
  expect(await kitchen.repo.git("log", "--format=%s", `main..${String(lost?.branch)}`)).toBe(
    `same a${String(lost?.input.index)}`,
  );
  const winner = lost?.input.index === 1 ? "a2" : "a1";
  expect(await kitchen.repo.read("same.txt")).toBe(`${winner}\n`);
});

test("the playbook's gates are run on each merge; a red one fails that input alone", async () => {
  await open();
  // Each of them alone is fine, two together are not.
  const playbook = `
gates: {few: {shell: "test $(ls | grep -c ^out-) -lt 2"}}
steps:
- {shell: "echo \${ARG} > out-\${ARG}.txt", commit_message: "add \${ARG}", validation: [few]}
- {shell: "touch $PROJECT_ROOT/../\${ARG}.met; while [ $(ls $PROJECT_ROOT/.. | grep -c met) -lt 2 ]; do sleep 0.02; done", commit_required: false}
`;

  const { code } = await kitchen.cook(playbook, [...args(2), "--parallel", "2", "--yes"]);

  const outcomes = results().map(([status, stop]) => `${status} ${String(stop)}`);
  expect(code).toBe(1);
  expect(outcomes.toSorted()).toEqual(["completed iterations-done", "failed merge-gate"]);
  const red = finished().inputResults.find(({ status }) => status === "failed");
  expect(red?.message).toContain("the gate `few` failed");
  const evidence = kitchen
    .events()
    .filter((event) => event.type === "gate-finished" && event.when === "merge")
    .map((event) => event.type === "gate-finished" && event.verdict);
  expect(evidence).toEqual(["ok", "failed"]);
  // It stands on its own branch again, with its own commit.
  const tree = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", String(red?.branch));
  expect(await kitchen.repo.git("-C", tree, "symbolic-ref", "--short", "HEAD")).toBe(red?.branch);
  expect(await kitchen.repo.git("-C", tree, "status", "--porcelain")).toBe("");
});

test("--fail-fast begins nothing more after a failure; what is at work comes to its end", async () => {
  await open();

  const { code } = await kitchen.cook(`- shell: "test \${ARG} != a1"\n${WRITE}`, [
    ...args(4),
    "--parallel",
    "1",
    "--fail-fast",
  ]);

  expect(code).toBe(1);
  expect(results().map(([status]) => status)).toEqual(["failed", "not-run", "not-run", "not-run"]);
});

test("an input that changes nothing leaves nothing; uncommitted files keep its worktree", async () => {
  await open();
  const playbook = `- {shell: "test \${ARG} = a1 || echo x > dirt.txt", commit_required: false, auto_commit: false}`;

  const { code, stderr } = await kitchen.cook(playbook, [...args(2), "--parallel", "2"]);

  const name = sessionName();
  expect(code).toBe(0);
  expect(results()).toEqual([
    ["completed", "iterations-done", 0],
    ["completed", "iterations-done", 0],
  ]);
  expect((await left()).branches).toEqual(["main", `${name}-i2`]);
  expect(stderr).toContain(`mmm worktree clean ${name}-i2 --force`);
});

test("each input has its own environment by its number, and its tree is prepared", async () => {
  await open();
  await kitchen.repo.write(".env", "SECRET=1\n");
  await kitchen.repo.write(".gitignore", ".env\nready\n");
  await kitchen.repo.commitAll("ignore");
  const playbook = `
worktree: {copy: [.env], run: ["touch ready"]}
env: {PORT: "300\${INDEX}"}
steps:
- shell: "test -f ready && test -f .env && echo $PORT > port-\${INDEX}.txt"
`;

  const { code } = await kitchen.cook(playbook, [...args(2), "--parallel", "2", "--yes"]);

  expect(code).toBe(0);
  expect(await kitchen.repo.read("port-1.txt")).toBe("3001\n");
  expect(await kitchen.repo.read("port-2.txt")).toBe("3002\n");
});

test("uncommitted mapped files and settings that an input commits are in nobody's way", async () => {
  await open();
  await kitchen.repo.write(".claude/notes.md", "as it was\n");
  for (const n of [1, 2, 3]) await kitchen.repo.write(`specs/${n}.md`, `spec ${n}\n`);
  const playbook = `
- shell: 'test "\${INDEX}" != 1 || echo changed > .claude/notes.md; test -f .claude/notes.md && cp "\${FILE}" out-\${INDEX}.txt && git add -A && git commit -qm "all of \${INDEX}"'
`;

  const { code, stderr } = await kitchen.cook(playbook, ["--map=specs/*.md", "--parallel", "1"]);

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(results().map(([status]) => status)).toEqual(["completed", "completed", "completed"]);
  const shown = async (file: string) => kitchen.repo.git("show", `${sessionName()}:${file}`);
  for (const n of [1, 2, 3]) {
    expect(await shown(`out-${n}.txt`)).toBe(`spec ${n}`);
    expect(await shown(`specs/${n}.md`)).toBe(`spec ${n}`);
  }
  // What the first one has merged is not undone by the file that lies in the user's tree.
  expect(await shown(".claude/notes.md")).toBe("changed");
  expect(await kitchen.repo.read(".claude/notes.md")).toBe("as it was\n");
});

describe("money and time hold over all of them", () => {
  test("runs of Claude at once share what is left, and no input begins after the limit", async () => {
    const both = together(2);
    await open(both.call);

    const limits = ["--parallel", "2", "--max-cost", "2"];
    const { code } = await kitchen.cook(`- claude: "/do \${ARG}"`, [...args(6), ...limits], {
      onStart: () => void both.letGo(kitchen),
    });

    both.dispose();
    expect(code).toBe(75);
    const { limit, totals } = finished();
    expect(limit).toMatchObject({ kind: "cost", limit: 2 });
    expect(totals.knownCostUsd).toBe(2);
    const calls = await kitchen.prompts();
    expect(calls).toHaveLength(2);
  });
});

describe("mmm resume goes on with the unfinished inputs only (spec 7, 8.4)", () => {
  /** All inputs but the first wait in their second step until the file `go` is there. */
  function playbook(folder: string): string {
    return `
env: {PLACE: "${folder}"}
steps:
- claude: "/first \${ARG}"
- {shell: 'touch "$PLACE/\${ARG}.here"; while [ \${ARG} != a1 ] && [ ! -f "$PLACE/go" ]; do sleep 0.02; done; echo \${ARG} > out-\${ARG}.txt', commit_message: "add \${ARG}"}
- claude: "/second \${ARG}"
`;
  }

  test.each(["SIGINT", "SIGKILL"] as const)(
    "after %s in the middle nothing that was finished is asked again",
    async (signal) => {
      await open({ times: "always", cost: 1 });
      const folder = path.join(kitchen.repo.home, "place");
      await mkdir(folder);
      const waits = (): boolean =>
        ["a2.here", "a3.here"].every((file) => existsSync(path.join(folder, file)));

      const stopped = await kitchen.cook(playbook(folder), [...args(4), "--parallel", "2"], {
        onStart: (child) => {
          const timer = setInterval(() => {
            if (!waits()) return;
            clearInterval(timer);
            child.kill(signal);
          }, 10);
        },
      });
      await writeFile(path.join(folder, "go"), "");
      const before = await kitchen.prompts();
      const { code, stdout, stderr } = await kitchen.mmm(["resume", "--yes"]);

      expect(stopped.code).toBe(signal === "SIGINT" ? 130 : null);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(before.toSorted()).toEqual(["/first a1", "/first a2", "/first a3", "/second a1"]);
      expect((await kitchen.prompts()).toSorted()).toEqual(
        [1, 2, 3, 4].flatMap((n) => [`/first a${n}`, `/second a${n}`]).toSorted(),
      );
      expect(stdout).toContain("✅ Improvement session completed");
      expect(results()).toEqual([1, 2, 3, 4].map(() => ["completed", "iterations-done", 1]));
      expect(finished().totals).toMatchObject({ knownCostUsd: 8, commits: 4 });
      for (const n of [1, 2, 3, 4])
        expect(await kitchen.repo.read(`out-a${n}.txt`)).toBe(`a${n}\n`);
      expect(await left()).toEqual({ branches: ["main"], records: [], folders: [] });
    },
  );

  test("a failed input starts anew, what it had left is kept; the good ones are not touched", async () => {
    await open();
    const mark = path.join(kitchen.repo.home, "mended");
    const failing = `
env: {MARK: "${mark}"}
steps:
- claude: "/do \${ARG}"
${WRITE}
- shell: 'test \${ARG} != a2 || test -f "$MARK"'
`;
    const first = await kitchen.cook(failing, [...args(3), "--parallel", "2"]);
    await writeFile(mark, "");

    const { code, stdout, stderr } = await kitchen.mmm(["resume", "--yes"]);

    expect([first.code, code]).toEqual([1, 0]);
    expect((await kitchen.prompts()).toSorted()).toEqual(["/do a1", "/do a2", "/do a2", "/do a3"]);
    expect(stdout + stderr).toMatch(/what \S+-i2 had left is kept in refs\/mmm\/failed\//);
    expect(await kitchen.repo.read("out-a2.txt")).toBe("a2\n");
    expect(await left()).toEqual({ branches: ["main"], records: [], folders: [] });
  });

  test("a tree that cannot be prepared: once that is mended, what was paid is not paid again", async () => {
    await open({ times: "always", cost: 1 });
    const mark = path.join(kitchen.repo.home, "mended");
    const playbook = `
worktree: {run: ['case "$PWD" in *-i2) test -f "${mark}";; esac']}
steps: [{claude: "/do \${ARG}"}]
`;
    const first = await kitchen.cook(playbook, [...args(2), "--parallel", "1"]);
    await writeFile(mark, "");

    const { code, stderr } = await kitchen.mmm(["resume", "--yes"]);

    expect(first.code).toBe(3);
    expect(first.stderr).toContain(`or the config, then mmm resume ${sessionName()}\n`);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await kitchen.prompts()).toEqual(["/do a1", "/do a2"]);
  });

  test("a conflict that was resolved by hand is merged, and nothing is paid again", async () => {
    await open({ times: "always", cost: 1 });
    const meeting = path.join(kitchen.repo.home, "meeting");
    await mkdir(meeting);
    const clash = `
env: {MEETING: "${meeting}"}
steps:
- claude: "/do \${ARG}"
- {shell: 'echo \${ARG} > same.txt; touch "$MEETING/\${ARG}"; ${MEET}', commit_message: "same"}
`;
    await kitchen.cook(clash, [...args(2), "--parallel", "2", "--yes"]);
    const lost = finished().inputResults.find(({ status }) => status === "failed");
    const tree = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", String(lost?.branch));
    const git = async (...words: string[]) => kitchen.repo.git("-C", tree, ...words);
    await git("merge", sessionName()).catch(() => "");
    await writeFile(path.join(tree, "same.txt"), "both\n");
    await git("commit", "-qam", "resolved");

    const { code, stdout } = await kitchen.mmm(["resume", "--yes"]);

    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await kitchen.prompts()).toHaveLength(2);
    expect(await kitchen.repo.read("same.txt")).toBe("both\n");
    expect(await left()).toEqual({ branches: ["main"], records: [], folders: [] });
  });

  test("an edited playbook does not change what is merged; what starts anew takes it", async () => {
    await open();
    const mark = path.join(kitchen.repo.home, "go");
    const step = `- {shell: 'test \${ARG} = a1 || test -f "${mark}"'}`;
    await kitchen.cook(`${WRITE}\n${step}`, [...args(2), "--parallel", "2"]);
    await writeFile(mark, "");
    await kitchen.repo.write("pb.yml", `${WRITE.replace("echo", "echo new")}\n${step}`);

    const { code, stderr } = await kitchen.mmm(["resume", "--yes", "--force"]);

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("out-a1.txt")).toBe("a1\n");
    expect(await kitchen.repo.read("out-a2.txt")).toBe("new a2\n");
  });
});
