/** `merge: [steps]` of a playbook replaces the merging (spec 8.3). */
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { makeRig, type Rig } from "./rig.ts";
import { leftovers, NOTHING_LEFT, project, sessionsIn, stateOf } from "./worktree-state.ts";

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

/** A session that adds a line to README.md and is merged by these steps. */
async function open(merge: readonly string[], header: readonly string[] = []): Promise<Rig> {
  const rig = await makeRig({ claude: { calls: [{ times: "always", cost: 0.5 }] } });
  rigs.push(rig);
  await appendFile(path.join(rig.repo.root, ".git/info/exclude"), "*.yml\n");
  const lines = [
    ...header,
    "merge:",
    ...merge.map((line) => `  ${line}`),
    "steps: [{shell: echo session >> README.md}]",
  ];
  await rig.repo.write("pb.yml", lines.join("\n"));
  return rig;
}

const MERGE = "- shell: git merge --no-ff -m own ${merge.source_branch}";

test("runs with the real engine on the target's tip, beside the checkout; what it makes is the merge", async () => {
  const rig = await open([
    '- shell: \'pwd > "$OUT/pwd"; git rev-parse HEAD > "$OUT/head"\'',
    "- {id: names, shell: 'echo ${merge.worktree} ${merge.source_branch} ${merge.target_branch} ${merge.session_id}', outputs: {all: {capture: text}}}",
    MERGE,
    "- {shell: 'echo \"${all}\" > merged.txt', commit_message: 'merge ${merge.target_branch}'}",
  ]);
  const head = await rig.repo.git("rev-parse", "main");

  const { code, stdout, stderr } = await rig.mmm(["cook", "pb.yml", "-wy"]);

  expect(code, stderr).toBe(0);
  const said = await rig.received();
  const name = /Created worktree: (\S+)/.exec(stdout)?.[1] ?? "";
  expect(said["pwd"]).toBe(`${path.join(project(rig), `merging-${name}`)}\n`);
  expect(said["head"]).toBe(`${head}\n`);
  expect(await rig.repo.read("merged.txt")).toBe(`${name} ${name} main ${name}\n`);
  expect(await rig.repo.git("log", "--first-parent", "--format=%s", "-3")).toBe(
    "merge main\nown\nfirst",
  );
  expect(stdout).toContain("by the steps of `merge`");
  expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
});

test("git judges: steps that do not merge are exit 4, and all is as before", async () => {
  const rig = await open(["- shell: echo nothing"]);
  await rig.mmm(["cook", "pb.yml", "-w"]);
  const [name = ""] = sessionsIn(rig);
  const before = await stateOf(rig);

  const { code, stderr } = await rig.mmm(["worktree", "merge", name]);

  expect(code).toBe(4);
  expect(stderr).toContain("the steps of `merge` made no commit that has both sides");
  expect(await stateOf(rig)).toEqual(before);
});

test("a conflict is repaired by a handler; gates see the outcome; cost counts for the session", async () => {
  const rig = await open(
    [
      "- shell: git merge --no-ff -m own ${merge.source_branch}",
      "  on_failure:",
      "    max_attempts: 1",
      "    fail_workflow: false",
      "    do:",
      "      - {claude: 'look at it', commit_required: false}",
      "      - shell: 'printf \"hello\\nmain\\nsession\\n\" > README.md; git add README.md; git commit -q --no-edit'",
    ],
    [
      "gates: {both: {shell: 'grep -c main README.md && grep -c session README.md'}}",
      "until: both",
    ],
  );
  await rig.repo.write("README.md", "hello\nmain\n");
  // The session begins before main goes on.
  await rig.repo.git("stash");
  await rig.mmm(["cook", "pb.yml", "-w", "-n", "1"]);
  await rig.repo.git("stash", "pop");
  await rig.repo.commitAll("main goes on");
  const [name = ""] = sessionsIn(rig);

  const { code, stdout, stderr } = await rig.mmm(["worktree", "merge", name]);

  expect(code, stderr).toBe(0);
  expect(stdout).toContain("both passed");
  expect(await rig.repo.read("README.md")).toBe("hello\nmain\nsession\n");
  const shown = await rig.mmm(["sessions", "show", name, "--json"]);
  expect(JSON.parse(shown.stdout)).toMatchObject({ totals: { cost_usd: 0.5 } });
});

test("a step that fails is exit 4 with its output, and all is as before", async () => {
  const rig = await open([MERGE, "- shell: 'echo no good; exit 7'"]);
  await rig.mmm(["cook", "pb.yml", "-w"]);
  const before = await stateOf(rig);
  const [name = ""] = sessionsIn(rig);

  const { code, stderr } = await rig.mmm(["worktree", "merge", name]);

  expect(code).toBe(4);
  expect(stderr).toContain("no good");
  expect(stderr).toContain("exit code 7");
  expect(await stateOf(rig)).toEqual(before);
});

test("what has no meaning while merging is found before anything runs", async () => {
  const rig = await open(["- shell: echo ${ARG} ${merge.nothing}", "- shell: echo ${a.output}"]);
  await rig.repo.write(
    "outside.yml",
    "steps: [{id: a, shell: 'echo ${merge.source_branch}'}]\nmerge: []\n",
  );

  const inside = await rig.mmm(["validate", "pb.yml"]);
  const outside = await rig.mmm(["validate", "outside.yml"]);

  expect([inside.code, outside.code]).toEqual([2, 2]);
  const said = inside.stdout + inside.stderr + outside.stdout + outside.stderr;
  expect(said).toContain("${ARG} has no value in the steps of `merge`");
  expect(said).toContain("merge has no nothing");
  expect(said).toContain("${merge.source_branch} has a value only in the steps of `merge`");
  expect(said).toContain("`merge` has no steps");
});

test("the dry run shows the steps that would merge", async () => {
  const rig = await open([MERGE]);

  const { code, stdout } = await rig.mmm(["cook", "pb.yml", "--dry-run"]);

  expect(code).toBe(0);
  expect(stdout).toContain("git merge --no-ff -m own ${merge.source_branch}");
});
