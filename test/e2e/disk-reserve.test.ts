/** What Claude was paid for survives a disk that fills up under it (spec 7, decision 0017). */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readSession } from "../../src/session/session-file.ts";
import { expectDecent, makeRig, type Ran, type Rig } from "./rig.ts";

const canMount =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

const PLAYBOOK = '- claude: "do it"\n- shell: "echo b > b.txt"\n';
/** Ten kilobytes each. */
const TALK = Array.from({ length: 60 }, (_, n) => ({ say: `${n} ${"x".repeat(10_000)}` }));

let rig: Rig;
afterEach(async () => rig.dispose());

/** With `.mmm` on a file system of its own; what lies there then comes back to the usual disk. */
async function onSmallDisk(kilobytes: number): Promise<Ran> {
  const { repo, out } = rig;
  const mmm = path.join(repo.root, ".mmm");
  await fs.mkdir(mmm);
  const ran = await rig.mmm(["cook", "p.yml", "-n", "1"], {
    around: `exec unshare -m sh -c 'mount -t tmpfs -o size=${kilobytes}k none .mmm && "$@"; code=$?; cp -a .mmm "$OUT/after"; exit $code' sh "$@"`,
  });
  await fs.rm(mmm, { recursive: true });
  await fs.cp(path.join(out, "after"), mmm, { recursive: true, verbatimSymlinks: true });
  return ran;
}

async function sessionFolder(): Promise<string> {
  const sessions = path.join(rig.repo.root, ".mmm", "sessions");
  const [name = ""] = await fs.readdir(sessions);
  return path.join(sessions, name);
}

describe.runIf(canMount)("a disk that is full (only root may mount one)", () => {
  test("while Claude talks: its answer is kept, the run stops, and a resume does not ask again", async () => {
    rig = await makeRig({
      files: { "p.yml": PLAYBOOK },
      claude: {
        calls: [
          {
            do: [
              { init: {} },
              { write: "a.txt", content: "a" },
              ...TALK,
              { result: { result: "the answer" } },
            ],
          },
        ],
      },
    });

    const ran = await onSmallDisk(400);

    expectDecent(ran, [3]);
    expect(ran.stderr).toMatch(/no space left|disk is full/i);
    expect(ran.stderr).toMatch(/free some space/);
    const folder = await sessionFolder();
    const record = readSession(path.join(folder, "session.json"));
    expect(record).toMatchObject({
      kind: "sound",
      value: { status: "failed", stop_reason: "error" },
    });
    expect(await fs.readdir(folder)).not.toContain("reserve");

    const again = await rig.mmm(["resume"]);

    expectDecent(again, [0]);
    expect(await rig.claude.calls()).toHaveLength(1);
    expect(await rig.repo.git("ls-files")).toMatch(/a\.txt\nb\.txt/);
    const [text = ""] = (await fs.readdir(path.join(folder, "claude"))).filter((name) =>
      name.endsWith(".txt"),
    );
    expect(await fs.readFile(path.join(folder, "claude", text), "utf8")).toBe("the answer");
  });

  test("at the start: nothing is begun that could not be written down", async () => {
    rig = await makeRig({ files: { "p.yml": PLAYBOOK } });

    const ran = await onSmallDisk(100);

    expectDecent(ran, [3]);
    expect(ran.stderr).toMatch(/cannot keep some room in .*no space left/);
    expect(await rig.claude.calls()).toEqual([]);
  });
});

test("a session that is over keeps no room", async () => {
  rig = await makeRig({ files: { "p.yml": '- shell: "ls .mmm/sessions/*/reserve > seen.txt"\n' } });

  expectDecent(await rig.mmm(["cook", "p.yml"]), [0]);

  expect(await rig.repo.git("show", "HEAD:seen.txt")).toMatch(/reserve/);
  expect(await fs.readdir(await sessionFolder())).not.toContain("reserve");
});
