/** Worktrees on a disk that is full (spec 1.1, 8.1): said, exit 3, nothing half-made; with room again it goes on. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { checkout, left } from "./parallel-state.ts";
import { expectDecent, makeRig, type Ran, type Rig } from "./rig.ts";

const canMount =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

let rig: Rig;
afterEach(async () => rig.dispose());

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };

/** A checkout of it takes some 400 KB. */
async function open(playbook: string): Promise<void> {
  const files = { "p.yml": playbook, "big.txt": randomBytes(300_000).toString("base64") };
  const calls = [{ prompt: "do", writes: { "made.txt": "x" }, times: "always" as const }];
  rig = await makeRig({ files, claude: { calls } });
}

/**
 * Cooks with MMM_HOME on a file system of `kilobytes`, gives it more room, then runs `after`.
 *
 * @param after shell text; `"$@"` is the first run again, `mmm` any
 */
async function onSmallDisk(
  kilobytes: number,
  args: readonly string[],
  after: string,
): Promise<Ran> {
  const inside = [
    "node=$1; main=$2",
    'mmm() { "$node" "$main" "$@"; }',
    'mkdir -p "$HOME/.mmm"',
    `mount -t tmpfs -o size=${kilobytes}k none "$HOME/.mmm"`,
    '"$@"',
    "code=$?",
    'ls -A "$HOME/.mmm/worktrees/repo" > "$OUT/folders"',
    'git worktree list --porcelain | grep -c ^worktree > "$OUT/trees"',
    'git for-each-ref --format="%(refname)" > "$OUT/refs"',
    'git rev-parse HEAD > "$OUT/head"; git status --porcelain > "$OUT/status"',
    'mount -o remount,size=20m none "$HOME/.mmm"',
    `(${after}) > "$OUT/after" 2>&1`,
    'echo "exit $?" >> "$OUT/after"',
    'ls -A "$HOME/.mmm/worktrees/repo" > "$OUT/rest"',
    "exit $code",
  ];
  await rig.repo.write("../small.sh", inside.join("\n"));
  return rig.mmm(["cook", "p.yml", ...args, "--yes"], {
    around: 'exec unshare -m sh ../small.sh "$@"',
  });
}

describe.runIf(canMount)("MMM_HOME on a full disk (only root may mount one)", () => {
  test.each([
    [4, ["--worktree"]],
    [64, ["--worktree"]],
    [64, ["--parallel", "2", "--args", "a1", "--args", "a2"]],
  ])(
    "of %i KB, cook %s: no worktree comes about, and nothing of it is left",
    async (size, args) => {
      await open('- shell: "echo x > made.txt"\n');
      const before = await checkout(rig.repo);

      const ran = await onSmallDisk(size, args, 'test ! -e .mmm/sessions && "$@"');

      const said = await rig.received();
      expectDecent(ran, [3]);
      expect(ran.stderr).toMatch(/unable to write file big\.txt|No space left on device/);
      expect(ran.stderr).toContain("free some space");
      expect(said).toMatchObject({ folders: ".repository\n", trees: "1\n", status: "" });
      expect(said["refs"]).toBe("refs/heads/main\n");
      expect(before).toContain(String(said["head"]).trim());
      // With room it is as if nothing had been.
      expect(said["after"]).toMatch(/exit 0\n$/);
      expect(await rig.repo.read("made.txt")).toBe("x\n");
      expect(await left(rig.repo)).toEqual(NOTHING);
    },
  );

  test.each([
    [500, "of the first input"],
    [900, "of the second input"],
  ])(
    "of %i KB there is no room for the tree %s: the session stops, a resume goes on",
    async (size) => {
      // Nothing that the small disk would have to take.
      await open('- shell: "git commit -q --allow-empty -m own-${ARG}"\n');
      const args = ["--parallel", "2", "--args", "a1", "--args", "a2"];

      const ran = await onSmallDisk(size, args, "mmm resume --yes");

      const said = await rig.received();
      expectDecent(ran, [3]);
      expect(ran.stderr).toContain("unable to write file big.txt");
      expect(ran.stderr).toMatch(/free some space.*mmm resume mmm-p-\d+\n$/s);
      // Each folder is a whole worktree with its branch.
      const folders = String(said["folders"]).trim().split("\n").slice(1);
      expect(folders).toHaveLength(size === 500 ? 1 : 2);
      expect(said["trees"]).toBe(`${folders.length + 1}\n`);
      for (const name of folders) expect(said["refs"]).toContain(`refs/heads/${name}\n`);
      expect(said["status"]).toBe("");
      expect(said["after"]).toMatch(/exit 0\n$/);
      const subjects = (await rig.repo.git("log", "--no-merges", "--format=%s")).split("\n");
      expect(subjects.toSorted()).toEqual(["first", "own-a1", "own-a2"]);
      expect(said["rest"]).toBe(".repository\n");
      expect(await left(rig.repo)).toEqual(NOTHING);
    },
  );

  test("that a step fills: the step fails, what Claude made is kept, a resume asks for nothing again", async () => {
    await open('- claude: "do it"\n- shell: "head -c 600000 /dev/zero > more.bin"\n');
    const before = await checkout(rig.repo);

    const ran = await onSmallDisk(800, ["--worktree", "-n", "1"], "mmm resume --yes");

    const said = await rig.received();
    expectDecent(ran, [1]);
    expect(ran.stderr).toContain("No space left on device");
    expect(before).toContain(String(said["head"]).trim());
    expect(said["after"]).toMatch(/exit 0\n$/);
    expect(await rig.claude.calls()).toHaveLength(1);
    expect(await rig.repo.git("ls-files")).toContain("made.txt\nmore.bin");
    expect(await left(rig.repo)).toEqual(NOTHING);
  });
});
