/**
 * A disk that is full or closed at any write (spec 1.1, 7): the run stops with the cause and exit 3,
 * what was there stays readable, and the next run works.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readJournal } from "../../src/session/read-journal.ts";
import { readSession } from "../../src/session/session-file.ts";
import { expectDecent, makeRig, type Ran, type Rig } from "./rig.ts";

const isRoot = process.getuid?.() === 0;
const canMount =
  isRoot && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

let rig: Rig;
afterEach(async () => {
  spawnSync("chmod", ["-R", "u+rwX", rig.repo.base]);
  await rig.dispose();
});

const PLAYBOOK = `
- id: one
  shell: "seq 3000; echo a > a.txt"
  capture_output: true
- claude: "look"
- shell: "printf %s \${one.output} > b.txt"
- shell: "head -c 9000 /dev/urandom > c.bin"
`;
const SMALL = '- shell: "echo z > z.txt"\n';

async function open(): Promise<Rig> {
  rig = await makeRig({ files: { "p.yml": PLAYBOOK, "small.yml": SMALL } });
  return rig;
}

/** Everything that lies on disk can be read; returns how the last session says that it ended. */
async function expectReadable(mmm: string): Promise<string | null> {
  const state = path.join(mmm, "state.json");
  if (existsSync(state)) JSON.parse(await fs.readFile(state, "utf8"));
  const sessions = path.join(mmm, "sessions");
  const names = existsSync(sessions) ? await fs.readdir(sessions) : [];
  let status: string | null = null;
  for (const name of names) {
    const found = readSession(path.join(sessions, name, "session.json"));
    expect(found.kind).not.toBe("damaged");
    if (found.kind === "sound") status = found.value.status;
    expect(readJournal(path.join(sessions, name, "journal.jsonl"))).toMatchObject({
      damage: [],
      torn: 0,
    });
  }
  return status;
}

/** In pages, as a tmpfs counts. */
async function kilobytesOf(folder: string): Promise<number> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(async ({ parentPath, name }) => fs.stat(path.join(parentPath, name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + Math.ceil(size / 4096) * 4, 0);
}

/** Runs with `folder` on a file system of `kilobytes`, then on the disk again as it was left. */
async function onSmallDisk(folder: string, kilobytes: number): Promise<Ran> {
  const { repo, out } = await open();
  await fs.mkdir(path.join(repo.root, folder), { recursive: true });
  const inside = [
    `cp -a ${folder} "$OUT/before"`,
    `mount -t tmpfs -o size=${kilobytes}k none ${folder}`,
    `cp -a "$OUT/before/." ${folder}`,
    '"$@"',
    "code=$?",
    `cp -a ${folder} "$OUT/after"`,
    "exit $code",
  ].join("\n");
  const ran = await rig.mmm(["cook", "p.yml"], {
    around: `exec unshare -m sh -c '${inside}' sh "$@"`,
  });
  await fs.rm(path.join(repo.root, folder), { recursive: true });
  await fs.cp(path.join(out, "after"), path.join(repo.root, folder), {
    recursive: true,
    verbatimSymlinks: true,
  });
  return ran;
}

async function expectGoesOn(): Promise<void> {
  const { repo } = rig;
  expect(await repo.git("fsck", "--no-dangling", "--no-progress")).toBe("");
  expect(await fs.readdir(path.join(repo.root, ".git"))).not.toContain("index.lock");
  await repo.git("reset", "--hard", "--quiet");
  await repo.git("clean", "-fdq");
  const again = await rig.mmm(["cook", "small.yml"]);
  expectDecent(again, [0]);
}

describe.runIf(canMount)("a full disk (only root may mount one)", () => {
  // A session keeps 128 KB of it for its end.
  test.each([4, 24, 128, 140, 144, 152, 160, 176, 192, 208])(
    "of %i KB under .mmm stops the run with its cause, or is enough",
    async (kilobytes) => {
      const ran = await onSmallDisk(".mmm", kilobytes);

      expectDecent(ran, [0, 3]);
      if (ran.code === 3) expect(ran.stderr).toMatch(/no space left|disk is full/i);
      const status = await expectReadable(path.join(rig.repo.root, ".mmm"));
      if (ran.code === 0) expect(status).toBe("completed");
      await expectGoesOn();
    },
  );

  test.each([4, 12, 20, 28, 40, 56])(
    "with %i KB left under .git stops the run with its cause, or is enough",
    async (left) => {
      const { repo } = await open();
      const used = await kilobytesOf(path.join(repo.root, ".git"));
      await rig.dispose();
      const ran = await onSmallDisk(".git", used + left);

      expectDecent(ran, [0, 3]);
      if (ran.code === 3) {
        expect(ran.stderr).toMatch(/no space left|out of diskspace|couldn't write|full/i);
        expect(ran.stderr).toMatch(/free (some )?space/);
      }
      const status = await expectReadable(path.join(rig.repo.root, ".mmm"));
      expect(status).toBe(ran.code === 0 ? "completed" : "failed");
      await expectGoesOn();
    },
  );
});

describe.runIf(isRoot)("a folder that cannot be written (as a normal user)", () => {
  const asNobody = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"';

  test.each<[string, RegExp]>([
    [".mmm/sessions/*/logs", /cannot write the log .*logs/],
    [".mmm/sessions/*/claude", /cannot .*claude/],
    [".mmm/sessions/*/outputs", /cannot write a value to .*outputs/],
    [".mmm/sessions/*", /cannot write .*session\.json/],
    [".mmm", /\.mmm/],
    [".git", /\.git/],
    [".git/objects", /git cannot write: .*\.git\/objects/s],
    [".git/refs/heads", /git cannot write: .*refs\/heads/s],
  ])("%s closed by a step: exit 3 with the cause, the record is whole", async (closed, says) => {
    const { repo, claude } = await open();
    // Values over 100 KB travel by file.
    const close = [
      `- id: big`,
      `  shell: "seq 40000; chmod 555 ${closed}; echo a > a.txt"`,
      `  outputs: {all: {capture: text}}`,
      `- shell: "printf %s \${big.all} | wc -c"`,
      `- claude: "look"`,
    ];
    await repo.write("close.yml", `${close.join("\n")}\n`);
    await repo.commitAll("close");
    spawnSync("chown", ["-R", "65534:65534", "repo", "home", "out"], { cwd: repo.base });
    await fs.chmod(repo.base, 0o755);
    spawnSync("chown", ["-R", "65534:65534", path.dirname(claude.bin)]);

    const ran = await rig.mmm(["cook", "close.yml"], { around: asNobody });

    expectDecent(ran, [3]);
    expect(ran.stderr).toMatch(says);
    spawnSync("chmod", ["-R", "u+rwX", "."], { cwd: repo.root });
    await expectReadable(path.join(repo.root, ".mmm"));
    spawnSync("chown", ["-R", "0:0", "."], { cwd: repo.root });
    await expectGoesOn();
  });
});

test("a repository path of 200 characters with emoji, and a playbook with dots and spaces", async () => {
  const deep = ["a", "b", "c"].map((end) => `${"ü🍳 ".repeat(18)}${end}`).join("/");
  rig = await makeRig({ folder: deep, files: { "Nächtlicher Lauf.v2 .yml": SMALL } });
  expect(deep.length).toBeGreaterThan(200);

  const ran = await rig.mmm(["cook", "Nächtlicher Lauf.v2 .yml"]);

  expectDecent(ran, [0]);
  const mmm = path.join(rig.repo.root, ".mmm");
  expect(await expectReadable(mmm)).toBe("completed");
  const [name] = await fs.readdir(path.join(mmm, "sessions"));
  expect(name).toMatch(/^mmm-n-chtlicher-lauf-v2-\d+$/);
});
