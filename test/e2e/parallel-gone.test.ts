/** Folders and branches that somebody deletes by hand while inputs are at once, or between stop and resume (spec 8.2, 8.4). */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
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
const session = (): string => path.basename(kitchen.session());
const folder = (name: string): string =>
  path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", name);
const inputs = (n: number): readonly string[] =>
  Array.from({ length: n }, (_, index) => ["--args", `a${index + 1}`]).flat();

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 20));
}

function results() {
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  if (end?.type !== "session-finished") throw new Error("the session has no end");
  return end.inputResults;
}

/** Safe to repeat, whatever is left (spec 8.2). */
async function expectCleaned(): Promise<void> {
  const name = session();
  for (const words of [["--all", "--force"], ["--all"], [name], [`${name}-i2`]]) {
    const { code, stderr } = await kitchen.mmm(["worktree", "clean", ...words]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }
  expect(await left(kitchen.repo)).toEqual(NOTHING);
  expect(await kitchen.repo.git("for-each-ref", "refs/mmm/snap")).toBe("");
}

/** Named, and removed when nothing is lost with it, or when that is meant. */
async function expectAside(name: string): Promise<void> {
  const clean = async (...words: readonly string[]) => kitchen.mmm(["worktree", "clean", ...words]);
  const shown = await kitchen.mmm(["worktree", "ls"]);
  const json = await kitchen.mmm(["worktree", "ls", "--json"]);
  expect(shown.stdout).toContain(`${name}\n  put aside`);
  expect(shown.stdout).toContain(folder(name));
  const row = { name, path: folder(name), branch: null, status: "aside", merged: false };
  expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining(row));

  const mine = path.join(folder(name), "sub", "mine.txt");
  mkdirSync(path.dirname(mine));
  writeFileSync(mine, "mine\n");
  for (const words of [[name], ["--all"]]) {
    const refused = await clean(...words);
    expect(refused.code).toBe(3);
    // What the commits of the input held is in those of its second try.
    expect(refused.stderr).toMatch(/in no commit:\n {2}sub\/mine\.txt\n {2}\S/);
    expect(existsSync(mine)).toBe(true);
  }
  expect(await clean("--merged")).toMatchObject({ code: 0 });
  expect(existsSync(mine)).toBe(true);
  rmSync(mine);
  for (const word of ["removed folder", "nothing of"]) {
    const { code, stdout } = await clean(name);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toContain(`${word}${word === "nothing of" ? " " : ": "}${name}`);
  }
  expect(existsSync(folder(name))).toBe(false);
}

describe("deleted while it waits for its merge, that input fails alone", () => {
  /** Who comes first into the gate of a merge stays there until the test lets it go; the other one waits. */
  const PLAYBOOK = `
gates: {held: {shell: 'git symbolic-ref -q HEAD || { touch "$OUT/merging"; while ! test -e "$OUT/go"; do sleep 0.02; done; }'}}
steps:
- {shell: 'echo \${ARG} > out-\${ARG}.txt', commit_message: 'add \${ARG}', validation: [held]}
`;

  test.each([
    ["its folder", /its worktree is gone: \S+-i[12]$/, true],
    ["its branch", /its branch is gone: \S+-i[12]$/, true],
    ["both", /its worktree and its branch are gone: \S+-i[12]$/, false],
  ])("%s", async (what, message, isKept) => {
    const { repo } = kitchen;
    let lost = "";
    const remove = async (): Promise<void> => {
      await until(() => existsSync(path.join(out, "merging")));
      await until(
        () =>
          kitchen
            .events()
            .filter(({ type }) => type === "input-finished" || type === "step-finished").length ===
          2,
      );
      const names = [`${session()}-i1`, `${session()}-i2`];
      const heads = await repo.git("worktree", "list", "--porcelain");
      lost = names.find((name) => heads.includes(`branch refs/heads/${name}\n`)) ?? "";
      if (what !== "its branch") rmSync(folder(lost), { recursive: true });
      if (what !== "its folder") await repo.git("update-ref", "-d", `refs/heads/${lost}`);
      writeFileSync(path.join(out, "go"), "");
    };
    let removed: Promise<void> = Promise.resolve();

    const ran = await kitchen.cook(PLAYBOOK, [...inputs(2), "--parallel", "2", "--yes"], {
      env: { OUT: out },
      onStart: () => {
        removed = remove();
      },
    });
    await removed;

    expect({ code: ran.code, stdout: ran.stdout }).toMatchObject({ code: 1 });
    const input = Number(lost.slice(-1));
    const row = results().find((each) => each.input.index === input);
    const other = results().find((each) => each.input.index !== input);
    expect(row).toMatchObject({ status: "failed", branch: isKept ? lost : null });
    expect(row?.message).toMatch(message);
    expect(other).toMatchObject({ status: "completed", commits: 1 });
    expect(ran.stdout.includes(`kept on branch ${lost}`)).toBe(isKept);
    expect(await repo.git("ls-files", "out-*")).toBe(`out-a${3 - input}.txt`);

    const resumed = await kitchen.mmm(["resume", "--yes"], { env: { OUT: out } });
    expect({ code: resumed.code, stderr: resumed.stderr }).toMatchObject({ code: 0 });
    expect(await repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a2.txt");
    // Files without a commit to compare them with are nobody's to throw away.
    const aside = `${lost}.aside-1`;
    expect(resumed.stderr.includes(`it is now ${folder(aside)}`)).toBe(what === "its branch");
    if (what === "its branch") await expectAside(aside);
    await expectCleaned();
  });
});

describe("deleted between a Ctrl-C and the resume", () => {
  const PLAYBOOK = `
- {shell: 'echo \${ARG} > out-\${ARG}.txt', commit_message: 'add \${ARG}'}
- {shell: 'test -e "$OUT/go" || { touch "$OUT/here-\${ARG}"; sleep 600; }', commit_required: false}
`;

  beforeEach(async () => {
    const here = ["here-a1", "here-a2"].map((name) => path.join(out, name));
    const ran = await kitchen.cook(PLAYBOOK, [...inputs(2), "--parallel", "2", "--yes"], {
      env: { OUT: out },
      onStart: (mmm) =>
        void until(() => here.every((file) => existsSync(file))).then(() => mmm.kill("SIGINT")),
    });
    expect(ran.code).toBe(130);
    writeFileSync(path.join(out, "go"), "");
  });

  const resume = async () => kitchen.mmm(["resume", "--yes"], { env: { OUT: out } });

  test("an input's branch: it says so with the line that makes it again, and goes on then", async () => {
    const name = `${session()}-i2`;
    const { repo } = kitchen;
    await repo.git("-C", folder(name), "switch", "-q", "--detach");
    await repo.git("branch", "-qD", name);

    const refused = await resume();
    const line = /next: git -C (\S+) switch -c (\S+) (\w+)$/m.exec(refused.stderr);
    await repo.git("-C", line?.[1] ?? "", "switch", "-q", "-c", line?.[2] ?? "", line?.[3] ?? "");
    const { code, stderr } = await resume();

    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("that branch is gone");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a2.txt");
    expect(await left(repo)).toEqual(NOTHING);
  });

  test("an input's branch and folder: it starts anew, the other one goes on", async () => {
    const name = `${session()}-i2`;
    rmSync(folder(name), { recursive: true });
    await kitchen.repo.git("worktree", "prune");
    await kitchen.repo.git("branch", "-qD", name);

    const { code, stderr } = await resume();

    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await kitchen.repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a2.txt");
    expect(await left(kitchen.repo)).toEqual(NOTHING);
  });

  test.each(["folder", "branch", "both"])(
    "an input's %s: all of it can be cleaned, twice",
    async (what) => {
      const name = `${session()}-i2`;
      if (what !== "branch") rmSync(folder(name), { recursive: true });
      if (what !== "folder") await kitchen.repo.git("update-ref", "-d", `refs/heads/${name}`);

      await expectCleaned();
    },
  );

  test("the session's folder and branch: it can only be given up, and its inputs cleaned", async () => {
    rmSync(folder(session()), { recursive: true });
    await kitchen.repo.git("worktree", "prune");
    await kitchen.repo.git("branch", "-qD", session());

    const refused = await resume();

    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(
      /neither is its branch\n {2}next: give the session up: mmm sessions drop/,
    );
    await expectCleaned();
  });
});
