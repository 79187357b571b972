/** Something is in the way where inputs are merged: those alone fail, and a resume merges them (spec 7, 8.4). */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Event } from "../../src/engine/events.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { CliResult } from "../support/run-cli.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen();
});
afterEach(async () => kitchen.dispose());

const NOTHING = { branches: ["main"], listed: [], records: [], folders: [] };
/** The session's own tree, as a step of an input finds it. */
const SESSION = '"$PROJECT_ROOT/../${WORKTREE%-i*}"';

async function cook(...shell: readonly string[]): Promise<CliResult> {
  const steps = shell.map((text) => `- {shell: ${JSON.stringify(text)}}`).join("\n");
  return kitchen.cook(steps, ["--args", "a1", "--args", "a2", "--parallel", "1", "--yes"]);
}

function sessionTree(): string {
  const name = path.basename(kitchen.session());
  return path.join(kitchen.repo.home, ".mmm", "worktrees", "repo", name);
}

function stops(): readonly (string | null)[] {
  const end = kitchen.events().findLast((event) => event.type === "session-finished");
  return (end as Extract<Event, { type: "session-finished" }>).inputResults.map(({ stop }) => stop);
}

async function expectResumed(): Promise<void> {
  const { code, stderr } = await kitchen.mmm(["resume", "--yes"]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  for (const arg of ["a1", "a2"])
    expect(await kitchen.repo.read(`out-${arg}.txt`)).toBe(`${arg}\n`);
  expect(await left(kitchen.repo)).toEqual(NOTHING);
  // Its steps are paid for: they were not run again.
  expect(kitchen.events().filter(({ type }) => type === "step-finished")).toHaveLength(2);
}

describe("the session's own tree", () => {
  test("has a file that the merge would overwrite: that input alone fails, and the file stays", async () => {
    const ran = await cook(
      `test $ARG = a2 || echo mine > ${SESSION}/out-a1.txt; echo $ARG > out-$ARG.txt`,
    );

    expect(ran.code, ran.stderr).toBe(1);
    expect(stops()).toEqual(["merge-refused", "iterations-done"]);
    expect(ran.stdout + ran.stderr).toContain("does not take the merge: a file that is not");
    const line = ["-C", sessionTree(), "stash", "push", "-u", "--", "out-a1.txt"];
    expect(ran.stdout + ran.stderr).toContain(`git ${line.join(" ")}`);
    const mine = path.join(sessionTree(), "out-a1.txt");
    expect(readFileSync(mine, "utf8")).toBe("mine\n");
    expect(existsSync(`${sessionTree()}-i1`)).toBe(true);

    await kitchen.repo.git(...line);
    await expectResumed();
    expect(await kitchen.repo.git("show", "stash@{0}^3:out-a1.txt")).toBe("mine");
  });

  test("stands on another branch: that one is not moved, and the line that goes back is enough", async () => {
    const ran = await cook(
      `test $ARG = a2 || git -C ${SESSION} switch -q -c aside; echo $ARG > out-$ARG.txt`,
    );
    const git = kitchen.repo.git.bind(kitchen.repo);
    const session = path.basename(kitchen.session());

    expect(ran.code, ran.stderr).toBe(1);
    expect(stops()).toEqual(["merge-refused", "merge-refused"]);
    expect(await git("rev-parse", "aside")).toBe(await git("rev-parse", "main"));
    expect(ran.stdout + ran.stderr).toContain(`git -C ${sessionTree()} switch ${session}`);

    await git("-C", sessionTree(), "switch", "-q", session);
    await git("branch", "-q", "-D", "aside");
    await expectResumed();
  });
});
