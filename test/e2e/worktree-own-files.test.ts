/** What was carried into a worktree, and committed there, comes home to where it lies uncommitted (spec 8.1, 8.3). */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { makeRig, type Rig } from "./rig.ts";
import { leftovers, NOTHING_LEFT, sessionsIn, stateOf } from "./worktree-state.ts";

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

/** A Claude that commits all there is, as agents do. */
async function open(): Promise<Rig> {
  const work = { writes: { "work.txt": "done\n" }, commit: "all there is" };
  const rig = await makeRig({ claude: { calls: [{ times: "always", ...work }] } });
  rigs.push(rig);
  return rig;
}

/** As typed where the user stands. */
function type(rig: Rig, line: string): void {
  const typed = line;
  execFileSync("sh", ["-ec", typed], { cwd: rig.repo.root, env: rig.env, stdio: "ignore" });
}

function linesOf(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^ +((?:or [a-z ]+: )?(?:git|mmm) .*)$/gmu)].map(
    ([, line]) => line ?? "",
  );
}

test("the first steps of the README, with a playbook that is not committed, end in a merge", async () => {
  const rig = await open();
  const first = await rig.mmm(["init"]);
  const line = /^.*?(git add .* && git commit .*)$/mu.exec(first.stdout)?.[1] ?? "false";
  type(rig, line);
  expect(await rig.repo.git("status", "--porcelain")).toBe("");
  await rig.repo.write("playbooks/new.yml", '- claude: "do it"\n');

  const cooked = await rig.mmm(["cook", "playbooks/new.yml", "--worktree", "-n", "1"]);
  const [name = ""] = sessionsIn(rig);
  expect(await rig.repo.git("show", `${name}:playbooks/new.yml`)).toBe('- claude: "do it"');
  const merged = await rig.mmm(["worktree", "merge", "--all"]);

  expect(cooked, cooked.stdout + cooked.stderr).toMatchObject({ code: 0 });
  expect(merged, merged.stderr).toMatchObject({ code: 0 });
  expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  expect(await rig.repo.git("status", "--porcelain")).toBe("");
  expect(await rig.repo.read("playbooks/new.yml")).toBe('- claude: "do it"\n');
  expect(await rig.repo.read("work.txt")).toBe("done\n");
});

test("one that was changed since is refused by its name, with lines that lead to the merge", async () => {
  const rig = await open();
  await rig.repo.write("playbooks/new.yml", '- claude: "do it"\n');
  await rig.mmm(["cook", "playbooks/new.yml", "--worktree", "-n", "1"]);
  const [name = ""] = sessionsIn(rig);
  await rig.repo.write("playbooks/new.yml", '- claude: "do it better"\n');
  const before = await stateOf(rig);

  const refused = await rig.mmm(["worktree", "merge", name]);

  expect(refused).toMatchObject({ code: 3 });
  expect(refused.stderr).toContain("     playbooks/new.yml\n");
  expect(refused.stderr).not.toMatch(/fsck|git status/u);
  expect(await stateOf(rig)).toEqual(before);
  expect(await rig.repo.read("playbooks/new.yml")).toBe('- claude: "do it better"\n');
  const lines = linesOf(refused.stderr);
  expect(lines, refused.stderr).toHaveLength(3);
  type(rig, lines[0] ?? "false");
  expect(lines[2]).toBe(`mmm worktree merge ${name}`);
  const merged = await rig.mmm(["worktree", "merge", name]);
  expect(merged, merged.stderr).toMatchObject({ code: 0 });
  expect(await rig.repo.read("playbooks/new.yml")).toBe('- claude: "do it"\n');
  expect(await rig.repo.git("show", "stash@{0}^3:playbooks/new.yml")).toBe(
    '- claude: "do it better"',
  );
});

test("mapped files that are not committed, and that inputs at once commit, are merged with -y", async () => {
  const rig = await open();
  await rig.repo.write(
    "pb.yml",
    "- shell: 'cp \"${FILE}\" out-${INDEX}.txt; git add -A; git commit -qm all'\n",
  );
  for (const n of [1, 2]) await rig.repo.write(`specs/n${n}.md`, `spec ${n}\n`);

  const args = ["cook", "pb.yml", "--map", "specs/*.md", "--parallel", "2", "-y"];
  const { code, stderr } = await rig.mmm(args);

  expect(code, stderr).toBe(0);
  expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
  expect(await rig.repo.git("status", "--porcelain")).toBe("?? pb.yml");
  for (const n of [1, 2]) expect(await rig.repo.read(`out-${n}.txt`)).toBe(`spec ${n}\n`);
  expect(existsSync(path.join(rig.repo.root, "specs/n1.md"))).toBe(true);
});
