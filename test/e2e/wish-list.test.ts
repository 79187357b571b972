/** The workflow that the language was made for runs as it was wished for, word by word (spec 2.2-2.6, 3.3). */
import { afterEach, describe, expect, test } from "vitest";
import type { FakeCall } from "../support/fake-claude.ts";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

const WISHED = `commands:
  - name: mmm-analyze-health
    outputs:
      health_score: { capture: json, path: "$.health_score" }
  - name: mmm-code-review
    condition: "\${health_score} < 80"
    outputs:
      issues_found: { capture: count, pattern: "## Issues to Address" }
  - name: mmm-implement-spec
    condition: "\${issues_found} > 0"
    retry: { max_attempts: 3, backoff: exponential }
  - name: mmm-verify-improvements
    validation:
      - tests_pass: true
      - performance_regression: false
      - coverage_increased: true
`;

/** `lines`: how many of ten are covered by the tests; `ms`: what the benchmark takes. */
const project = {
  ".gitignore": "coverage/\n",
  "package.json": JSON.stringify({
    scripts: { test: "sh test.sh", bench: "cat ms" },
  }),
  "test.sh": `test ! -e broken || exit 1
mkdir -p coverage
{ echo SF:a.js; for n in 1 2 3 4 5 6 7 8 9 10; do test $n -le $(cat lines) && echo DA:$n,1 || echo DA:$n,0; done; echo end_of_record; } > coverage/lcov.info
`,
  lines: "5\n",
  ms: "100\n",
};

const health = (score: number): FakeCall => ({
  prompt: "/mmm-analyze-health",
  text: `I looked at it all.\n\n\`\`\`json\n{"health_score": ${score}}\n\`\`\`\n`,
});
const review = (text: string): FakeCall => ({
  prompt: "/mmm-code-review",
  writes: { "specs/1-fix.md": text },
  commit: "review: add 1-fix",
  text,
});
const implement: FakeCall = {
  prompt: "/mmm-implement-spec specs/1-fix.md",
  writes: { "a.js": "mended\n" },
  commit: "fix it",
};
const OVERLOADED: FakeCall = {
  prompt: "/mmm-implement-spec",
  times: 2,
  do: [
    { init: {} },
    { result: { is_error: true, result: "API Error: 529 overloaded", api_error_status: 529 } },
    { exit: 1 },
  ],
};
const verify = (writes: Readonly<Record<string, string>>): FakeCall => ({
  prompt: "/mmm-verify-improvements",
  writes,
  commit: "test: cover more",
});
const ISSUES = "## Issues to Address\none\n## Issues to Address\ntwo\n";

let kitchen: Kitchen | null = null;
afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

/** With the commands that `mmm init` installs. */
async function cooked(calls: readonly FakeCall[]) {
  kitchen = await openKitchen(calls, project);
  const { mmm, cook, events, prompts } = kitchen;
  expect((await mmm(["init"])).code).toBe(0);
  const ran = await cook(WISHED, ["-n", "1"]);
  const steps = events().flatMap((each) =>
    each.type === "step-finished" ? [`${each.at.label} ${each.conclusion}`] : [],
  );
  const gates = events().flatMap((each) =>
    each.type === "gate-finished"
      ? [[each.gate, each.when, each.verdict, each.figures?.before, each.figures?.after]]
      : [],
  );
  return { ran, steps, gates, prompts: await prompts(), events: events(), kitchen };
}

describe("the workflow of the wish list, as written", () => {
  test("reviews, implements after two overloads with growing pauses, and verifies with its own figures", async () => {
    const { ran, steps, gates, prompts, events } = await cooked([
      health(72),
      review(ISSUES),
      OVERLOADED,
      implement,
      verify({ "a.test.js": "x\n", lines: "7\n" }),
    ]);

    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0 });
    expect(steps).toEqual([
      "mmm-analyze-health succeeded",
      "mmm-code-review succeeded",
      "mmm-implement-spec succeeded",
      "mmm-verify-improvements succeeded",
    ]);
    const spec = "/mmm-implement-spec specs/1-fix.md";
    expect(prompts.slice(2, 5)).toEqual([spec, spec, spec]);
    const pauses = events.flatMap((each) => (each.type === "retry-started" ? [each.delayMs] : []));
    expect(pauses).toHaveLength(2);
    const [first = 0, second = 0] = pauses;
    expect(first).toBeGreaterThanOrEqual(500);
    expect(first).toBeLessThanOrEqual(1000);
    expect(second).toBeGreaterThanOrEqual(1000);
    expect(second).toBeLessThanOrEqual(2000);
    expect(events.filter(({ type }) => type === "output-captured")).toMatchObject([
      { name: "health_score", value: "72" },
      { name: "issues_found", value: "2" },
    ]);
    expect(gates).toEqual([
      ["performance_regression", "before", "measured", 100, null],
      ["coverage_increased", "before", "measured", 50, null],
      ["tests_pass", "after", "ok", undefined, undefined],
      ["performance_regression", "after", "ok", 100, 100],
      ["coverage_increased", "after", "ok", 50, 70],
    ]);
    expect(ran.stdout).toMatch(/coverage_increased \(step 4\).*50.*70/);
  });

  test("a healthy project is not reviewed, and what was skipped is null in the next condition", async () => {
    const { ran, steps, prompts } = await cooked([health(91), verify({ lines: "6\n" })]);

    expect(ran.code).toBe(0);
    expect(prompts).toEqual(["/mmm-analyze-health", "/mmm-verify-improvements"]);
    expect(steps.slice(1, 3)).toEqual(["mmm-code-review skipped", "mmm-implement-spec skipped"]);
    expect(ran.stdout).toContain("condition is false: ${health_score} < 80");
    expect(ran.stdout).toContain("condition is false: ${issues_found} > 0");
  });

  test.each([
    ["broken tests", { broken: "x\n", lines: "7\n" }, "`tests_pass` failed"],
    ["a slower benchmark", { ms: "120\n", lines: "7\n" }, "100 before, 120 after"],
    ["no more coverage", { "b.js": "x\n" }, "50 before, 50 after"],
  ])("%s fail the last step, whatever Claude said", async (_, writes, why) => {
    const { ran, steps, kitchen: after } = await cooked([health(91), verify(writes)]);

    expect(ran.code).toBe(1);
    expect(steps.at(-1)).toBe("mmm-verify-improvements failed");
    expect(ran.stderr).toContain(why);
    // Undone, and kept.
    expect(await after.history()).not.toContain("test: cover more");
    expect(await after.repo.git("for-each-ref", "refs/mmm/failed")).not.toBe("");
  });
});
