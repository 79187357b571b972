/** Inputs at once from wherever one may stand (spec 8.1, 8.4): the target is the branch one stood on. */
import { spawnSync } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { left } from "./parallel-state.ts";
import { expectDecent, makeRig, type Ran, type Rig } from "./rig.ts";
import { project } from "./worktree-state.ts";

let rig: Rig;
afterEach(async () => rig.dispose());

const PLAYBOOK = '- shell: "echo ${ARG} > out-${ARG}.txt && pwd >> $OUT/places"\n';
const FILES = { "p.yml": PLAYBOOK, "in/deep/a.txt": "a\n", "far/b.txt": "b\n" };
const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };

async function open(folder?: string): Promise<void> {
  rig = await makeRig({ files: FILES, ...(folder === undefined ? {} : { folder }) });
}

async function cook(cwd = rig.repo.root): Promise<Ran> {
  const playbook = path.join(rig.repo.root, "p.yml");
  const inputs = ["a1", "a2", "a3"].flatMap((arg) => ["--args", arg]);
  return rig.mmm(["cook", playbook, ...inputs, "--parallel", "2", "--yes"], { cwd });
}

/** All three were merged into the branch of `top`, and lie in `folder` below it. */
async function expectMerged(ran: Ran, top: string, folder = ""): Promise<void> {
  expectDecent(ran, [0]);
  expect(ran.stdout).toContain("Inputs: 3 completed");
  const names = await readdir(path.join(top, folder));
  expect(names.filter((name) => name.startsWith("out-")).toSorted()).toEqual(
    [1, 2, 3].map((n) => `out-a${n}.txt`),
  );
  expect(await rig.repo.gitIn(top, "status", "--porcelain", "--untracked-files=no")).toBe("");
  const places = (await rig.received())["places"] ?? "";
  expect(new Set(places.trim().split("\n")).size).toBe(3);
  for (const place of places.trim().split("\n")) expect(place.endsWith(folder)).toBe(true);
}

describe("mmm cook --parallel", () => {
  test("on a feature branch: main does not move", async () => {
    await open();
    await rig.repo.git("switch", "-q", "-c", "feature/x");

    await expectMerged(await cook(), rig.repo.root);

    expect(await rig.repo.git("log", "--format=%s", "main")).toBe("first");
    expect(await rig.repo.git("log", "-1", "--format=%s")).toMatch(/ into feature\/x$/);
    expect(await left(rig.repo)).toEqual({ ...NOTHING, branches: ["feature/x", "main"] });
  });

  test.each(["--parallel=2", "--worktree"])(
    "on a detached HEAD, %s: said before anything starts, and what is made waits on its branch",
    async (mode) => {
      await open();
      await rig.repo.git("switch", "-q", "--detach");
      const playbook = '- shell: "echo ${ARG} > out-${ARG}.txt"\n';
      await rig.repo.write("../other.yml", playbook);

      const args = ["cook", "../other.yml", "--args", "a1", "--args", "a2", mode, "--yes"];
      const ran = await rig.mmm(args);

      const [name = ""] = (await left(rig.repo)).folders;
      expectDecent(ran, [0]);
      expect(ran.stderr).toMatch(/^⚠️ {2}HEAD is detached: there is no branch to merge/);
      expect(ran.stderr).toContain(`git switch BRANCH && git merge --no-ff ${name}`);
      expect(await rig.repo.git("diff", "--name-only", "main", name)).toBe(
        "out-a1.txt\nout-a2.txt",
      );
      expect(await rig.repo.git("rev-parse", "HEAD")).toBe(await rig.repo.git("rev-parse", "main"));
      expect((await left(rig.repo)).branches).toEqual(["main", name]);
    },
  );

  test("in a subdirectory: the steps run in the same one of their trees", async () => {
    await open();

    await expectMerged(await cook(path.join(rig.repo.root, "in/deep")), rig.repo.root, "in/deep");

    expect(await left(rig.repo)).toEqual(NOTHING);
  });

  test("in a linked worktree: its branch is the target, the main checkout does not move", async () => {
    await open();
    const linked = path.join(rig.repo.base, "linked");
    await rig.repo.git("worktree", "add", "-q", "-b", "side", linked);

    await expectMerged(await cook(path.join(linked, "in/deep")), linked, "in/deep");

    expect(await rig.repo.git("log", "--format=%s", "main")).toBe("first");
    expect(await left(rig.repo)).toMatchObject({ branches: ["main", "side"], folders: [] });
  });

  test("in two clones of one name at once: each has its own folder and its own branches", async () => {
    await open();
    const other = path.join(rig.repo.base, "other", "repo");
    await mkdir(path.dirname(other));
    await rig.repo.git("clone", "-q", rig.repo.root, other);

    const [one, two] = await Promise.all([cook(), cook(other)]);

    for (const ran of [one, two]) expectDecent(ran, [0]);
    for (const top of [rig.repo.root, other]) {
      expect(await rig.repo.gitIn(top, "ls-files", "out-*")).toBe(
        "out-a1.txt\nout-a2.txt\nout-a3.txt",
      );
      const branches = await rig.repo.gitIn(top, "branch", "--format=%(refname:short)");
      expect(branches).toBe("main");
    }
    const folders = await readdir(path.dirname(project(rig)));
    expect(folders.toSorted()).toEqual(["repo", expect.stringMatching(/^repo-[0-9a-f]{8}$/)]);
    for (const folder of folders)
      expect(await readdir(path.join(path.dirname(project(rig)), folder))).toEqual([".repository"]);
  });

  test("with submodules, and in one", async () => {
    await open();
    const library = path.join(rig.repo.base, "library");
    await rig.repo.git("clone", "-q", rig.repo.root, library);
    await rig.repo.git("submodule", "--quiet", "add", library, "lib");
    await rig.repo.commitAll("a submodule");
    const inner = path.join(rig.repo.root, "lib");
    const pinned = await rig.repo.gitIn(inner, "rev-parse", "HEAD");

    await expectMerged(await cook(), rig.repo.root);

    expect(await rig.repo.git("rev-parse", "HEAD:lib")).toBe(pinned);
    expect(await rig.repo.gitIn(inner, "rev-parse", "HEAD")).toBe(pinned);
    expect(await left(rig.repo)).toEqual(NOTHING);
    const outer = await rig.repo.git("rev-parse", "HEAD");
    expectDecent(await cook(inner), [0]);
    expect(await rig.repo.gitIn(inner, "ls-files", "out-*")).toMatch(/a1.*a2.*a3/s);
    expect(await rig.repo.git("rev-parse", "HEAD")).toBe(outer);
  });

  test("in a sparse checkout: its trees are as sparse, and what is outside stays", async () => {
    await open();
    await rig.repo.git("sparse-checkout", "set", "in");

    await expectMerged(await cook(path.join(rig.repo.root, "in")), rig.repo.root, "in");

    expect(await readdir(rig.repo.root)).not.toContain("far");
    expect(await rig.repo.git("show", "HEAD:far/b.txt")).toBe("b");
    expect(await left(rig.repo)).toEqual(NOTHING);
  });

  test("with a path of spaces and umlauts, and 60 columns without a terminal", async () => {
    await open("ein Ördner – mit 字");
    const args = ["--args", "a b", "--args", "ü–ß", "--parallel", "2", "--yes"];

    const ran = await rig.mmm(["cook", "p.yml", ...args], { env: { COLUMNS: "60" } });

    expectDecent(ran, [0]);
    expect(await rig.repo.git("-c", "core.quotePath=false", "ls-files", "out-*")).toBe(
      "out-a b.txt\nout-ü–ß.txt",
    );
    // Nothing of a live line, and nothing is cut off.
    expect(ran.stdout).not.toMatch(/\x1b|\r/);
    expect(ran.stdout).toMatch(/ 1 {2}a b +completed +1 /);
    expect(await left(rig.repo)).toEqual(NOTHING);
  });
});

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)("as a normal user", () => {
  test.each([["--worktree"], ["--parallel=2"]])("cook %s", async (mode) => {
    await open();
    spawnSync("chown", ["-R", "65534:65534", rig.repo.base, path.dirname(rig.claude.bin)]);

    const args = ["cook", "p.yml", "--args", "a1", "--args", "a2", mode, "--yes"];
    const ran = await rig.mmm(args, {
      around: 'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"',
    });

    expectDecent(ran, [0]);
    spawnSync("chown", ["-R", "0:0", rig.repo.base]);
    expect(await rig.repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a2.txt");
    expect(await left(rig.repo)).toEqual(NOTHING);
  });
});
