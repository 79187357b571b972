/** Ctrl-C and SIGTERM (spec 7): every process ends, the tree stays, and the record says so. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { isAlive } from "../process/helpers.ts";
import { fakeClaude, type FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { CliResult } from "../support/run-cli.ts";

let kitchen: Kitchen | null = null;

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

/** A shell with a child, and a grandchild in a session of its own that hears no polite signal. */
const STUBBORN = (trap: string): string => `
- shell: |
    ${trap}
    echo half > work.txt
    setsid sh -c '${trap}; echo $$ > ../pids; while :; do sleep 1; done' &
    sh -c 'echo $$ >> ../pids2; exec sleep 600' &
    while [ ! -s ../pids ] || [ ! -s ../pids2 ]; do sleep 0.05; done
    echo $$ >> ../pids2
    echo READY
    while :; do sleep 1; done
- shell: "echo never > never.txt"
`;

/** Cooks with `-v`, and sends each signal as soon as its word has been said. */
async function interrupted(
  playbook: string,
  signals: Readonly<Record<string, NodeJS.Signals>>,
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  kitchen ??= await openKitchen();
  let kill: (signal: NodeJS.Signals) => void = () => undefined;
  let said = "";
  const sent = new Set<string>();
  return kitchen.cook(playbook, ["-v"], {
    env,
    onStart: (child) => {
      kill = (signal) => child.kill(signal);
    },
    onStdout: (text) => {
      said += text;
      for (const [word, signal] of Object.entries(signals)) {
        // at the end of a line: the rendered command holds the words too
        if (sent.has(word) || !new RegExp(`^\\W*${word}$`, "m").test(said)) continue;
        sent.add(word);
        kill(signal);
      }
    },
  });
}

async function alive(): Promise<readonly number[]> {
  const base = kitchen?.repo.base ?? "";
  const texts = await Promise.all(
    ["pids", "pids2"].map((name) => readFile(path.join(base, name), "utf8")),
  );
  const pids = texts
    .join("\n")
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
  expect(pids).toHaveLength(3);
  return pids.filter(isAlive);
}

async function record(): Promise<readonly unknown[]> {
  const { repo, session, events } = kitchen ?? (await openKitchen());
  const state = JSON.parse(await repo.read(".mmm/state.json")) as Record<string, unknown>;
  const own = JSON.parse(await readFile(path.join(session(), "session.json"), "utf8")) as object;
  return [state["last_session"], { ...own, running: state["running"] }, events().at(-1)];
}

describe("F04: an interrupted session", () => {
  test.each([
    { signal: "SIGINT", code: 130 },
    { signal: "SIGTERM", code: 143 },
  ] as const)(
    "$signal once: exit $code, no process alive, the tree as it is",
    async ({ signal, code }) => {
      const result = await interrupted(STUBBORN(":"), { READY: signal });

      expect(result.code).toBe(code);
      expect(await alive()).toEqual([]);
      expect(await kitchen?.repo.read("work.txt")).toBe("half\n");
      expect(await kitchen?.history()).toEqual(["first"]);
      expect(await kitchen?.repo.git("for-each-ref", "refs/mmm/failed")).toBe("");
      const [last, own, end] = await record();
      expect(last).toMatchObject({
        status: "interrupted",
        stop_reason: "interrupted",
        exit_code: code,
      });
      expect(own).toMatchObject({ status: "interrupted", exit_code: code, running: [] });
      expect(end).toMatchObject({
        type: "session-finished",
        status: "interrupted",
        exitCode: code,
      });
      expect(existsSync(path.join(kitchen?.repo.root ?? "", ".mmm/session.lock"))).toBe(false);
      expect(existsSync(path.join(kitchen?.repo.root ?? "", "never.txt"))).toBe(false);
    },
  );

  test("twice: children that ignore the first are ended at once", { retry: 2 }, async () => {
    // the one test with a time in it; a machine that stands still for a moment gets another chance
    // a second signal of the same kind within a moment is taken for the echo of one key press
    const result = await interrupted(STUBBORN('trap "echo HEARD" INT TERM'), {
      READY: "SIGINT",
      HEARD: "SIGTERM",
    });

    expect(result.code).toBe(130);
    expect(await alive()).toEqual([]);
    const end = kitchen?.events().find(({ type }) => type === "attempt-finished");
    // far from the 5 s that a polite end is waited for
    expect(end).toMatchObject({ end: { kind: "cancelled" } });
    expect((end as { durationMs: number }).durationMs).toBeLessThan(4_900);
  });

  test("Claude and what it started are ended too, and nothing is committed", async () => {
    kitchen = await openKitchen();
    const base = kitchen.repo.base;
    const claude = await fakeClaude({
      calls: [
        {
          do: [
            { init: {} },
            { write: "work.txt", content: "half" },
            { spawn: ["sleep", "600"], session: true, pidFile: path.join(base, "pid") },
            { say: "READY" },
            { waitFor: path.join(base, "never") },
          ],
        },
      ],
    });
    const env = { MMM_CLAUDE_BIN: claude.bin };
    const result = await interrupted(`[{claude: "work"}]`, { READY: "SIGINT" }, env);

    expect(result.code).toBe(130);
    expect(isAlive(Number(await readFile(path.join(base, "pid"), "utf8")))).toBe(false);
    expect(await kitchen.repo.read("work.txt")).toBe("half");
    expect(await kitchen.history()).toEqual(["first"]);
    await claude.dispose();
  });

  const PHASES = {
    "before its first event": (base: string) => [
      { spawn: ["sleep", "600"], session: true, pidFile: path.join(base, "pid") },
      { touch: path.join(base, "here") },
      { waitFor: path.join(base, "never") },
    ],
    "at work, and deaf": (base: string) => [
      { ignore: ["SIGTERM", "SIGINT"] },
      { init: {} },
      { tool: "Bash", input: { command: "sleep 600" } },
      { spawn: ["sleep", "600"], session: true, pidFile: path.join(base, "pid") },
      { touch: path.join(base, "here") },
      { waitFor: path.join(base, "never") },
    ],
    "after its result": (base: string) => [
      { init: {} },
      { spawn: ["sleep", "600"], session: true, pidFile: path.join(base, "pid") },
      { result: {} },
      { touch: path.join(base, "here") },
      { waitFor: path.join(base, "never") },
    ],
  } as const satisfies Record<string, (base: string) => FakeCall["do"]>;

  test.each(
    (["SIGINT", "SIGTERM"] as const).flatMap((signal) =>
      Object.entries(PHASES).map(([phase, acts]) => ({ signal, phase, acts })),
    ),
  )("$signal while Claude is $phase: nothing lives, state is written", async ({ signal, acts }) => {
    kitchen = await openKitchen();
    const { base } = kitchen.repo;
    const claude = await fakeClaude({ calls: [{ do: acts(base) }] });
    let stop: () => void = () => undefined;
    const cooking = kitchen.cook(`[{claude: "work"}]`, [], {
      env: { MMM_CLAUDE_BIN: claude.bin },
      onStart: (child) => {
        // Not execa's own way, which sends SIGKILL after 5 s.
        stop = () => process.kill(child.pid, signal);
      },
    });
    while (!existsSync(path.join(base, "here"))) await new Promise((done) => setTimeout(done, 10));

    stop();
    const { code } = await cooking;

    expect(code).toBe(signal === "SIGINT" ? 130 : 143);
    const [call] = await claude.calls();
    const child = Number(await readFile(path.join(base, "pid"), "utf8"));
    expect([call?.pid ?? -1, child].filter(isAlive)).toEqual([]);
    const [last] = await record();
    expect(last).toMatchObject({ status: "interrupted", exit_code: code });
    await claude.dispose();
  });
});
