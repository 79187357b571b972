import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import type { PlanReport, StepReport } from "../../src/report/plan-report.ts";
import { planLines } from "../../src/report/plan-wording.ts";
import { chooseSymbols } from "../../src/report/symbols.ts";

const known = (text: string) => ({ text, open: [] });

const STEP: StepReport = {
  step: "1",
  id: "build",
  label: "make all",
  kind: "shell",
  place: "pb.yml:2",
  rendered: known("make all"),
  stdin: null,
  condition: null,
  dependsOn: [],
  env: [],
  secrets: [],
  workingDir: null,
  commitMessage: null,
  timeoutMs: null,
  maxRuns: 1,
  maxAttempts: 1,
  continueOnError: false,
  commit: { required: false, defaulted: true, auto: "on" },
  claude: null,
  outputs: [],
  validation: [],
  handlers: [],
  expected: null,
};

const REPORT: PlanReport = {
  v: 1,
  type: "plan",
  playbook: { file: "pb.yml", name: "pb", description: null, shipped: false },
  tree: {
    root: "/home/me/tree",
    branch: "main",
    head: "abc",
    cwd: "/home/me/tree",
    isWorktree: false,
  },
  commit: "auto",
  replay: null,
  inputs: { count: 0, atOnce: 1, first: [] },
  params: [],
  secrets: [],
  iterations: { max: 10, from: "default" },
  until: null,
  limits: { costUsd: null, tokens: null, durationMs: null },
  merge: [],
  steps: [STEP],
  worstCase: {
    iteration: { claude: 0, shell: 1, analyze: 0, gates: 0 },
    total: { claude: 0, shell: 10, analyze: 0, gates: 0 },
  },
  expected: {
    sessions: 0,
    iteration: { durationMs: null, costUsd: null, unknown: 1 },
    session: { samples: 0, durationMs: null, costUsd: null },
  },
  diagnostics: [],
  problems: [],
  notes: [],
};

function text(report: PlanReport, columns: number | null = null): string {
  const lines = planLines(report, { columns, symbols: chooseSymbols(false) });
  return lines.map((line) => line.text).join("\n");
}

describe("a plan for people (spec 1, --dry-run)", () => {
  test("says where, how often at most, each step, and that nothing is known of its time", () => {
    expect(text(REPORT)).toBe(`==> Plan of pb
  playbook   pb.yml
  tree       /home/me/tree, branch main
  commits    of what each step leaves
  inputs     none
  iterations at most 10 (default)
  limits     none

1 [build] shell: make all (pb.yml:2)
  run        make all
  expected   unknown

  at most    10 runs of shell commands
             10 iterations x (1 run of shell commands)
  bounded by iterations and attempts
  expected   unknown: no earlier session of this playbook`);
  });

  test("nothing is wider than 60 columns, and nothing is left out, whatever the names hold", () => {
    const hostile = `a\u001b[31m\u202eb\n"wide 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字 ${"x".repeat(150)} end`;
    const step: StepReport = {
      ...STEP,
      label: hostile,
      rendered: known(`printf '%s' ${"Q".repeat(130)}\nsecond ${hostile}`),
      condition: `\${build.exit_code} == 0 && ${"Z".repeat(90)}`,
      env: [{ name: "A", value: known(hostile) }],
      handlers: [
        {
          handler: "on_failure",
          maxAttempts: 3,
          failWorkflow: false,
          steps: [{ ...STEP, step: "1.on_failure.1", label: hostile }],
        },
      ],
    };
    const shown = text(
      {
        ...REPORT,
        playbook: { ...REPORT.playbook, name: hostile },
        steps: [step],
        inputs: {
          count: 30,
          atOnce: 4,
          first: Array.from({ length: 20 }, () => ({ arg: hostile, file: null })),
        },
      },
      60,
    );

    for (const line of shown.split("\n")) expect(stringWidth(line)).toBeLessThanOrEqual(60);
    expect(shown).not.toMatch(/[\u001b\u202e]/);
    expect(shown.match(/Q/g)).toHaveLength(130);
    expect(shown.match(/Z/g)).toHaveLength(90);
  });

  test("inputs at once, and a worktree of its own, are said", () => {
    const inputs = { count: 3, atOnce: 2, first: [{ arg: "a", file: null }] };

    const shown = text({ ...REPORT, inputs, tree: { ...REPORT.tree, isWorktree: true } });

    expect(shown).toContain("3: a, ... (2 at once, each in a worktree)");
    expect(shown).toContain("branch main, in a worktree of its own");
  });

  test("what earlier sessions took: each step, an iteration, a session; what is unknown is not 0", () => {
    const expected = { samples: 3, durationMs: 65_000, costUsd: null };
    const shown = text({
      ...REPORT,
      steps: [
        { ...STEP, expected },
        { ...STEP, step: "2", kind: "claude", expected },
        { ...STEP, step: "3", kind: "claude", expected: { ...expected, costUsd: 0.5 } },
      ],
      expected: {
        sessions: 2,
        iteration: { durationMs: 195_000, costUsd: 0.5, unknown: 1 },
        session: { samples: 1, durationMs: 400_000, costUsd: 1.25 },
      },
    });

    expect(shown.match(/expected .*|\d.* a session .*/g)).toEqual([
      "expected   1m 5s (3 runs)",
      "expected   1m 5s, cost unknown (3 runs)",
      "expected   1m 5s, $0.50 (3 runs)",
      "expected   3m 15s and $0.50 an iteration, and what 1 of 3 steps takes is unknown (2 earlier sessions)",
      "6m 40s and $1.25 a session (1 completed)",
    ]);
  });

  test("reasons against a run are problems, shown under -q too, with the way out", () => {
    const problem = { code: "x", exitCode: 3, message: "dirty:\n  a.txt", next: ["git stash -u"] };
    const lines = planLines(
      { ...REPORT, problems: [problem] },
      { columns: 60, symbols: chooseSymbols(false) },
    );

    expect(lines.filter(({ from }) => from < 0).map((line) => line.text)).toEqual([
      "  at most    10 runs of shell commands",
      "error: a run would be refused here (exit 3): dirty:",
      "     a.txt",
      "   git stash -u",
    ]);
  });
});
