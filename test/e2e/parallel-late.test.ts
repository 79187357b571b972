/** A signal when all inputs are done and merged, and the last trees are put away (spec 1.1, 8.3, 8.4). */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { CliResult } from "../support/run-cli.ts";
import { left } from "./parallel-state.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen();
});
afterEach(async () => kitchen.dispose());

const WORK = `- {shell: "echo x > \${ARG}.txt", commit_message: "add \${ARG}"}`;

/** git that removes no worktree before it may. */
const SLOW = `#!/bin/sh
case " $* " in *" worktree remove "*)
  touch "$HELD/at-it"; while ! test -e "$HELD/go"; do sleep 0.02; done ;;
esac
PATH=\${PATH#*:} exec git "$@"
`;

/** git that deletes no branch. */
const STUCK = `#!/bin/sh
case " $* " in *" branch -D "*) echo "fatal: no" >&2; exit 128 ;; esac
PATH=\${PATH#*:} exec git "$@"
`;

/** A folder with it, for the path. */
async function gitThat(does: string): Promise<string> {
  const held = path.join(kitchen.repo.base, "held");
  await mkdir(held);
  await writeFile(path.join(held, "git"), does);
  await chmod(path.join(held, "git"), 0o755);
  return held;
}

async function stoppedLate(signal: "SIGINT" | "SIGTERM", more: readonly string[]) {
  const held = await gitThat(SLOW);
  const hasStopped = (): boolean =>
    kitchen.events().some((event) => event.type === "note" && event.message.startsWith("stopping"));
  const ran: CliResult = await kitchen.cook(WORK, ["--args", "a1", "--parallel", "1", ...more], {
    env: { PATH: `${held}:${process.env["PATH"] ?? ""}`, HELD: held },
    onStart: (mmm) => {
      void until(() => existsSync(path.join(held, "at-it")))
        .then(() => mmm.kill(signal))
        .then(async () => until(hasStopped))
        .then(() => writeFileSync(path.join(held, "go"), ""));
    },
  });
  return ran;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 20));
}

describe("a signal while the last tree is put away: nothing is merged, one exit code, the line to type", () => {
  test.each([
    ["SIGINT", 130, []],
    ["SIGTERM", 143, ["--yes"]],
  ] as const)("%s: %i %j", async (signal, code, more) => {
    const head = await kitchen.repo.git("rev-parse", "HEAD");
    const ran = await stoppedLate(signal, more);

    const session = path.basename(kitchen.session());
    const record: unknown = JSON.parse(
      readFileSync(path.join(kitchen.session(), "session.json"), "utf8"),
    );
    expect(ran.code, ran.stdout).toBe(code);
    expect(kitchen.events().findLast(({ type }) => type === "session-finished")).toMatchObject({
      status: "completed",
      exitCode: code,
    });
    expect(record).toMatchObject({ status: "completed", exit_code: code });
    expect(await kitchen.repo.git("rev-parse", "HEAD")).toBe(head);
    expect(await left(kitchen.repo)).toMatchObject({ folders: [session] });
    expect(ran.stdout + ran.stderr).toContain(`mmm worktree merge ${session}\n`);
    expect(await kitchen.mmm(["worktree", "merge", session])).toMatchObject({ code: 0 });
    expect(await kitchen.repo.read("a1.txt")).toBe("x\n");
    expect(await left(kitchen.repo)).toMatchObject({ branches: ["main"], folders: [] });
  });
});

test("a tree that cannot be put away (exit 3): merged is said, and no folder that is gone is named", async () => {
  const held = await gitThat(STUCK);
  const args = ["--args", "a1", "--args", "a2", "--parallel", "1"];
  const env = { PATH: `${held}:${process.env["PATH"] ?? ""}` };
  const ran = await kitchen.cook(WORK, args, { env });

  const session = path.basename(kitchen.session());
  const { folders } = await left(kitchen.repo);
  expect(ran.code, ran.stderr).toBe(3);
  expect(folders).not.toContain(`${session}-i1`);
  expect(ran.stdout).toMatch(/Inputs: [12] completed/);
  expect(ran.stdout).not.toContain(path.join("repo", `${session}-i1`));
  expect(ran.stdout).toContain(`its branch ${session}-i1 is still there`);
  expect(await kitchen.mmm(["resume", "--yes"])).toMatchObject({ code: 0 });
  for (const arg of ["a1", "a2"]) expect(await kitchen.repo.read(`${arg}.txt`)).toBe("x\n");
});
