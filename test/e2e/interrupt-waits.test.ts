/** Whatever mmm waits for, one signal ends the wait (spec 1.1, 7): a handler, a pause, a lock, git, a question. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ownHolder } from "../../src/session/holder.ts";
import { isAlive } from "../process/helpers.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import { mainFile } from "../support/run-cli.ts";

let kitchen: Kitchen;

beforeEach(async () => {
  kitchen = await openKitchen();
});
afterEach(() => kitchen.dispose());

const at = (file: string): string => path.join(kitchen.repo.root, file);

interface Wait {
  readonly playbook: string;
  readonly args?: readonly string[];
  readonly before?: () => Promise<void> | void;
  /** Has it begun to wait? */
  readonly waits: (said: string) => boolean;
}

/** Leaves its process id for the test, and stays. */
const STAY = "echo $$ > .git/pid; exec sleep 600";
const stays = (): boolean => existsSync(at(".git/pid"));

function heldBy(file: string): void {
  writeFileSync(at(file), JSON.stringify({ ...ownHolder(), once: "the test" }));
}

const WAITS: Readonly<Record<string, Wait>> = {
  "a handler": {
    playbook: `[{shell: "exit 3", on_failure: {max_attempts: 3, do: [{shell: "${STAY}"}]}}]`,
    waits: stays,
  },
  "the pause before a retry": {
    playbook: `[{shell: "exit 3", retry: {attempts: 3, initial_delay: 10m, max_delay: 10m}}]`,
    waits: (said) => said.includes('"retry-started"'),
  },
  "a gate": {
    playbook: `{gates: {slow: {shell: "${STAY}"}}, steps: [{shell: "echo x > x.txt", validation: [slow]}]}`,
    waits: stays,
  },
  "a hook of git": {
    playbook: '[{shell: "echo x > x.txt"}]',
    before: () =>
      writeFileSync(at(".git/hooks/pre-commit"), `#!/bin/sh\n${STAY}\n`, { mode: 0o755 }),
    waits: stays,
  },
  "the lock of the index": {
    playbook: '[{shell: "echo x > x.txt; touch .git/index.lock; echo $$ > .git/pid"}]',
    waits: () => stays() && !isAlive(Number(readFileSync(at(".git/pid"), "utf8"))),
  },
  "the lock of the index, to roll back": {
    playbook: '[{shell: "echo x > x.txt; touch .git/index.lock; exit 1"}]',
    waits: (said) => said.includes('"step-finished"'),
  },
  "another mmm that makes a worktree": {
    playbook: '[{shell: "echo x > x.txt"}]',
    args: ["--worktree"],
    before: () => heldBy(".git/mmm-worktrees.lock"),
    waits: () => existsSync(at(".mmm/sessions")) && readdirSync(at(".mmm/sessions")).length > 0,
  },
  "another merge": {
    playbook: '[{shell: "echo x > x.txt"}]',
    args: ["--worktree", "-y"],
    before: () => heldBy(".git/mmm-merging.lock"),
    waits: (said) => said.includes('"worktree-completed"'),
  },
};

describe("one signal ends the wait for", () => {
  test.each(
    Object.entries(WAITS).flatMap(([what, wait]) =>
      (["SIGINT", "SIGTERM"] as const).map((signal) => ({ what, wait, signal })),
    ),
  )("$what: $signal", async ({ wait, signal }) => {
    await wait.before?.();
    let said = "";
    const args = ["--reporter", "json", "-n", "1", ...(wait.args ?? [])];
    const result = await kitchen.cook(wait.playbook, args, {
      onStdout: (text) => (said += text),
      onStart: ({ pid }) => {
        const timer = setInterval(() => {
          if (!wait.waits(said)) return;
          clearInterval(timer);
          process.kill(pid, signal);
        }, 10);
      },
    });

    expect(result).toMatchObject({ code: signal === "SIGINT" ? 130 : 143, signal: null });
    if (existsSync(at(".git/pid")))
      expect(isAlive(Number(await kitchen.repo.read(".git/pid")))).toBe(false);
    expect(existsSync(at(".mmm/session.lock"))).toBe(false);
    expect(await kitchen.history()).toEqual(["first"]);
  });
});

const hasScript = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

describe.runIf(hasScript)("the question whether to merge (on a terminal)", () => {
  test.each([
    ["Ctrl-C", "\u0003", 130],
    ["Ctrl-D", "\u0004", 0],
    ["Enter", "\r", 0],
  ])("is ended by %j: nothing is merged, the worktree stays", async (_, key, code) => {
    await kitchen.repo.write("pb.yml", '[{shell: "echo x > x.txt"}]');
    const line = `'${process.execPath}' '${mainFile}' cook pb.yml --worktree`;
    const child = spawn("script", ["-qec", line, "/dev/null"], {
      cwd: kitchen.repo.root,
      env: { ...kitchen.repo.env, TERM: "xterm" },
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const asked = said.includes("(y/N)");
      said += String(chunk);
      if (!asked && said.includes("(y/N)")) child.stdin.write(key);
    });

    expect(await once(child, "close")).toEqual([code, null]);

    expect(said).toContain("mmm worktree merge mmm-pb-");
    expect(await kitchen.history()).toEqual(["first"]);
    expect(await kitchen.repo.git("branch", "--list", "mmm-*")).not.toBe("");
    expect(existsSync(at(".mmm/session.lock"))).toBe(false);
  });
});
