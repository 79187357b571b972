/**
 * mmm is killed with SIGKILL around every line of its journal, and at random moments; `mmm resume` then has
 * to end where an undisturbed run ends (spec 7).
 *
 * `MMM_CRASHES=all` takes every line and 300 random moments, which is an hour's work; else a slice of them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";
import type { FakeCall } from "../support/fake-claude.ts";
import type { CliOptions } from "../support/run-cli.ts";

const HOOK = path.resolve(import.meta.dirname, "../support/crash-hook.mjs");

/** Two inputs, two iterations, eleven steps with handlers, a loop, repairs, outputs and commits of every origin. */
const PLAYBOOK = `
name: crash
max_iterations: 2
steps:
  - claude: "/review \${ARG} \${ITERATION}"
    id: review
  - shell: "echo \${ARG} >> log.txt; echo n=\${ITERATION}"
    id: count
    outputs: {n: {capture: text}, got: {file_pattern: "log.txt"}}
  - shell: "test -f fixed-\${ARG}-\${ITERATION} || { echo broken >> broken.txt; exit 7; }"
    id: check
    on_failure:
      max_attempts: 3
      do:
        - claude: "/fix \${ARG} \${ITERATION} \${error.exit_code}"
        - shell: "cat broken.txt >> repairs.txt"
  - {shell: "echo \${count.n} \${count.got} \${review.output} >> values.txt", commit_message: "values of \${ARG}"}
  - shell: "git commit -q --allow-empty -m own-\${ARG}-\${ITERATION}"
  - {shell: "exit 3", continue_on_error: true}
  - {shell: "echo x > tolerated-\${ITERATION}.txt; exit 4", on_failure: {fail_workflow: false, max_attempts: 1, do: [{shell: "echo cleaned >> cleaned.txt"}]}}
  - {shell: "echo s", on_success: [{shell: "echo ok >> success.txt"}]}
  - claude: "/write \${ARG} \${ITERATION}"
    id: write
    outputs: {score: {capture: number}}
  - foreach: {shell: "echo x; echo y"}
    do:
      - {shell: "echo \${item} \${ARG} \${ITERATION} >> items.txt", commit_message: "item \${item}"}
      - {shell: "test \${index} = 1 || { echo lost > lost.txt; exit 5; }"}
    continue_on_error: true
  - {shell: "echo \${write.score} \${check.attempts} >> end.txt"}
`;

const CALLS: readonly FakeCall[] = [
  { prompt: "/review", times: "always", text: "looks fine", cost: 0.01 },
  ...["a 1", "a 2", "b 1", "b 2"].map((of): FakeCall => ({
    prompt: `/fix ${of}`,
    times: "always",
    writes: { [`fixed-${of.replace(" ", "-")}`]: "yes\n" },
    text: "fixed",
    cost: 0.02,
  })),
  ...["a 1", "a 2", "b 1", "b 2"].map((of): FakeCall => ({
    prompt: `/write ${of}`,
    times: "always",
    writes: { [`written-${of.replace(" ", "-")}.txt`]: `${of}\n` },
    commit: `wrote ${of}`,
    text: of.endsWith("1") ? "70" : "90",
    cost: 0.04,
  })),
];

const ALL = process.env["MMM_CRASHES"] === "all";
const ARGS = ["--args", "a", "--args", "b"];

interface Ending {
  readonly history: readonly string[];
  readonly files: string;
  readonly state: unknown;
}

let calm: Ending;
let lines: readonly string[];
let calmMs = 0;
let calls: readonly string[];
let base = "";

async function kitchenFor(): Promise<Kitchen> {
  return openKitchen(CALLS, { "README.md": "hello\n" });
}

/** @param begun sessions: one killed before it could say what it was asked is begun anew */
async function ending({ repo, history }: Kitchen, begun = 1): Promise<Ending> {
  const state = JSON.parse(readFileSync(path.join(repo.root, ".mmm/state.json"), "utf8")) as {
    readonly total_runs: number;
    readonly score: number | null;
    readonly running: readonly string[];
    readonly last_session: Readonly<Record<string, unknown>>;
  };
  const { status, stop_reason, iterations, steps, commits, files_changed, cost_usd, tokens } =
    state.last_session;
  expect(await repo.git("fsck", "--no-progress")).not.toMatch(/error|missing|corrupt/);
  expect(await repo.git("status", "--porcelain", "--", ":!pb.yml")).toBe("");
  return {
    history: await history(),
    // Blobs by content: trees and commits hold times and session names.
    files: await repo.git("ls-tree", "-r", "HEAD"),
    state: {
      // One that was killed at once may not have been counted.
      total_runs: begun === 1 ? state.total_runs : 1,
      score: state.score,
      running: state.running,
      status,
      stop_reason,
      iterations,
      steps,
      commits,
      files_changed,
      tokens,
      cost: Math.round(Number(cost_usd) * 1e6),
    },
  };
}

/** @param crashes one kill each; what is left when they are used up runs to its end */
async function crashed(crashes: readonly string[]): Promise<Ending & { calls: readonly string[] }> {
  const kitchen = await kitchenFor();
  try {
    let code: number | null = null;
    let begun = 1;
    for (const [index, at] of [...crashes, ""].entries()) {
      const [when, number] = at.split(":");
      const env =
        at === "" || when === "ms" ? {} : { CRASH_AT: at, NODE_OPTIONS: `--import=${HOOK}` };
      const onStart: CliOptions["onStart"] = (child) => {
        if (when === "ms") setTimeout(() => child.kill("SIGKILL"), Number(number));
      };
      const result =
        index === 0
          ? await kitchen.cook(PLAYBOOK, ARGS, { env, onStart })
          : await kitchen.mmm(["resume"], { env, onStart });
      ({ code } = result);
      // Killed so early that there is nothing to resume, or so late that it was over.
      if (index > 0 && code !== null && code !== 0) {
        expect(result.stderr).toMatch(/no session|nothing was done|stopped before anything/);
        const again = await kitchen.cook(PLAYBOOK, ARGS);
        expect(again).toMatchObject({ code: 0 });
        ({ code } = again);
        begun = 2;
        break;
      }
      if (code === 0) break;
    }
    expect(code).toBe(0);
    return { ...(await ending(kitchen, begun)), calls: await kitchen.prompts() };
  } finally {
    await kitchen.dispose();
  }
}

beforeAll(async () => {
  base = mkdtempSync(path.join(tmpdir(), "mmm-crash-"));
  const kitchen = await kitchenFor();
  const start = performance.now();
  const result = await kitchen.cook(PLAYBOOK, ARGS);
  calmMs = performance.now() - start;
  expect(result).toMatchObject({ code: 0 });
  calm = await ending(kitchen);
  lines = readFileSync(path.join(kitchen.session(), "journal.jsonl"), "utf8").trimEnd().split("\n");
  calls = await kitchen.prompts();
  await kitchen.dispose();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Every k-th line, another set in each mode. */
function slice(of: number, phase: number): readonly number[] {
  const all = Array.from({ length: of }, (_, index) => index + 1);
  return ALL ? all : all.filter((line) => line % Math.ceil(of / 3) === phase);
}

describe("killed around a line of the journal, a resumed session ends like an undisturbed one", () => {
  test("the undisturbed one does what the playbook says", () => {
    expect(lines.length).toBeGreaterThan(300);
    expect(calls).toHaveLength(12);
    expect(calm.state).toMatchObject({ status: "completed", cost: 280_000, score: 90 });
  });

  test.each(["before", "after", "torn"])(
    "%s it",
    async (when) => {
      for (const line of slice(lines.length, { before: 3, after: 11, torn: 29 }[when] ?? 0)) {
        const end = await crashed([`${when}:${line}`]);
        const text = lines[line - 1] ?? "";
        expect({ line, text: text.slice(0, 200), ...end, calls: [] }).toEqual({
          line,
          text: text.slice(0, 200),
          ...calm,
          calls: [],
        });
        // Only a call whose end was not known yet is made again.
        const known = when === "after" ? line : line - 1;
        const inFlight = isInFlight(lines.slice(0, known));
        const again = end.calls.length - calls.length;
        expect({ line, again: again === 0 || (inFlight && again === 1) }).toEqual({
          line,
          again: true,
        });
      }
    },
    ALL ? 7_200_000 : 600_000,
  );
});

test(
  "killed at random moments, again and again, it ends like an undisturbed one",
  async () => {
    const rounds = ALL ? 100 : 1;
    let seed = Number(process.env["MMM_CRASH_SEED"] ?? 7);
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let round = 0; round < rounds; round += 1) {
      const crashes = [1, 2, 3].map(() => `ms:${Math.round(100 + random() * calmMs * 0.6)}`);
      const { calls: made, ...end } = await crashed(crashes);
      expect({ crashes, ...end }).toEqual({ crashes, ...calm });
      expect(made.length).toBeLessThanOrEqual(calls.length + crashes.length);
    }
  },
  ALL ? 7_200_000 : 600_000,
);

/** Claude was started and has not answered, as far as these lines say. */
function isInFlight(known: readonly string[]): boolean {
  const last = known.findLastIndex((line) =>
    /"type":"(?:attempt-started|attempt-finished)"/.test(line),
  );
  const text = known.slice(Math.max(last, 0)).join("\n");
  return /"type":"attempt-started"/.test(text) && !text.includes('"call":"claude"');
}
