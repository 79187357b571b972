/** What others have made where a session's worktrees go, under the very names (spec 8.1): nobody touches it. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { left } from "./parallel-state.ts";
import { expectDecent, makeRig, type Rig } from "./rig.ts";
import { project } from "./worktree-state.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

/** Nobody knows the second in which a session gets its name. */
const SECONDS = 20;

const FOREIGN: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  "a folder": async (name) => {
    await mkdir(path.join(project(rig), name), { recursive: true });
    return writeFile(path.join(project(rig), name, "mine.txt"), "mine");
  },
  "a broken link": async (name) => symlink("/nowhere", path.join(project(rig), name)),
  "a worktree on a branch of another name": async (name) =>
    rig.repo.git("worktree", "add", "-q", "-b", `theirs-${name}`, path.join(project(rig), name)),
  "a branch": async (name) => rig.repo.git("branch", name),
  "a packed branch": async (name) => {
    await rig.repo.git("branch", name);
    return rig.repo.git("pack-refs", "--all");
  },
  "a branch that is checked out elsewhere": async (name) =>
    rig.repo.git("worktree", "add", "-q", "-b", name, path.join(rig.repo.base, `at-${name}`)),
};

const CASES = Object.keys(FOREIGN).flatMap((what) => [
  { what, where: "a session", end: "", mode: ["--worktree"] },
  { what, where: "an input", end: "-i1", mode: ["--parallel", "2"] },
]);

test.each(CASES)(
  "$what under the name of $where is left alone: the session takes another",
  async (of) => {
    rig = await makeRig({ files: { "p.yml": '- shell: "echo x > out-${ARG}.txt"\n' } });
    await mkdir(project(rig), { recursive: true });
    const now = Math.floor(Date.now() / 1000);
    for (let second = now; second < now + SECONDS; second += 1)
      await FOREIGN[of.what]?.(`mmm-p-${second}${of.end}`);
    const before = await left(rig.repo);
    const trees = await rig.repo.git("worktree", "list");

    const ran = await rig.mmm([
      "cook",
      "p.yml",
      ...of.mode,
      "--args",
      "a1",
      "--args",
      "a2",
      "--yes",
    ]);

    expectDecent(ran, [0]);
    expect(ran.stdout).toMatch(/Created worktree: mmm-p-\d+-2 at /);
    expect(ran.stderr).toBe("");
    expect(await rig.repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a2.txt");
    expect(await left(rig.repo)).toEqual(before);
    const after = await rig.repo.git("worktree", "list");
    const [, ...others] = trees.split("\n");
    expect(after.split("\n").slice(1)).toEqual(others);
    if (of.what === "a folder")
      expect(
        await readFile(path.join(project(rig), before.folders[0] ?? "", "mine.txt"), "utf8"),
      ).toBe("mine");
    // Nor does cleaning.
    expectDecent(await rig.mmm(["worktree", "clean", "--all", "--force"]), [0]);
    expect((await left(rig.repo)).listed).toEqual(before.listed);
    expect((await left(rig.repo)).folders).toEqual(before.folders);
  },
);
