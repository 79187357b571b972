/** What the end of several inputs at once says: what is left, and lines that can be typed (spec 5, 8.4). */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen(undefined, { "list.txt": "1\n2\n3\n", "own.txt": "own\n" });
});
afterEach(async () => kitchen.dispose());

const TWO = ["--args", "a1", "--args", "a2"] as const;

/** Its second item fails, is undone, and the run goes on. */
const ITEMS = `
steps:
- foreach: ["good", "bad"]
  continue_on_error: true
  do:
  - shell: |
      touch "\${ARG}-\${item}.txt"
      test "\${item}" = bad || sed -i s/1/one/ list.txt
      test "\${item}" = good || sed -i s/3/three/ list.txt
      test "\${item}" = good
    commit_message: work
`;

/** Of an input, or of a session without. */
function restoreLine(stdout: string, mark = ""): string {
  const lines = stdout.split("\n").filter((line) => line.includes("refs/mmm/failed"));
  return lines.find((line) => line.endsWith(mark))?.trim() ?? "false";
}

function type(line: string, cwd = kitchen.repo.root): void {
  execFileSync("bash", ["-o", "pipefail", "-ec", line], { cwd, env: kitchen.repo.env });
}

describe("the line that brings back what was undone can be typed when it stands there", () => {
  test("of an input whose worktree is gone: in the tree the session is merged into", async () => {
    const { code, stdout, stderr } = await kitchen.cook(ITEMS, [...TWO, "--parallel", "2"]);

    expect(code, stderr).toBe(0);
    expect((await left(kitchen.repo)).folders.filter((name) => /-i\d$/.test(name))).toEqual([]);
    // As the lines stand there: the merge comes first.
    const line = restoreLine(stdout, "input 2");
    expect(line).toContain("# after the merge");
    expect(await kitchen.mmm(["worktree", "merge", "--all"])).toMatchObject({ code: 0 });
    await kitchen.repo.write("own.txt", "dirt of the user\n");
    type(line);
    expect(await kitchen.repo.read("a2-bad.txt")).toBe("");
    // What was undone alone: the rest of the file is as the user has it.
    expect(await kitchen.repo.read("list.txt")).toBe("one\n2\nthree\n");
    expect(await kitchen.repo.read("own.txt")).toBe("dirt of the user\n");
  });

  test("of a session whose worktree is merged and removed right after it", async () => {
    const { code, stdout, stderr } = await kitchen.cook(ITEMS, [
      "--args",
      "a1",
      "--worktree",
      "--yes",
    ]);

    expect(code, stderr).toBe(0);
    expect(await left(kitchen.repo)).toMatchObject({ folders: [] });
    type(restoreLine(stdout, "input 1"));
    expect(await kitchen.repo.read("a1-bad.txt")).toBe("");
    expect(await kitchen.repo.read("list.txt")).toBe("one\n2\nthree\n");
  });

  test("of an input that failed: in its own worktree, which stays", async () => {
    const fails = `${ITEMS}\n- shell: "test \${ARG} != a2"`;
    const { code, stdout, stderr } = await kitchen.cook(fails, [...TWO, "--parallel", "2"]);

    expect(code, stderr).toBe(1);
    const line = restoreLine(stdout, "input 2");
    expect(line).toContain("-i2 restore");
    type(line);
  });
});

describe("the surroundings break in one input (exit 3)", () => {
  const PREPARED = `
worktree: {run: ['case $PWD in *-i2) exit 7;; esac']}
steps:
- {shell: "echo x > \${ARG}.txt", commit_message: "add \${ARG}"}
- {shell: 'test \${ARG} != a1 || while test -e "$HOLD"; do sleep 0.02; done', commit_required: false}
`;

  test("a table of all, why it broke, and the name of everything that is kept", async () => {
    const held = path.join(kitchen.repo.base, "held");
    await kitchen.repo.git("init", "-q", held);
    const args = [...TWO, "--args", "a3", "--parallel", "2"];
    const ran = await kitchen.cook(PREPARED, args, { env: { HOLD: held } });

    const { folders, branches } = await left(kitchen.repo);
    const session = path.basename(kitchen.session());
    expect(ran.code).toBe(3);
    expect(ran.stdout).toContain("Inputs: 2 interrupted, 1 not run");
    expect(ran.stdout).toMatch(/🛑 2 a2: .*exit 7/);
    expect(branches).toEqual(["main", session, `${session}-i1`]);
    const home = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo");
    for (const name of folders) expect(ran.stdout).toContain(`${path.join(home, name)}\n`);
    expect(ran.stdout).toContain(`mmm resume ${session}`);
    expect(ran.stderr).toContain("exit 7");
  });
});

describe("git breaks in the tree of a session", () => {
  const BREAKS = `- {shell: 'echo no > "$(git rev-parse --git-dir)/HEAD"', commit_required: false}`;

  test.each([
    ["inputs at once", [...TWO, "--parallel", "1"], ["", "-i1"]],
    ["a session with a worktree", ["--worktree"], [""]],
  ])("%s: exit 3, and what is kept is named", async (_, args, kept) => {
    const { code, stdout, stderr } = await kitchen.cook(BREAKS, args);

    const session = path.basename(kitchen.session());
    expect(code, stderr).toBe(3);
    const home = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo");
    const { folders } = await left(kitchen.repo);
    expect(folders).toEqual(kept.map((end) => session + end));
    for (const name of folders) expect(stdout).toContain(`${path.join(home, name)}\n`);
    expect(stdout).toContain(`mmm resume ${session}`);
  });

  test("a worktree that is gone is not said to be kept", async () => {
    const gone = `- {shell: 'rm -rf "$PROJECT_ROOT"', commit_required: false}`;
    const { code, stdout } = await kitchen.cook(gone, ["--worktree"]);

    expect(code).toBe(3);
    expect(stdout).not.toContain("Preserved worktree");
  });
});

describe("mmm worktree clean leaves what a resume goes on in (spec 8.2, 8.4)", () => {
  const FAILS = `
steps:
- {shell: "echo x > \${ARG}.txt", commit_message: "add \${ARG}"}
- {shell: "test \${ARG} != a2 || test -e $HOLD", commit_required: false}
`;
  let env: { readonly HOLD: string };
  let session: string;

  /** The first input is merged, the session with it; the second has failed. */
  beforeEach(async () => {
    env = { HOLD: path.join(kitchen.repo.base, "held") };
    const ran = await kitchen.cook(FAILS, [...TWO, "--parallel", "2", "--yes"], { env });
    expect(ran.code).toBe(1);
    session = path.basename(kitchen.session());
  });

  const names = async (): Promise<readonly string[]> => (await left(kitchen.repo)).folders;

  test("--merged passes it by and says why; a resume goes on", async () => {
    const merged = await kitchen.mmm(["worktree", "clean", "--merged"]);

    expect(merged).toMatchObject({ code: 0, stderr: "" });
    expect(merged.stdout).toContain(`${session} stays: its session is not finished`);
    expect(await names()).toEqual([session, `${session}-i2`]);
    await kitchen.repo.git("init", "-q", env.HOLD);
    const resumed = await kitchen.mmm(["resume", "--yes"], { env });
    expect(resumed).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("a2.txt")).toBe("x\n");
    expect(await names()).toEqual([]);
  });

  test("--all refuses it with what to type, and takes it with --force", async () => {
    const all = await kitchen.mmm(["worktree", "clean", "--all"]);
    expect(all.code).toBe(3);
    expect(all.stderr).toContain(`mmm resume ${session}`);
    expect(await names()).toEqual([session, `${session}-i2`]);

    const forced = await kitchen.mmm(["worktree", "clean", "--all", "--force"]);
    expect(forced.code).toBe(0);
    expect(forced.stdout).toContain(`${session} cannot be resumed any more`);
    // They go in the same command.
    expect(forced.stdout).not.toContain("left of its inputs");
    expect(await left(kitchen.repo)).toMatchObject({ branches: ["main"], folders: [] });
  });

  test("by its name it goes: what cannot be resumed any more is said, and can be merged", async () => {
    const { code, stdout } = await kitchen.mmm(["worktree", "clean", session]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${session} cannot be resumed any more`);
    expect(stdout).toContain(`left of its inputs: ${session}-i2`);

    const merged = await kitchen.mmm(["worktree", "merge", `${session}-i2`]);
    expect(merged).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("a2.txt")).toBe("x\n");
    expect(await left(kitchen.repo)).toMatchObject({ branches: ["main"], folders: [] });
  });

  test("a session that was given up is not waited for", async () => {
    await kitchen.mmm(["worktree", "clean", `${session}-i2`, "--force"]);
    const folder = path.join(kitchen.session(), "session.json");
    const before = JSON.parse(await kitchen.repo.read(path.relative(kitchen.repo.root, folder)));
    await kitchen.repo.write(
      path.relative(kitchen.repo.root, folder),
      JSON.stringify({ ...(before as object), status: "dropped" }),
    );
    expect(await kitchen.mmm(["worktree", "clean", "--merged"])).toMatchObject({ code: 0 });
    expect(await names()).toEqual([]);
  });
});

test("mmm worktree merge leaves the tree of a session whose inputs were stopped", async () => {
  const out = path.join(kitchen.repo.base, "out");
  const playbook = `
steps:
- {shell: "echo x > \${ARG}.txt", commit_message: "add \${ARG}"}
- {shell: 'test \${ARG} = a1 || { touch "$OUT"; sleep 600; }', commit_required: false}
`;
  const stopped = await kitchen.cook(playbook, [...TWO, "--parallel", "2"], {
    env: { OUT: out },
    onStart: (mmm) =>
      void until(() => existsSync(out) && merges() > 0).then(() => mmm.kill("SIGINT")),
  });
  const session = path.basename(kitchen.session());
  const merged = await kitchen.mmm(["worktree", "merge", session]);

  expect(stopped.code).toBe(130);
  expect(merged).toMatchObject({ code: 0 });
  expect(await kitchen.repo.read("a1.txt")).toBe("x\n");
  expect((await left(kitchen.repo)).folders).toEqual([session, `${session}-i2`]);
  expect(merged.stdout + merged.stderr).toContain(`mmm resume ${session}`);
});

function merges(): number {
  return kitchen.events().filter(({ type }) => type === "input-merged").length;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 20));
}
