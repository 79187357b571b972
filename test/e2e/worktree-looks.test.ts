/** What is looked at in a fresh worktree before its first step, and what is seen there (spec 5, 8.1). */
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { makeRig, type Rig } from "./rig.ts";
import { sessionsIn } from "./worktree-state.ts";

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

async function open(playbook: readonly string[]): Promise<Rig> {
  const rig = await makeRig({ files: { "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" } });
  rigs.push(rig);
  await rig.repo.write("pb.yml", playbook.join("\n"));
  return rig;
}

const LOOKS = /built-in: git status --porcelain=v2 .* --$/gm;

test("a fresh worktree is looked at once before its first step", async () => {
  const rig = await open(['- shell: cp "$GIT_TRACE" "$OUT/trace"']);
  const GIT_TRACE = path.join(rig.repo.base, "trace");

  const { code, stderr } = await rig.mmm(["cook", "pb.yml", "-w"], { env: { GIT_TRACE } });

  expect(code, stderr).toBe(0);
  const { trace = "" } = await rig.received();
  expect(trace.match(LOOKS)).toHaveLength(1);
});

test("what `worktree.run` changed is nobody's, and what the first step changes is the step's, in the same second and of the same size", async () => {
  const rig = await open([
    "worktree:",
    "  run:",
    "    - printf 'x\\n' > a.txt; echo 1 > made.txt",
    '    - "(sleep 300; echo late > late.txt) &"',
    "steps:",
    "  - {shell: \"printf 'y\\\\n' > b.txt\", commit_message: first}",
    "  - {shell: \"printf 'z\\\\n' > c.txt\", commit_message: second}",
  ]);

  const { code, stderr } = await rig.mmm(["cook", "pb.yml"]);

  expect(code, stderr).toBe(0);
  const [name = ""] = sessionsIn(rig);
  const log = await rig.repo.git("log", "--format=%s", "--name-only", `main..${name}`);
  expect(log.split("\n").filter((line) => line !== "")).toEqual([
    "second",
    "c.txt",
    "first",
    "b.txt",
  ]);
});

test("each input after the first begins with a look of its own", async () => {
  const rig = await open([
    '- {shell: "echo ${ARG} >> a.txt; exit ${ARG}", commit_message: "add ${ARG}"}',
  ]);

  const args = ["1", "0", "2", "0"].flatMap((each) => ["--args", each]);
  const { code, stdout, stderr } = await rig.mmm(["cook", "pb.yml", "-w", ...args]);

  expect(code, stderr).toBe(1);
  expect(stdout).toContain("Inputs: 2 completed, 2 failed");
  const [name = ""] = sessionsIn(rig);
  expect(await rig.repo.git("log", "--format=%s", `main..${name}`)).toBe("add 0\nadd 0");
  expect(await rig.repo.git("show", `${name}:a.txt`)).toBe("a\n0\n0");
});
