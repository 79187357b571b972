/** Trees of inputs that were stopped, and somebody worked in before `mmm resume` (spec 7, 8.4): nothing of it is undone. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { CliOptions, CliResult } from "../support/run-cli.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
let out: string;

beforeEach(async () => {
  kitchen = await openKitchen();
  out = path.join(kitchen.repo.base, "out");
  mkdirSync(out);
});
afterEach(async () => kitchen.dispose());

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };

/** The second step leaves something and stays, until it is resumed. */
const STAY = `
- {shell: "echo one > one-\${ARG}.txt", commit_message: "one \${ARG}"}
- {shell: 'echo half > two-\${ARG}.txt; touch "$OUT/\${ARG}"; test -e "$OUT/go" || sleep 600; echo two > two-\${ARG}.txt', commit_message: "two \${ARG}"}
`;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 20));
}

/** Both inputs are in their second step when the signal comes. */
function stopping(signal: "SIGINT" | "SIGKILL"): Partial<CliOptions> {
  for (const name of readdirSync(out)) rmSync(path.join(out, name));
  const bothStay = (): boolean => readdirSync(out).length === 2;
  return {
    env: { OUT: out },
    onStart: (mmm) => void until(bothStay).then(() => mmm.kill(signal)),
  };
}

async function stopped(signal: "SIGINT" | "SIGKILL"): Promise<CliResult> {
  const args = ["--args", "a1", "--args", "a2", "--parallel", "2", "--yes"];
  return kitchen.cook(STAY, args, stopping(signal));
}

/** To its end. */
async function resume(): Promise<CliResult> {
  writeFileSync(path.join(out, "go"), "");
  return kitchen.mmm(["resume", "--yes"], { env: { OUT: out } });
}

function treeOf(input: number): string {
  const name = `${path.basename(kitchen.session())}-i${input}`;
  return path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", name);
}

async function expectComplete(): Promise<void> {
  const { code, stderr } = await resume();
  expect({ code, stderr }).toMatchObject({ code: 0 });
  for (const arg of ["a1", "a2"]) expect(await kitchen.repo.read(`two-${arg}.txt`)).toBe("two\n");
  expect(await left(kitchen.repo)).toEqual(NOTHING);
}

/** Those under `Next:`. */
function nextLines(stdout: string): readonly string[] {
  const lines = stdout.split("\n").map((line) => line.trim());
  const from = lines.indexOf("Next:") + 1;
  return lines.slice(
    from,
    lines.findIndex((line, at) => at >= from && !/^(?:mmm|git) /.test(line)),
  );
}

describe("after a Ctrl-C", () => {
  test("and another in the resume: what Next says can be typed in its order", async () => {
    await stopped("SIGINT");
    const again = await kitchen.mmm(["resume", "--yes"], stopping("SIGINT"));

    expect(again.code).toBe(130);
    // What was undone is named, but its tree is one that the resume goes on in.
    expect(again.stdout + again.stderr).toContain("refs/mmm/failed/");
    expect(nextLines(again.stdout)).toEqual([`mmm resume ${path.basename(kitchen.session())}`]);
    await expectComplete();
  });

  test("a file that was edited in an input's tree stops the resume, and is left alone", async () => {
    expect((await stopped("SIGINT")).code).toBe(130);
    writeFileSync(path.join(treeOf(2), "mine.txt"), "mine\n");

    const ran = await resume();
    const git = kitchen.repo.git.bind(kitchen.repo);

    expect(ran.code, ran.stdout).toBe(3);
    const name = path.basename(treeOf(2));
    expect(ran.stderr).toContain(`1 file has changed in ${name}`);
    expect(ran.stderr).toContain("mine.txt");
    expect(ran.stderr).toContain(`mmm worktree clean ${name} --force`);
    expect(readFileSync(path.join(treeOf(2), "mine.txt"), "utf8")).toBe("mine\n");
    expect(await git("for-each-ref", "refs/mmm/failed")).toBe("");
    // What the line says is enough.
    await git("-C", treeOf(2), "stash", "-u");
    await expectComplete();
    expect(await git("stash", "show", "--include-untracked", "--name-only")).toContain("mine.txt");
  });

  test("a commit in an input's tree stops the resume, and stays", async () => {
    await stopped("SIGINT");
    const git = kitchen.repo.git.bind(kitchen.repo);
    await git("-C", treeOf(1), "commit", "-q", "--allow-empty", "-m", "mine");
    const mine = await git("-C", treeOf(1), "rev-parse", "HEAD");
    writeFileSync(path.join(treeOf(2), "mine.txt"), "mine\n");

    const ran = await resume();

    expect(ran.code, ran.stdout).toBe(3);
    // All that is in the way is said at once.
    expect(ran.stderr).toContain(`1 file has changed in ${path.basename(treeOf(2))}`);
    expect(ran.stderr.match(/give the session up/g)).toHaveLength(1);
    expect(ran.stderr).toContain(`the tree of ${path.basename(treeOf(1))} has moved on`);
    expect(await git("-C", treeOf(1), "rev-parse", "HEAD")).toBe(mine);
  });

  test("trees that nobody touched, or that were tidied up, are gone on in", async () => {
    const { stdout, stderr } = await stopped("SIGINT");
    // The line to type stands there once.
    expect((stdout + stderr).match(/mmm resume/g)).toHaveLength(1);
    await kitchen.repo.git("-C", treeOf(1), "clean", "-qfd");
    await expectComplete();
  });
});

test.each([
  ["SIGINT", "SIGKILL"],
  ["SIGKILL", "SIGKILL"],
  ["SIGKILL", "SIGINT"],
  ["SIGINT", "SIGINT"],
] as const)(
  "%s, a resume, %s: the next resume is not misled by what was left at first",
  async (one, two) => {
    await stopped(one);
    const again = await kitchen.mmm(["resume", "--yes"], stopping(two));
    const said = again.stdout + again.stderr;
    // All that was cut short, and where.
    for (const input of [1, 2]) expect(said).toMatch(new RegExp(`input ${input}, .*starts again`));
    await expectComplete();
  },
);

test("after a kill what was edited cannot be told from what the step left: it is kept, and said where", async () => {
  expect((await stopped("SIGKILL")).signal).toBe("SIGKILL");
  writeFileSync(path.join(treeOf(2), "mine.txt"), "mine\n");

  const ran = await resume();

  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
  const ref = `refs/mmm/failed/${path.basename(treeOf(2))}/1`;
  const said = (ran.stdout + ran.stderr).split("\n").filter((line) => line.includes(ref));
  // Whose it is stands before it.
  expect(said.filter((line) => line.startsWith("[2] "))).toHaveLength(1);
  const told = kitchen.events().filter((event) => event.type === "unit-restarted");
  expect(new Set(told.map(({ input }) => input))).toEqual(new Set([1, 2]));
  expect(await kitchen.repo.git("show", `${ref}:mine.txt`)).toBe("mine");
});
