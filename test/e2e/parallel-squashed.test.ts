/** An input whose changes somebody took over without its commits, and cleaned away: it is not paid twice (spec 7, 8.4). */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
let env: { readonly OUT: string };
let session: string;
let name: string;

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };
/** The gate holds in the step, and not on the merge before there is `go`. */
const PLAYBOOK = `
gates: {held: {shell: 'git symbolic-ref -q HEAD || test -e "$OUT/go"'}}
steps:
- {shell: 'echo $ARG > out-$ARG.txt', commit_message: one, validation: [held]}
- {shell: 'echo $ARG >> out-$ARG.txt; echo more > more-$ARG.txt', commit_message: two}
`;

beforeEach(async () => {
  kitchen = await openKitchen();
  env = { OUT: path.join(kitchen.repo.base, "out") };
  mkdirSync(env.OUT);
  const args = ["--args", "a1", "--args", "a2", "--parallel", "2"];
  const ran = await kitchen.cook(PLAYBOOK, args, { env });
  expect(ran.code, ran.stderr).toBe(1);
  session = path.basename(kitchen.session());
  name = `${session}-i2`;
  writeFileSync(path.join(env.OUT, "go"), "");
});
afterEach(async () => kitchen.dispose());

const treeOf = (of: string): string =>
  path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", of);

async function git(tree: string, ...args: readonly string[]): Promise<string> {
  return kitchen.repo.git("-C", tree, ...args);
}

const squash = async (tree: string): Promise<void> => {
  await git(tree, "merge", "-q", "--squash", name);
  await git(tree, "commit", "-qm", "squashed");
};

const edit = async (tree: string): Promise<void> => {
  rmSync(path.join(tree, "more-a2.txt"));
  writeFileSync(path.join(tree, "out-a2.txt"), "changed since\n");
  await git(tree, "commit", "-qam", "on top");
};

const WAYS: readonly [string, () => string, (tree: string) => Promise<void>][] = [
  ["squashed into the session's branch", () => treeOf(session), squash],
  ["squashed into the branch it goes to", () => kitchen.repo.root, squash],
  [
    "squashed, and others worked on the same lines since",
    () => treeOf(session),
    async (tree) => {
      await squash(tree);
      await edit(tree);
    },
  ],
  [
    "picked one by one, and others worked on the same lines since",
    () => treeOf(session),
    async (tree) => {
      await git(tree, "cherry-pick", `main..${name}`);
      await edit(tree);
    },
  ],
];

test.each(WAYS)("%s", async (_, tree, take) => {
  await take(tree());
  expect(await kitchen.mmm(["worktree", "clean", name, "--force"])).toMatchObject({ code: 0 });

  const { code, stdout, stderr } = await kitchen.mmm(["resume", "--yes"], { env });

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout + stderr).toContain(`${name} is merged already`);
  expect(await kitchen.repo.read("out-a1.txt")).toBe("a1\na1\n");
  expect(await kitchen.repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a2.txt");
  expect(kitchen.events().filter(({ type }) => type === "attempt-started")).toHaveLength(4);
  expect(await left(kitchen.repo)).toEqual(NOTHING);
});

test("only half of it taken over is not all of it: it starts anew, and that is said", async () => {
  await git(treeOf(session), "cherry-pick", `${name}~1`);
  await kitchen.mmm(["worktree", "clean", name, "--force"]);

  const { code, stderr } = await kitchen.mmm(["resume", "--yes"], { env });

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain("worktree and branch of input 2 are gone");
  expect(kitchen.events().filter(({ type }) => type === "attempt-started").length).toBeGreaterThan(
    4,
  );
});

test("commits that git has thrown away can be compared with nothing", async () => {
  await squash(treeOf(session));
  await kitchen.mmm(["worktree", "clean", name, "--force"]);
  await kitchen.repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
  await kitchen.repo.git("gc", "-q", "--prune=now");

  const { stderr } = await kitchen.mmm(["resume", "--yes"], { env });

  expect(stderr).toContain("worktree and branch of input 2 are gone");
});
