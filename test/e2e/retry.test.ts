/** `retry:` as a user meets it (spec 2.4): real processes, Ctrl-C, kills and resumes. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

async function open(calls?: readonly FakeCall[]): Promise<Kitchen> {
  kitchen = await openKitchen(calls, { ".gitignore": "runs\ngo\n" });
  return kitchen;
}

/** The service says this and the CLI gives up. */
function trouble(status: number, text: string): FakeCall {
  return {
    cost: 0.1,
    do: [
      { init: {} },
      {
        result: {
          is_error: true,
          result: `API Error: ${status} ${text}`,
          api_error_status: status,
        },
      },
      { exit: 1 },
    ],
  };
}

const OVERLOADED = trouble(529, '{"type":"error","error":{"type":"overloaded_error"}}');

/** Event streams and logs. */
const files = (session: string, folder: string): readonly string[] =>
  readdirSync(path.join(session, folder))
    .filter((name) => /\.(?:jsonl|log)$/.test(name))
    .toSorted();

describe("Claude", () => {
  test("overloaded twice, then good: one step, one attempt, all three runs are paid for", async () => {
    const { cook, prompts, events, session } = await open([
      { ...OVERLOADED, times: 2 },
      { cost: 0.5, writes: { "a.txt": "a" }, commit: "done" },
    ]);

    const ran = await cook(`[{claude: "work", retry: {initial_delay: 10ms}}]`, ["-n", "1"]);

    expect(ran).toMatchObject({ code: 0 });
    expect(await prompts()).toEqual(["work", "work", "work"]);
    expect(ran.stdout).toMatch(/Run 1\/4 failed: the service is overloaded.*, run again\n/);
    expect(ran.stdout).toContain("work completed");
    expect(ran.stdout).toContain("Cost: $0.70\n");
    expect(events().filter(({ type }) => type === "attempt-started")).toHaveLength(1);
    expect(events().filter(({ type }) => type === "run-failed")).toMatchObject([
      { run: 1, failure: { code: "overloaded", transient: true } },
      { run: 2, failure: { code: "overloaded", transient: true } },
    ]);
    expect(files(session(), "claude")).toEqual([
      "0001-1.2.jsonl",
      "0001-1.3.jsonl",
      "0001-1.jsonl",
    ]);
  });

  test.each([
    [401, "Invalid bearer token"],
    [400, "bad request"],
  ])("%d is never worth another run", async (status, text) => {
    const { cook, prompts } = await open([{ ...trouble(status, text), times: "always" }]);

    const ran = await cook(`[{claude: "work", retry: {retry_on: [transient, {exit_code: 1}]}}]`);

    expect(ran.code).toBe(1);
    expect(await prompts()).toEqual(["work"]);
  });
});

describe("a command", () => {
  const COUNT = "echo x >> runs; test $(wc -l < runs) -ge 3";

  test("runs until it is good, in each place where a step may stand, with inputs too", async () => {
    const { cook, repo } = await open();
    const retry = "retry: {attempts: 3, initial_delay: 0}";
    const step = `{shell: "${COUNT}", ${retry}}`;

    const top = await cook(`[${step}]`);
    await repo.write("runs", "");
    const handler = await cook(
      `[{shell: "test -f fixed", on_failure: [${step}, {shell: "echo y > fixed"}]}]`,
    );
    await repo.write("runs", "");
    const success = await cook(`[{shell: "true", on_success: ${step}}]`);
    await repo.write("runs", "");
    const byDefault = await cook(`{defaults: {${retry}}, steps: [{shell: "${COUNT}"}]}`);
    const input = `echo x >> runs; test $(wc -l < runs) -ge \${INDEX}`;
    await repo.write("runs", "");
    const inputs = await cook(`[{shell: "${input}; rm runs", ${retry}}]`, ["--args=a", "--args=b"]);

    const all = [top, handler, success, byDefault, inputs];
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(top.stdout).toContain("Run 1/3 failed: exit code 1, run again\n");
    expect(top.stdout).toContain("Run 2/3 failed: exit code 1, run again\n");
  });

  test("fails in the end with the words of its last run; sessions logs and show have each", async () => {
    const { cook, mmm, session } = await open();

    const ran = await cook(
      `[{id: a, shell: "echo x >> runs; echo run $(wc -l < runs) said; exit 7", retry: {attempts: 2, initial_delay: 1ms}}]`,
    );
    const shown = await mmm(["sessions", "show"]);
    const logs = await mmm(["sessions", "logs", path.basename(session()), "a"]);

    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("run 2 said");
    expect(ran.stderr).not.toContain("run 1 said");
    expect(shown.stdout).toMatch(/attempt 1: .*exit code 7, logs.0001-1\.log/);
    expect(shown.stdout).toMatch(/attempt 1, run 2: .*exit code 7, logs.0001-1\.2\.log/);
    expect(logs.stdout).toBe("run 1 said\nrun 2 said\n");
  });

  test("the pattern is looked for in the whole output, the timeout is for each run", async () => {
    const { cook, repo } = await open();
    const noise = "seq 1 200000";

    const pattern = await cook(
      `[{shell: "echo x >> runs; echo 503 busy; ${noise}; test $(wc -l < runs) = 2", retry: {initial_delay: 1ms, retry_on: [{pattern: "/^50[234] busy$/m"}]}}]`,
    );
    await repo.write("runs", "");
    const timeout = await cook(
      `[{shell: "echo x >> runs; test $(wc -l < runs) = 2 || sleep 60", timeout: 2s, retry: {initial_delay: 1ms, retry_on: [timeout]}}]`,
    );

    expect([pattern.code, timeout.code]).toEqual([0, 0]);
    expect(timeout.stdout).toContain("Run 1/3 failed: timed out after 2s, run again\n");
  });
});

describe("Ctrl-C and kill", () => {
  const PLAYBOOK = `
- shell: "echo before > before.txt"
- claude: "work"
  retry: {attempts: 3, initial_delay: 24h, max_delay: 24h, jitter: false}
- shell: "echo after > after.txt"
`;

  /** Ends mmm as soon as it prints this. */
  async function ended(k: Kitchen, playbook: string, words: string, signal: NodeJS.Signals) {
    let kill = (): void => undefined;
    let said = "";
    return k.cook(playbook, ["-n", "1", "-v"], {
      onStart: (child) => {
        kill = () => child.kill(signal);
      },
      onStdout: (text) => {
        said += text;
        if (!said.includes(words)) return;
        said = "";
        kill();
      },
    });
  }

  test("Ctrl-C ends a delay of a day at once", async () => {
    const k = await open([{ ...OVERLOADED, times: "always" }]);

    const ran = await ended(k, PLAYBOOK, "run again in", "SIGINT");

    expect(ran.code).toBe(130);
    expect(await k.prompts()).toEqual(["work"]);
    expect(ran.stdout + ran.stderr).toContain("mmm resume");
  });

  test("SIGKILL in a delay: the failed run is not made again, the wait is", async () => {
    const k = await open([OVERLOADED, { cost: 0.5 }]);
    await ended(k, PLAYBOOK.replaceAll("24h", "1s"), "run again in", "SIGKILL");
    const { session } = k;
    const before = await k.prompts();

    const resumed = await k.mmm(["resume", "--reporter", "json"]);

    expect(resumed).toMatchObject({ code: 0 });
    expect(before).toEqual(["work"]);
    expect(await k.prompts()).toEqual(["work", "work"]);
    const told = resumed.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly type: string });
    expect(told[0]).toMatchObject({ inFlight: { attempt: 1, at: { step: "2" } } });
    expect(told.filter(({ type }) => type === "retry-started")).toMatchObject([{ run: 2 }]);
    expect(told.at(-1)).toMatchObject({ totals: { costUsd: 0.6 }, status: "completed" });
    expect(files(session(), "claude")).toEqual(["0002-2.2-r2.jsonl", "0002-2.jsonl"]);
  });

  test("SIGKILL in a second run: it starts again from the tree it started on, beside its old log", async () => {
    const k = await open();
    const run = [
      "echo x >> runs",
      "echo run $(wc -l < runs)",
      "echo $(wc -l < runs) >> left.txt",
      "case $(wc -l < runs) in 1) exit 7;; 2) echo half > half.txt; echo waits; sleep 60;; esac",
    ].join("; ");
    const playbook = `
- shell: "${run}"
  id: a
  retry: {initial_delay: 1ms}
- shell: "printf %s \${a.output} > said.txt"
`;
    await ended(k, playbook, "│ waits", "SIGKILL");

    const resumed = await k.mmm(["resume"]);

    expect(resumed).toMatchObject({ code: 0 });
    expect(await k.repo.read("runs")).toBe("x\nx\nx\n");
    expect(await k.repo.read("left.txt")).toBe("1\n3\n");
    expect((await k.repo.read("said.txt")).trim()).toBe("run 3");
    const kept = `refs/mmm/failed/${path.basename(k.session())}/1`;
    expect(await k.repo.git("show", `${kept}:half.txt`)).toBe("half");
    expect(files(k.session(), "logs").slice(0, 3)).toEqual([
      "0001-1.2-r2.log",
      "0001-1.2.log",
      "0001-1.log",
    ]);
  });

  test("a session that went on after retries can be resumed once more, and they are not waited for again", async () => {
    const k = await open();
    const playbook = `
- shell: "echo x >> runs; test $(wc -l < runs) -ge 3"
  retry: {attempts: 3, initial_delay: 100ms, jitter: true}
- shell: "echo now; test -f go || sleep 60"
`;
    await ended(k, playbook, "│ now", "SIGKILL");
    await k.repo.write("go", "");

    const resumed = await k.mmm(["resume"]);

    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stdout).not.toContain("run again");
    expect(await k.repo.read("runs")).toBe("x\nx\nx\n");
  });
});
