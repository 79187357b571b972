/** Limits of a session, as a user meets them (spec 1, 1.1, 6.5). */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
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
  kitchen = await openKitchen(calls);
  return kitchen;
}

const json = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;

const THREE = `
- claude: "first"
- shell: "echo kept > kept.txt"
- claude: "second"
  on_failure: {shell: "echo never > never.txt"}
- claude: "third"
`;

describe("--max-cost", () => {
  test("exit 75 before the step that would go over it: nothing is undone, and it says how to go on", async () => {
    const { cook, claude, repo, prompts, session, history } = await open([
      { times: "always", cost: 0.6 },
    ]);

    const ran = await cook(THREE, ["-n", "1", "--max-cost", "1"]);

    expect(ran.code).toBe(75);
    expect(await prompts()).toEqual(["first", "second"]);
    const budgets = (await claude.calls()).map(({ argv }) =>
      argv.filter((each) => each.startsWith("--max-budget-usd")),
    );
    expect(budgets).toEqual([["--max-budget-usd=1"], ["--max-budget-usd=0.4"]]);
    expect((await history()).at(-1)).toBe("echo kept > kept.txt");
    expect(existsSync(path.join(repo.root, "never.txt"))).toBe(false);
    expect(await repo.git("for-each-ref", "refs/mmm/failed")).toBe("");
    const name = path.basename(session());
    expect(ran.stdout).toContain("Limits: $1.00\n");
    expect(ran.stdout).toContain("Improvement session suspended:\n");
    expect(ran.stdout).toContain("Reason: The limit of $1.00 is reached, $0.20 over it\n");
    expect(ran.stdout).toContain("Cost: $1.20, $0.20 over the limit of $1.00\n");
    expect(ran.stdout).toContain(`mmm resume ${name} --max-cost 2.20\n`);
    expect(ran.stderr).toContain("$1.20 of $1.00 spent, the limit of this session");
    expect(json(path.join(session(), "session.json"))).toMatchObject({
      status: "suspended",
      stop_reason: "limit",
      exit_code: 75,
      cost_usd: 1.2,
      limit: { kind: "cost", limit: 1, spent: 1.2, resets_at: null },
      models: [{ model: "claude-fake-1", runs: 2, known_cost_usd: 1.2, tokens: 240 }],
      claude_steps: [
        { step: "1", label: "first", known_cost_usd: 0.6 },
        { step: "3", label: "second", known_cost_usd: 0.6 },
      ],
    });
    expect(json(path.join(repo.root, ".mmm", "state.json"))).toMatchObject({
      running: [],
      last_session: { name, status: "suspended" },
    });
  });

  test("is told as one event more under --reporter json, which ends with the reason", async () => {
    const { cook } = await open([{ times: "always", cost: 0.6 }]);

    const { code, stdout } = await cook(THREE, ["--max-cost=0.5", "--reporter", "json"]);

    const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as unknown;
    expect(code).toBe(75);
    expect(last).toMatchObject({
      type: "session-finished",
      status: "suspended",
      stop: "limit",
      limit: { kind: "cost" },
    });
  });

  test("a step of unknown cost suspends after it, with its commit; --allow-unknown-cost goes on", async () => {
    const { cook, history, prompts } = await open([
      { prompt: "first", times: "always", cost: null, writes: { "a.txt": "a" }, commit: "a" },
      { times: "always" },
    ]);

    const suspended = await cook(THREE, ["-n", "1", "--max-cost", "5"]);
    const before = await history();
    const allowed = await cook(THREE.replace('"first"', '"other"'), [
      "-n",
      "1",
      "--max-cost",
      "5",
      "--allow-unknown-cost",
    ]);

    expect([suspended.code, allowed.code]).toEqual([75, 0]);
    expect(before.at(-1)).toBe("a");
    expect(suspended.stdout).toContain("Cost: unknown of $5.00\n");
    expect(suspended.stdout).toMatch(/mmm resume \S+ --allow-unknown-cost\n$/);
    expect((await prompts())[0]).toBe("first");
    expect(await prompts()).toHaveLength(4);
  });
});

test("a Claude that stopped at its budget: suspended, no handler, its work stays where it is", async () => {
  const { cook, repo, session } = await open([
    {
      cost: 1.1,
      do: [
        { init: {} },
        { write: "half.txt", content: "half" },
        {
          result: {
            subtype: "error_max_budget_usd",
            is_error: true,
            errors: ["Reached maximum budget ($1)"],
          },
        },
        { exit: 1 },
      ],
    },
  ]);

  const ran = await cook(
    `[{claude: "work", on_failure: {shell: "echo never > never.txt"}, continue_on_error: true}]`,
    ["--max-cost", "1"],
  );

  expect(ran.code).toBe(75);
  expect(ran.stdout).toContain("The limit of $1.00 is reached, $0.10 over it");
  expect(ran.stdout).not.toContain("failed");
  expect(ran.stderr).not.toContain("failed");
  expect(await repo.git("status", "--porcelain")).toContain("half.txt");
  expect(await repo.git("status", "--porcelain")).not.toContain("never.txt");
  expect(json(path.join(session(), "session.json"))).toMatchObject({
    stop_reason: "limit",
    cost_usd: 1.1,
    commits: 0,
  });
});

describe("mmm resume", () => {
  test("with a higher limit goes on, pays for nothing twice, and remembers what was spent", async () => {
    const { cook, mmm, prompts, session } = await open([{ times: "always", cost: 0.6 }]);
    await cook(THREE, ["-n", "1", "--max-cost", "1"]);

    const same = await mmm(["resume"]);
    const higher = await mmm(["resume", "--max-cost", "1.5"]);

    expect([same.code, higher.code]).toEqual([75, 0]);
    expect(same.stdout).toContain("Cost: $1.20, $0.20 over the limit of $1.00\n");
    expect(same.stdout).toMatch(/mmm resume \S+ --max-cost 2\.20\n$/);
    expect(await prompts()).toEqual(["first", "second", "third"]);
    expect(higher.stdout).toContain("Cost: $1.80, $0.30 over the limit of $1.50\n");
    expect(json(path.join(session(), "session.json"))).toMatchObject({
      status: "completed",
      cost_usd: expect.closeTo(1.8) as number,
    });
  });

  test("makes an attempt again that Claude stopped at its budget, which was paid for and is kept", async () => {
    const { cook, mmm, repo, prompts, session } = await open([
      {
        cost: 1.1,
        do: [
          { init: {} },
          { write: "half.txt", content: "half" },
          { result: { subtype: "error_max_budget_usd", is_error: true, errors: ["no more"] } },
          { exit: 1 },
        ],
      },
      { cost: 0.5, writes: { "whole.txt": "whole" }, commit: "whole" },
    ]);
    const first = await cook(`[{shell: "echo a > a.txt"}, {claude: "work"}]`, [
      "-n",
      "1",
      "--max-cost=1",
    ]);

    const again = await mmm(["resume", "--max-cost", "3"]);

    expect([first.code, again.code]).toEqual([75, 0]);
    expect(await prompts()).toEqual(["work", "work"]);
    expect(await repo.git("status", "--porcelain")).not.toContain("half.txt");
    expect(await repo.git("for-each-ref", "refs/mmm/failed")).not.toBe("");
    expect(json(path.join(session(), "session.json"))).toMatchObject({
      status: "completed",
      cost_usd: expect.closeTo(1.6) as number,
    });
  });
});

describe("other limits", () => {
  test("tokens and time suspend, the playbook's and the config's too; flags beat the playbook, it beats the config", async () => {
    const { cook, repo } = await open([{ times: "always", cost: 0.6 }]);
    const userHome = path.join(repo.home, ".mmm");
    await mkdir(userHome);
    await writeFile(path.join(userHome, "config.yml"), "limits: {cost_usd: 0.1, tokens: 1}\n");
    const playbook = `{limits: {tokens: 1000000}, steps: [{claude: "a"}, {claude: "b"}, {claude: "c"}]}`;

    const byUser = await cook(playbook, ["-n", "1"]);
    await repo.write(".mmm/config.yml", "limits: {cost_usd: 1}\n");
    const byRepository = await cook(playbook, ["-n", "1"]);
    const byFlag = await cook(playbook, ["-n", "1", "--max-cost", "$9", "--max-tokens", "100"]);
    const byTime = await cook(`[{shell: "sleep 0.05"}, {shell: "true"}]`, ["--max-duration=10ms"]);
    const enough = await cook(playbook, ["-n", "1", "--max-cost", "9"]);

    expect([byUser, byRepository, byFlag, byTime, enough].map(({ code }) => code)).toEqual([
      75, 75, 75, 75, 0,
    ]);
    expect(byUser.stdout).toContain("Limits: $0.10, 1,000,000 tokens\n");
    expect(byUser.stdout).toContain("The limit of $0.10 is reached");
    expect(byRepository.stdout).toContain("The limit of $1.00 is reached");
    expect(byFlag.stdout).toContain("The limit of 100 tokens is reached");
    expect(byTime.stdout).toMatch(/The limit of \S+ at work is reached/);
  });

  test.each([
    ["--max-cost", "free", "it must be a number of US dollars above 0"],
    ["--max-cost", "0", "it must be a number of US dollars above 0"],
    ["--max-cost", "-1", "it must be a number of US dollars above 0"],
    ["--max-tokens", "1.5", "it must be a whole number above 0"],
    ["--max-tokens", "0", "it must be a whole number above 0"],
    ["--max-duration", "long", "it must be a time above 0, as in 90s, 1h30m or 2h"],
    ["--max-duration", "0s", "it must be a time above 0, as in 90s, 1h30m or 2h"],
  ])("%s %s is exit 2 with what it takes", async (option, value, words) => {
    const { cook } = await open();

    const { code, stderr } = await cook(THREE, [`${option}=${value}`]);

    expect(code).toBe(2);
    expect(stderr).toContain(`${option} <`);
    expect(stderr).toContain(words);
  });

  test("a replay pays nothing: what the recording does not say suspends nobody", async () => {
    const { cook, repo } = await open([{ times: "always", cost: null }]);
    const recording = path.join(repo.base, "r.jsonl");

    const recorded = await cook(THREE, ["-n", "1", "--record", recording]);
    const replayed = await cook(THREE, ["-n", "1", "--replay", recording, "--max-cost", "1"]);

    expect([recorded.code, replayed.code]).toEqual([0, 0]);
  });
});

describe("the usage limit of the service", () => {
  const limited = (unixSeconds: number): FakeCall => ({
    prompt: "work",
    cost: 0.2,
    do: [
      { init: {} },
      { write: "half.txt", content: "half" },
      {
        result: {
          is_error: true,
          result: `Claude AI usage limit reached|${unixSeconds}`,
          api_error_status: 429,
        },
      },
      { exit: 1 },
    ],
  });
  const YAML = `[{claude: "work", on_failure: {shell: "echo never > never.txt"}}]`;

  test("suspends with the time of its reset, everything kept", async () => {
    const resets = Math.floor(Date.now() / 1000) + 7200;
    const { cook, repo, session } = await open([limited(resets)]);

    const ran = await cook(YAML, [], { env: { TZ: "UTC" } });

    expect(ran.code).toBe(75);
    const time = new Date(resets * 1000);
    const two = (n: number): string => String(n).padStart(2, "0");
    const said = `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`;
    expect(ran.stdout).toMatch(
      new RegExp(`The usage limit of Claude is reached, it resets at \\S+ ${said}\n`),
    );
    expect(ran.stdout).toContain(`mmm resume ${path.basename(session())}\n`);
    expect(await repo.git("status", "--porcelain")).toContain("half.txt");
    expect(existsSync(path.join(repo.root, "never.txt"))).toBe(false);
    expect(json(path.join(session(), "session.json"))).toMatchObject({
      status: "suspended",
      stop_reason: "usage-limit",
      known_cost_usd: 0.2,
      limit: { kind: "usage", limit: null, spent: null, resets_at: time.toISOString() },
    });
  });

  test("--wait sleeps and says until when; Ctrl-C ends the sleep", async () => {
    const resets = Math.floor(Date.now() / 1000) + 7200;
    const { cook, events, prompts } = await open([limited(resets)]);
    let kill: (signal: NodeJS.Signals) => void = () => undefined;
    let said = "";

    const ran = await cook(YAML, ["--wait"], {
      onStart: (child) => {
        kill = (signal) => child.kill(signal);
      },
      onStdout: (text) => {
        said += text;
        if (!said.includes("waiting until")) return;
        said = "";
        kill("SIGINT");
      },
    });

    expect(ran.code).toBe(130);
    expect(await prompts()).toHaveLength(1);
    expect(events().map(({ type }) => type)).toContain("wait-started");
    expect(events().at(-1)).toMatchObject({ type: "session-finished", status: "interrupted" });
  });

  test("mmm resume makes the attempt again, and what the one cut short cost stays in the account", async () => {
    const resets = Math.floor(Date.now() / 1000) + 7200;
    const { cook, mmm, prompts, repo, session } = await open([
      limited(resets),
      { prompt: "work", cost: 0.3, writes: { "whole.txt": "whole" } },
    ]);
    await repo.write(".gitignore", "");
    await repo.commitAll("ready");
    const suspended = await cook(`[{shell: "echo a > a.txt"}, {claude: "work"}]`, ["-n", "1"]);

    const resumed = await mmm(["resume"]);

    expect([suspended.code, resumed.code]).toEqual([75, 0]);
    expect(await prompts()).toEqual(["work", "work"]);
    expect(existsSync(path.join(repo.root, "half.txt"))).toBe(false);
    expect(await repo.git("show", `refs/mmm/failed/${path.basename(session())}/1:half.txt`)).toBe(
      "half",
    );
    expect(json(path.join(session(), "session.json"))).toMatchObject({
      status: "completed",
      cost_usd: expect.closeTo(0.5) as number,
    });
  });
});
