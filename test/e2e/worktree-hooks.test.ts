/** Hooks that fail, in worktrees (spec 5, 8): a refused commit fails that input alone; others are not in the way. */
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;
afterEach(async () => kitchen.dispose());

const WRITE = `- {shell: "echo \${ARG} > out-\${ARG}.txt", commit_message: "add \${ARG}"}`;
const INPUTS = ["--args", "a1", "--args", "a2", "--args", "a3"];

async function open(hook: string, script: string): Promise<void> {
  kitchen = await openKitchen();
  await kitchen.repo.writeProgram(`.hooks/${hook}`, `#!/bin/sh\n${script}\n`);
  await kitchen.repo.commitAll("hooks");
  await kitchen.repo.git("config", "core.hooksPath", ".hooks");
}

describe.each(["--worktree", "--parallel=2"])("core.hooksPath, mmm cook %s", (mode) => {
  test.each(["pre-commit", "commit-msg"])("%s refuses one input: it fails alone", async (hook) => {
    await open(
      hook,
      "git diff --cached --name-only | grep -q a2 && echo 'no a2 here' && exit 1; :",
    );

    const { code, stdout, stderr } = await kitchen.cook(WRITE, [...INPUTS, mode, "--yes"]);

    expect(code).toBe(1);
    expect(stderr).toContain("git commit was refused: no a2 here");
    expect(stdout).toContain("Inputs: 2 completed, 1 failed");
    expect(stdout).toContain("Commits: 2\n");
    const end = kitchen.events().findLast((event) => event.type === "session-finished");
    expect(end).toMatchObject({ totals: { commits: 2 }, exitCode: 1 });
    expect(await kitchen.repo.git("ls-files", "out-*")).toBe("out-a1.txt\nout-a3.txt");
    const subjects = (await kitchen.repo.git("log", "--no-merges", "--format=%s")).split("\n");
    expect(subjects.toSorted()).toEqual(["add a1", "add a3", "first", "hooks"]);
    // Its work is not lost: in its own tree, or under a ref that the summary names.
    const kept = /restore --source=(\S+)/.exec(stdout)?.[1];
    const tree = /: cd (\S+-i2)$/m.exec(stdout)?.[1];
    expect(kept ?? tree).toBeDefined();
    if (tree !== undefined)
      expect(await kitchen.repo.git("-C", tree, "status", "--porcelain")).toContain("out-a2.txt");
    else expect(await kitchen.repo.git("show", `${String(kept)}:out-a2.txt`)).toBe("a2");
  });

  test.each(["post-checkout", "post-merge", "pre-merge-commit"])(
    "a %s that fails is not run by what mmm does to its own trees",
    async (hook) => {
      await open(hook, 'echo "no"; exit 1');

      const { code, stderr } = await kitchen.cook(WRITE, [...INPUTS, mode, "--yes"]);

      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(await kitchen.repo.git("ls-files", "out-*")).toBe(
        "out-a1.txt\nout-a2.txt\nout-a3.txt",
      );
      expect(await left(kitchen.repo)).toEqual({
        branches: ["main"],
        listed: [],
        records: [],
        folders: [],
      });
    },
  );
});
