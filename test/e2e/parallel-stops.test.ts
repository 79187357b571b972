/** Several inputs at once and what ends them: signals, limits, other sessions in the repository (spec 7, 8.4, 11). */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { alive, checkout, left, together } from "./parallel-state.ts";

let kitchen: Kitchen;
let out: string;

beforeEach(async () => open());
afterEach(async () => kitchen.dispose());

async function open(calls?: readonly FakeCall[]): Promise<void> {
  kitchen = await openKitchen(calls);
  out = path.join(kitchen.repo.base, "out");
  mkdirSync(out);
}

/** Another Claude in another repository. */
async function openWith(calls: readonly FakeCall[]): Promise<void> {
  await kitchen.dispose();
  await open(calls);
}

function args(n: number): readonly string[] {
  return Array.from({ length: n }, (_, index) => ["--args", `a${index + 1}`]).flat();
}

function finished(): Extract<Event, { type: "session-finished" }> {
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  if (end?.type !== "session-finished") throw new Error("the session has no end");
  return end;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 20));
}

/** Each of them makes a commit, says that it is there, and would stay for ever, a child of its own too. */
const STAY = `
- {shell: "echo x > own-\${ARG}.txt", commit_message: "own \${ARG}"}
- {shell: 'sleep 600 & touch "$OUT/\${ARG}"; sleep 600', commit_required: false}
`;

/** What is left stands in what mmm has `said`, has a name that a user can type, and can be removed by it. */
async function expectNameable(said: string | null = null): Promise<void> {
  const there = await left(kitchen.repo);
  const all: readonly string[] = Object.values(there).flat();
  const folder = path.join(kitchen.repo.home, ".mmm", "worktrees", "repo");
  const unsaid = there.folders.filter((name) => !said?.includes(`${path.join(folder, name)}\n`));
  if (said !== null) expect(unsaid, said).toEqual([]);
  const names = [...new Set(all)].filter((name) => name !== "main");
  const ls = await kitchen.mmm(["worktree", "ls", "--json"]);
  const rows = JSON.parse(ls.stdout) as readonly { readonly name: string }[];
  expect(rows.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  const clean = await kitchen.mmm(["worktree", "clean", "--all", "--force"]);
  expect(clean).toMatchObject({ code: 0 });
  expect(await left(kitchen.repo)).toEqual({
    branches: ["main"],
    listed: [],
    records: [],
    folders: [],
  });
  expect(await kitchen.repo.git("fsck", "--no-progress")).not.toMatch(/error|missing|corrupt/);
}

describe("a signal in the middle of eight inputs", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s: all children are gone, exit code %i, and a table of all",
    async (signal, code) => {
      await kitchen.repo.write("pb.yml", STAY);
      const before = await checkout(kitchen.repo);
      const ran = await kitchen.cook(STAY, [...args(10), "--parallel", "8"], {
        env: { OUT: out },
        onStart: (mmm) =>
          void until(() => readdirSync(out).length === 8).then(() => mmm.kill(signal)),
      });

      expect(ran.code).toBe(code);
      expect(alive(kitchen.repo)).toEqual([]);
      expect(await checkout(kitchen.repo)).toBe(before);
      const { inputResults, next } = finished();
      expect(inputResults.map(({ status }) => status)).toEqual([
        ...Array<string>(8).fill("interrupted"),
        ...Array<string>(2).fill("not-run"),
      ]);
      expect(ran.stdout).toContain("8 interrupted, 2 not run");
      const session = path.basename(kitchen.session());
      expect(next).toContain(`mmm resume ${session}`);
      expect(ran.stdout + ran.stderr).toContain(`mmm resume ${session}`);
      // The session's own, and one for each that was at work.
      expect((await left(kitchen.repo)).records).toHaveLength(9);
      await expectNameable(ran.stdout);
    },
  );

  test("kill -9: all that is left has a name and can be removed, running children too", async () => {
    const ran = await kitchen.cook(STAY, [...args(8), "--parallel", "8"], {
      env: { OUT: out },
      onStart: (mmm) =>
        void until(() => readdirSync(out).length === 8).then(() => mmm.kill("SIGKILL")),
    });

    expect(ran.signal).toBe("SIGKILL");
    const { repo } = kitchen;
    const session = path.basename(kitchen.session());
    const removed = await kitchen.mmm(["sessions", "ls"]);
    expect(removed.code).toBe(0);
    expect(removed.stdout).toContain(session);
    await expectNameable();
    // Nobody could end them before; their folders are gone.
    expect(alive(repo)).toEqual([]);
    expect(existsSync(path.join(repo.root, "own-a1.txt"))).toBe(false);
  });

  test("while worktrees are made: a summary all the same", async () => {
    // The third tree is never ready.
    const playbook = `
worktree: {run: ['touch "$OUT/made-$(basename $PWD)"; case $PWD in *-i3) sleep 600;; esac']}
steps: [{shell: "sleep 600", commit_required: false}]
`;
    const isAtThird = (): boolean => readdirSync(out).some((name) => name.endsWith("-i3"));
    const ran = await kitchen.cook(playbook, [...args(10), "--parallel", "8"], {
      env: { OUT: out },
      onStart: (mmm) => void until(isAtThird).then(() => mmm.kill("SIGINT")),
    });

    expect(ran.code, ran.stderr).toBe(130);
    expect(alive(kitchen.repo)).toEqual([]);
    expect(finished().status).toBe("interrupted");
    expect(ran.stdout).toMatch(/Inputs: /);
    expect(ran.stdout + ran.stderr).toContain(`mmm resume ${path.basename(kitchen.session())}`);
    // One that never was ready has nothing in it: it is gone.
    expect((await left(kitchen.repo)).branches.filter((name) => /-i[3-9]$/.test(name))).toEqual([]);
    await expectNameable(ran.stdout);
  });
});

describe("limits hold over all of them", () => {
  const WORK = `- {claude: "/do \${ARG}", commit_required: false}`;

  test("--max-cost: runs at once share what is left, nothing is begun after it", async () => {
    const three = together(3);
    await openWith([three.call]);
    const ran = await kitchen.cook(WORK, [...args(8), "--parallel", "3", "--max-cost", "3"], {
      onStart: () => void three.letGo(kitchen),
    });
    three.dispose();
    expect(ran.code).toBe(75);
    expect(finished()).toMatchObject({ status: "suspended", limit: { kind: "cost", limit: 3 } });
    expect(await kitchen.prompts()).toHaveLength(3);
    // Without more money it would be suspended again at once: no other line is said.
    const line = `mmm resume ${path.basename(kitchen.session())} --max-cost 6.00`;
    expect((ran.stdout + ran.stderr).match(/mmm resume .*/g)).toEqual([line]);
    await expectRest(ran.stdout);
  });

  test("--max-tokens: what is at work comes to its end, nothing is begun after it", async () => {
    await openWith([{ times: "always" }]);
    const ran = await kitchen.cook(WORK, [...args(8), "--parallel", "3", "--max-tokens", "1"]);
    expect(ran.code).toBe(75);
    expect(finished()).toMatchObject({ status: "suspended", limit: { kind: "tokens", limit: 1 } });
    expect((await kitchen.prompts()).length).toBeLessThanOrEqual(3);
    await expectRest(ran.stdout);
  });

  test("--max-duration: nothing is begun after it", async () => {
    const playbook = `[{shell: "sleep 2", commit_required: false}, {shell: "touch $OUT/$ARG"}]`;
    const limit = ["--max-duration", "1s"];
    const ran = await kitchen.cook(playbook, [...args(4), "--parallel", "2", ...limit], {
      env: { OUT: out },
    });
    expect(ran.code).toBe(75);
    expect(finished()).toMatchObject({ status: "suspended", limit: { kind: "duration" } });
    expect(readdirSync(out)).toEqual([]);
    await expectRest(ran.stdout);
  });

  test("--wait: inputs at once sleep until the usage limit resets; Ctrl-C ends the sleep", async () => {
    const resets = Math.floor(Date.now() / 1000) + 7200;
    const said = `Claude AI usage limit reached|${resets}`;
    await openWith([
      {
        times: "always",
        do: [
          { init: {} },
          { result: { is_error: true, result: said, api_error_status: 429 } },
          { exit: 1 },
        ],
      },
    ]);
    let heard = "";
    let kill = (): void => undefined;
    const ran = await kitchen.cook(WORK, [...args(6), "--parallel", "2", "--wait"], {
      onStart: (mmm) => {
        kill = () => mmm.kill("SIGINT");
      },
      onStdout: (text) => {
        heard += text;
        if ((heard.match(/waiting until/g) ?? []).length < 2) return;
        heard = "";
        kill();
      },
    });
    expect(ran.code, ran.stdout).toBe(130);
    expect(await kitchen.prompts()).toHaveLength(2);
    expect(finished().inputResults.map(({ status }) => status)).toEqual([
      "interrupted",
      "interrupted",
      ...Array<string>(4).fill("not-run"),
    ]);
    await expectRest(ran.stdout);
  });

  /** The last inputs were not begun, the way on is said, and all that is left can be named. */
  async function expectRest(stdout: string): Promise<void> {
    expect(finished().inputResults.at(-1)?.status).toBe("not-run");
    expect(stdout).toContain(`mmm resume ${path.basename(kitchen.session())}`);
    expect(alive(kitchen.repo)).toEqual([]);
    await expectNameable(stdout);
  }
});

test("two sessions with inputs at once in one repository do not get in each other's way", async () => {
  const playbook = `- {shell: "echo \${ARG} > $NAME-\${ARG}.txt", commit_message: "$NAME \${ARG}"}`;
  await kitchen.repo.write("one.yml", playbook);
  await kitchen.repo.write("two.yml", playbook);
  await kitchen.repo.commitAll("playbooks");
  const [one, two] = await Promise.all(
    ["one", "two"].map(async (name) =>
      kitchen.mmm(["cook", `${name}.yml`, ...args(6), "--parallel", "3", "--yes"], {
        env: { NAME: name },
      }),
    ),
  );

  expect({ one: one?.code, two: two?.code }, `${one?.stderr}\n${two?.stderr}`).toEqual({
    one: 0,
    two: 0,
  });
  const files = readdirSync(kitchen.repo.root).filter((name) => /^(?:one|two)-/.test(name));
  expect(files).toHaveLength(12);
  expect(await left(kitchen.repo)).toEqual({
    branches: ["main"],
    listed: [],
    records: [],
    folders: [],
  });
});
