/** mmm and its git are killed while a merge is written into the session's own tree: `mmm resume` goes on (spec 7, 8.4). */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
beforeEach(async () => {
  kitchen = await openKitchen();
});
afterEach(async () => kitchen.dispose());

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };
const STEP = `- {shell: 'echo $ARG > out-$ARG.txt; echo more > more-$ARG.txt', commit_message: one}`;

/** A git that, asked to move a tree forward, does `how` and takes mmm with it; `$to` is the merge. */
async function killingGit(how: string): Promise<{ readonly PATH: string }> {
  const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
  const script = `#!/bin/sh
case " $* " in
*" --ff-only "*)
  for to; do :; done
  ${how.replaceAll("git ", `${real} `)}
  kill -9 $PPID
  exit 1;;
esac
exec ${real} "$@"
`;
  await kitchen.repo.writeProgram("../killing/git", script);
  return { PATH: `${path.join(kitchen.repo.base, "killing")}:${process.env["PATH"] ?? ""}` };
}

async function killed(how: string): Promise<string> {
  const args = ["--args", "a1", "--args", "a2", "--parallel", "1", "--yes"];
  const ran = await kitchen.cook(STEP, args, { env: await killingGit(how) });
  expect(ran.signal, ran.stderr).toBe("SIGKILL");
  const name = path.basename(kitchen.session());
  return path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", name);
}

test.each([
  ["before it wrote anything", ': > "$(git rev-parse --git-dir)/index.lock"'],
  [
    "in the middle of a file",
    ': > "$(git rev-parse --git-dir)/index.lock"; printf a > out-a1.txt; echo more > more-a1.txt',
  ],
  ["before HEAD moved", 'git read-tree -m -u HEAD "$to"'],
])("%s", async (_, how) => {
  await killed(how);

  const { code, stderr } = await kitchen.mmm(["resume", "--yes"]);

  expect({ code, stderr }).toMatchObject({ code: 0 });
  for (const arg of ["a1", "a2"])
    expect(await kitchen.repo.read(`out-${arg}.txt`)).toBe(`${arg}\n`);
  expect(await left(kitchen.repo)).toEqual(NOTHING);
  expect(kitchen.events().filter(({ type }) => type === "attempt-started")).toHaveLength(2);
});

test("a file of the user's beside it still stops the resume, and only that one is named", async () => {
  const tree = await killed('git read-tree -m -u HEAD "$to"');
  writeFileSync(path.join(tree, "mine.txt"), "mine\n");

  const ran = await kitchen.mmm(["resume"]);

  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain("1 file has changed");
  expect(ran.stderr).toContain("mine.txt");
  expect(ran.stderr).not.toContain("out-a1.txt");
});
