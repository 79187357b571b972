/** A merge that Claude made is checked by the playbook's gates before the target moves (spec 8.3). */
import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { FakeScenario } from "../support/fake-claude.ts";
import { makeRig, type Rig, type RigOptions } from "./rig.ts";
import { leftovers, NOTHING_LEFT, sessionsIn, stateOf } from "./worktree-state.ts";

const rigs: Rig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

/** Merges the branch of the session, which is what Claude is told, with both sides' lines. */
const RESOLVES = [
  'git merge --no-ff --no-edit "$MMM_SESSION" >/dev/null 2>&1',
  "printf 'hello\\nmain\\nsession\\n' > README.md",
  "git add README.md && git commit -q --no-edit",
].join("; ");

const claude: FakeScenario = {
  calls: [
    {
      times: "always",
      cost: 0.25,
      do: [{ init: {} }, { run: ["sh", "-c", RESOLVES] }, { result: {} }],
    },
  ],
};

/** A session whose branch and main have changed the same line; returns its name. */
async function conflicting(rig: Rig, header: readonly string[], step = ""): Promise<string> {
  await appendFile(path.join(rig.repo.root, ".git/info/exclude"), "*.yml\n");
  const steps = ["steps:", "  - shell: echo session >> README.md", `    validation: [${step}]`];
  await rig.repo.write(
    "pb.yml",
    [...header, ...(step === "" ? steps.slice(0, 2) : steps)].join("\n"),
  );
  const { code, stderr } = await rig.mmm(["cook", "pb.yml", "-w"]);
  expect(code, stderr).toBe(0);
  await rig.repo.write("README.md", "hello\nmain\n");
  await rig.repo.commitAll("main goes on");
  return sessionsIn(rig)[0] ?? "";
}

async function open(options: RigOptions = { claude }): Promise<Rig> {
  const rig = await makeRig(options);
  rigs.push(rig);
  return rig;
}

describe("gates on the outcome of a merge (spec 8.3)", () => {
  const gates =
    "gates: {both: {shell: 'tail -n 2 README.md | paste -sd, && touch made && ! test -f \"$OUT/red\"'}}";

  test("green: the target moves, with evidence in the journal; what a gate writes is not merged", async () => {
    const rig = await open();
    const name = await conflicting(rig, [gates], "both");

    const { code, stdout, stderr } = await rig.mmm(["worktree", "merge", name]);

    expect(code, stderr).toBe(0);
    expect(stdout).toContain("both passed");
    expect(await rig.repo.read("README.md")).toBe("hello\nmain\nsession\n");
    expect(await rig.repo.git("ls-tree", "--name-only", "main")).toBe("README.md");
    expect(await leftovers(rig)).toEqual(NOTHING_LEFT);
    const told = (await journal(rig, name)).filter(({ when }) => when === "merge");
    expect(told.map(({ type, verdict }) => [type, verdict])).toEqual([
      ["gate-started", undefined],
      ["gate-finished", "ok"],
    ]);
    expect(told[1]).toMatchObject({ gate: "both", exitCode: 0, tail: "main,session" });
  });

  test("red: exit 4, all as before, with the gate, its exit code, its output and its log", async () => {
    const rig = await open();
    const name = await conflicting(rig, [gates], "both");
    await appendFile(path.join(rig.out, "red"), "");
    const before = await stateOf(rig);

    const { code, stderr } = await rig.mmm(["worktree", "merge", name]);

    expect(code).toBe(4);
    expect(stderr).toMatch(/the gate `both` fails on the outcome: .*exit code 1/);
    expect(stderr).toContain("main,session");
    const log = /log (\S+\.log)/.exec(stderr)?.[1] ?? "";
    expect(await readFile(log, "utf8")).toBe("main,session\n");
    expect(await stateOf(rig)).toEqual(before);
  });

  test("the tree of the gates is prepared as the session's was", async () => {
    const rig = await open();
    const prepared = [
      "worktree: {run: ['echo ok > ready.txt']}",
      "gates: {ready: {shell: cat ready.txt}}",
    ];
    const name = await conflicting(rig, prepared, "ready");

    const { code, stderr } = await rig.mmm(["worktree", "merge", name]);

    expect(code, stderr).toBe(0);
    expect(await rig.repo.git("ls-tree", "--name-only", "main")).toBe("README.md");
  });

  test("a playbook that is gone is no way around its gates; git's own merge needs none", async () => {
    const rig = await open();
    const name = await conflicting(rig, [gates], "both");
    await rm(path.join(rig.repo.root, "pb.yml"));
    const before = await stateOf(rig);

    const refused = await rig.mmm(["worktree", "merge", name]);
    const same = await stateOf(rig);
    await rig.repo.git("revert", "--no-edit", "HEAD");
    const clean = await rig.mmm(["worktree", "merge", name]);

    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(
      "its playbook cannot be had, which says what to check: there is no playbook pb.yml in ",
    );
    expect(same).toEqual(before);
    expect(clean.code, clean.stderr).toBe(0);
    expect((await rig.claude.calls()).length).toBe(0);
  });

  test("without gates, steps and secrets nothing is needed of a playbook that is gone", async () => {
    const rig = await open();
    const name = await conflicting(rig, []);
    await rm(path.join(rig.repo.root, "pb.yml"));

    const { code, stderr } = await rig.mmm(["worktree", "merge", name]);

    expect(code, stderr).toBe(0);
    expect(await rig.repo.read("README.md")).toBe("hello\nmain\nsession\n");
  });
});

describe("what a merge costs (spec 6.5)", () => {
  test("is in the journal, in session.json, in state.json and in `sessions show`", async () => {
    const rig = await open();
    const name = await conflicting(rig, []);

    await rig.mmm(["worktree", "merge", name]);

    const mmm = path.join(rig.repo.root, ".mmm");
    const session: unknown = JSON.parse(
      await readFile(path.join(mmm, "sessions", name, "session.json"), "utf8"),
    );
    const state: unknown = JSON.parse(await readFile(path.join(mmm, "state.json"), "utf8"));
    const shown = await rig.mmm(["sessions", "show", name, "--json"]);
    expect(session).toMatchObject({ status: "completed", cost_usd: 0.25, known_cost_usd: 0.25 });
    expect(state).toMatchObject({ last_session: { name, cost_usd: 0.25 } });
    expect(JSON.parse(shown.stdout)).toMatchObject({ totals: { cost_usd: 0.25, iterations: 1 } });
  });

  test("counts against the limits of the session, and is merged at its end just so", async () => {
    const rig = await open();
    await appendFile(path.join(rig.repo.root, ".git/info/exclude"), "*.yml\n");
    // While it runs, main goes on.
    const moves =
      'echo session >> README.md; cd "$MAIN"; printf "hello\\nmain\\n" > README.md; git commit -qam main';
    const steps = ["steps:", `  - shell: '${moves}'`];
    await rig.repo.write("pb.yml", ["limits: {cost_usd: 0.5}", ...steps].join("\n"));

    const merged = await rig.mmm(["cook", "pb.yml", "-wy"], { env: { MAIN: rig.repo.root } });

    expect(merged.code, merged.stderr).toBe(0);
    expect(await rig.repo.read("README.md")).toBe("hello\nmain\nsession\n");
    const [call] = await rig.claude.calls();
    expect(call?.argv).toContain("--max-budget-usd=0.5");
  });
});

test("secrets of the playbook are masked in what a merge tells and keeps (spec 2.1)", async () => {
  const secret = "s3cr3t-value-of-the-user";
  const rig = await open();
  const header = [
    "secrets: {TOKEN: {env: TOKEN}}",
    "gates: {leaky: {shell: 'echo $TOKEN; exit 1'}}",
  ];
  await appendFile(path.join(rig.repo.root, ".git/info/exclude"), "*.yml\n");
  const env = { TOKEN: secret };
  await rig.repo.write(
    "pb.yml",
    [...header, "steps: [{shell: echo session >> README.md}]"].join("\n"),
  );
  expect((await rig.mmm(["cook", "pb.yml", "-w"], { env })).code).toBe(0);
  await rig.repo.write(
    "pb.yml",
    [...header, "steps: [{shell: echo session >> README.md, validation: [leaky]}]"].join("\n"),
  );
  await rig.repo.write("README.md", "hello\nmain\n");
  await rig.repo.commitAll("main goes on");
  const [name = ""] = sessionsIn(rig);

  const { code, stdout, stderr } = await rig.mmm(["worktree", "merge", name], { env });
  const without = await rig.mmm(["worktree", "merge", name]);

  expect(code).toBe(4);
  expect(stderr).toContain("***");
  const kept = await everything(path.join(rig.repo.root, ".mmm", "sessions", name));
  expect([stdout, stderr, ...kept].filter((text) => text.includes(secret))).toEqual([]);
  expect(kept.join("")).toContain("***");
  expect(without.code).toBe(4);
  expect(without.stderr).toContain("secret TOKEN: the variable TOKEN is not set");
});

async function journal(rig: Rig, name: string): Promise<readonly Record<string, unknown>[]> {
  const file = path.join(rig.repo.root, ".mmm", "sessions", name, "journal.jsonl");
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function everything(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(({ parentPath, name }) => readFile(path.join(parentPath, name), "utf8")),
  );
}
