import { describe, expect, test } from "vitest";

import { NO_LIMITS } from "../../src/engine/budget.ts";
import { NO_SPENDING } from "../../src/engine/ledger.ts";
import type { Verbosity } from "../../src/report/line.ts";
import {
  failureOf,
  finished,
  place,
  play,
  type Scripted,
  SESSION_FINISHED,
  SESSION_STARTED,
} from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

type Finished = typeof SESSION_FINISHED;

function summary(
  over: Partial<Finished>,
  of: { readonly before?: readonly Scripted[]; readonly verbosity?: Verbosity } = {},
): { readonly out: string; readonly err: string } {
  const { reporter, clock, out, err } = rig({ verbosity: of.verbosity ?? 0 });
  play(of.before ?? [], reporter, clock);
  const seen = { out: out.text.length, err: err.text.length };
  reporter.event({ ...SESSION_FINISHED, ...over });
  reporter.close();
  return { out: out.text.slice(seen.out).trimStart(), err: err.text.slice(seen.err) };
}

const FAILED_STEP: readonly Scripted[] = [
  { event: { type: "step-started", at: place("3") } },
  { event: finished(place("3"), { conclusion: "failed", failure: failureOf() }) },
];

test("all iterations done is completed, and says so without a colon (spec 10)", () => {
  const { out } = summary({ stop: "iterations-done" });

  expect(out.split("\n")[0]).toBe("✅ Improvement session completed");
  expect(out).toContain("   Reason: All iterations done\n");
});

test.each([
  ["nothing-to-do", "No more issues found"],
  ["no-changes", "The last iteration changed nothing"],
] as const)("%s is finished early, with the README's three lines first", (stop, reason) => {
  const { out } = summary({ stop });

  expect(out.split("\n").slice(0, 4)).toEqual([
    "✅ Improvement session finished early:",
    "   Iterations: 2/10",
    "   Files improved: 3",
    `   Reason: ${reason}`,
  ]);
});

test("a failed session names the step, its logs and what to type, in one block on standard output", () => {
  const { out, err } = summary(
    {
      status: "failed",
      stop: "step-failed",
      next: ["git restore --source=refs/mmm/failed/x -- ."],
    },
    { before: FAILED_STEP },
  );

  expect(err).toBe("");
  expect(out).toMatch(/^❌ Improvement session failed:\n {3}Iterations: /);
  expect(out).toMatch(/\n {3}Next:\n {5}git restore --source=refs\/mmm\/failed\/x -- \.\n$/);
  expect(out).toContain("   Reason: Step 3/4 (npm test) failed\n");
  expect(out).toContain("   Logs: /repo/.mmm/sessions/mmm-demo-1\n");
});

test("an interrupted session says so and how to go on, under -q too", () => {
  const over = { status: "interrupted", stop: "interrupted", next: ["mmm resume"] } as const;

  expect(summary(over).err).toBe("");
  expect(summary(over).out).toMatch(
    /^🛑 Improvement session interrupted:\n[^]*\n {5}mmm resume\n$/,
  );
  expect(summary(over, { verbosity: -1 })).toEqual({
    out: "🛑 Improvement session interrupted (2/10 iterations, 3 commits, 1m 5s, $0.16)\n",
    err: "   Next:\n     mmm resume\n",
  });
});

test("-q ends a failed session with one line on standard output", () => {
  const over = { status: "failed", stop: "step-failed", next: [] } as const;

  expect(summary(over, { before: FAILED_STEP, verbosity: -1 })).toEqual({
    out: "❌ Improvement session failed: Step 3/4 (npm test) failed (2/10 iterations, 3 commits, 1m 5s, $0.16)\n",
    err: "",
  });
});

test("an unknown cost is never shown as 0 (spec 6.4)", () => {
  const totals = { ...SESSION_FINISHED.totals, costUsd: null, knownCostUsd: 0 };

  expect(summary({ totals }).out).toContain("   Cost: unknown\n");
  expect(summary({ totals }, { verbosity: -1 }).out).toContain(", cost unknown)");
  expect(summary({ totals: { ...totals, tokens: 0 } }).out).toContain("   Tokens: unknown\n");
});

test("a cost known in part is a lower bound that says how many steps are missing", () => {
  const totals = { ...SESSION_FINISHED.totals, costUsd: null, knownCostUsd: 0.12, unknownCosts: 1 };
  const { out } = summary({ totals: { ...totals, unknownCosts: 2 } });

  expect(summary({ totals }).out).toContain("   Cost: at least $0.12, 1 step of unknown cost\n");
  expect(out).toContain("   Cost: at least $0.12, 2 steps of unknown cost\n");
});

test("a call that was cut short is said beside the sum, and its cost is never 0 (spec 6.5)", () => {
  const totals = { ...SESSION_FINISHED.totals, cutShort: 1 };
  const alone = { ...totals, costUsd: 0, knownCostUsd: 0, tokens: 0 };

  expect(summary({ totals }).out).toContain("   Cost: $0.16, 1 call cut short at unknown cost\n");
  expect(summary({ totals: alone }).out).toContain(
    "   Tokens: unknown\n   Cost: unknown, 1 call cut short at unknown cost\n",
  );
  expect(summary({ totals }, { verbosity: -1 }).out).toContain("$0.16, 1 call cut short");
});

test("a limit that keeps a failed step from its next run leaves the reason of its failure", () => {
  const at = place("1", { kind: "claude", label: "work" });
  const failure = failureOf({ reason: "claude", message: "claude was silent for 1 s", end: null });
  const ended = { end: null, durationMs: 1, usage: null, turns: null, model: null, failure };
  const before: readonly Scripted[] = [
    { event: { type: "step-started", at } },
    { event: { type: "run-failed", at, attempt: 1, run: 1, ...ended } },
  ];
  const limit = { kind: "unknown-cost", limit: 5, spent: 0, resetsAt: null } as const;
  const over = { status: "suspended", stop: "limit", limit } as const;

  expect(summary(over, { before }).out).toContain(
    "   Failed before: 1/4 (work): claude was silent for 1 s\n",
  );
  expect(summary(over).out).not.toContain("Failed before");
});

test("a wait for a usage limit is no time at work (spec 6.5)", () => {
  const totals = { ...SESSION_FINISHED.totals, durationMs: 3_600_000 };
  const limits = { ...SESSION_STARTED.limits, durationMs: 600_000 };
  const before: readonly Scripted[] = [{ event: { ...SESSION_STARTED, limits } }];

  const { out } = summary({ totals, workedMs: 65_000 }, { before });

  expect(out).toContain("   Time: 1h, 1m 5s at work of 10m\n");
});

test("over several inputs the iterations are a sum, not a part of one input's limit", () => {
  const totals = { ...SESSION_FINISHED.totals, iterations: 3 };
  const before: readonly Scripted[] = [{ event: { ...SESSION_STARTED, inputs: 3 } }];

  expect(summary({ totals, maxIterations: 1 }, { before }).out).toContain("   Iterations: 3\n");
});

test("without Claude there is no word of tokens and cost", () => {
  const totals = { ...SESSION_FINISHED.totals, costUsd: 0, knownCostUsd: 0, tokens: 0 };

  expect(summary({ totals }).out).not.toMatch(/Tokens|Cost/);
});

test("what a replay would have cost is not called paid (spec 6.6)", () => {
  const { out } = summary(
    {},
    { before: [{ event: { ...SESSION_STARTED, replay: "demo.jsonl" } }] },
  );

  expect(out).toContain("   Cost: $0.16 (replayed, nothing was paid)\n");
});

test("at most 20 commits are listed, then how many more there are", () => {
  const commits = Array.from({ length: 25 }, (_commit, n) => ({
    sha: `${n}`.padStart(7, "a"),
    subject: `change ${n + 1}`,
  }));
  const totals = { ...SESSION_FINISHED.totals, commits: 25 };

  const { out } = summary({ commits, totals });

  expect(out).toContain("   Commits: 25\n     • change 1\n");
  expect(out).toContain("     • change 20\n     and 5 more\n");
});

test("tolerated failures are said again, failed inputs are listed (spec 2.3, 1)", () => {
  const input = { arg: "65", file: "specs/65-cook.md", index: 2, total: 3 };

  const { out, err } = summary({
    status: "failed",
    stop: "input-failed",
    next: [],
    toleratedFailures: [{ at: place("2", { label: "lint" }), message: "exit code 2\nmore" }],
    failedInputs: [{ input, message: "step 3/4 (npm test): exit code 1" }],
  });

  expect(err).toBe("");
  expect(out).toContain(`     • mmm-fix-test
   ⚠️  1 step failed and the run went on:
     • 2/4 (lint): exit code 2 more (playbooks/demo.yml:12)
   ❌ 1 of 3 inputs failed:
     • 2/3 specs/65-cook.md: step 3/4 (npm test): exit code 1
`);
  expect(out).toContain("   Reason: 1 of 3 inputs failed\n");
});

test("--fail-fast says how many inputs were not run, under -q too (spec 1)", () => {
  const input = { arg: "1", file: null, index: 1, total: 5 };
  const over = {
    status: "failed",
    stop: "input-failed",
    failedInputs: [{ input, message: "exit code 1" }],
  } as const;
  const before: readonly Scripted[] = [
    { event: { ...SESSION_STARTED, inputs: 5 } },
    {
      event: {
        type: "input-finished",
        input,
        ok: false,
        stop: "step-failed",
        message: null,
        durationMs: 1,
      },
    },
  ];
  const why = "1 of 5 inputs failed, 4 not run (--fail-fast)";

  expect(summary(over, { before }).out).toContain(`   Reason: ${why}\n`);
  expect(summary(over, { before, verbosity: -1 }).out).toContain(`failed: ${why} (`);
});

describe("limits (spec 6.5)", () => {
  const limits = { ...NO_LIMITS, costUsd: 5, tokens: 10_000, durationMs: 3_600_000 };
  const before: readonly Scripted[] = [{ event: { ...SESSION_STARTED, limits } }];
  const limit = { kind: "cost", limit: 5, spent: 5.2, resetsAt: null } as const;
  const over = {
    status: "suspended",
    stop: "limit",
    limit,
    next: ["mmm resume mmm-demo-1 --max-cost 10.20"],
  } as const;

  test("a suspended session says which limit, what is over it, and how to go on", () => {
    const totals = { ...SESSION_FINISHED.totals, costUsd: 5.2, knownCostUsd: 5.2 };

    const { out, err } = summary({ ...over, totals }, { before });

    expect(err).toBe("");
    expect(out).toMatch(/^⏸️ {2}Improvement session suspended:\n/);
    expect(out).toContain("   Reason: The limit of $5.00 is reached, $0.20 over it\n");
    expect(out).toContain("   Time: 1m 5s of 1h\n");
    expect(out).toContain("   Tokens: 6,000 of 10,000\n");
    expect(out).toContain("   Cost: $5.20, $0.20 over the limit of $5.00\n");
    expect(out).toMatch(/\n {3}Next:\n {5}mmm resume mmm-demo-1 --max-cost 10\.20\n$/);
    expect(summary({ ...over, totals }, { before, verbosity: -1 })).toEqual({
      out: "⏸️  Improvement session suspended: The limit of $5.00 is reached, $0.20 over it (2/10 iterations, 3 commits, 1m 5s, $5.20)\n",
      err: "   Next:\n     mmm resume mmm-demo-1 --max-cost 10.20\n",
    });
  });

  test.each([
    [{ kind: "cost", limit: 5, spent: 5 }, "The limit of $5.00 is reached"],
    [
      { kind: "cost", limit: 5, spent: 4.5, stoppedAt: 1.25 },
      "A run of Claude was stopped at $1.25, and $0.50 is left of the limit of $5.00",
    ],
    [
      { kind: "tokens", limit: 9000, spent: 9500 },
      "The limit of 9,000 tokens is reached, 500 over it",
    ],
    [
      { kind: "duration", limit: 3_600_000, spent: 3_720_000 },
      "The limit of 1h at work is reached, 2m over it",
    ],
    [
      { kind: "unknown-cost", limit: 5, spent: 1 },
      "Claude did not say what a step cost, so nobody knows what is left of $5.00",
    ],
    [{ kind: "usage", limit: null, spent: null }, "The usage limit of Claude is reached"],
  ] as const)("the reason of %o", (reached, words) => {
    const { out } = summary({ ...over, limit: { ...reached, resetsAt: null } });

    expect(out).toContain(`   Reason: ${words}\n`);
  });

  test("a usage limit says when it resets, by the clock on the wall", () => {
    const resetsAt = new Date(2026, 10, 22, 3, 0).toISOString();
    const usage = { kind: "usage", limit: null, spent: null, resetsAt } as const;

    const { out } = summary({ ...over, stop: "usage-limit", limit: usage });

    expect(out).toContain(
      "   Reason: The usage limit of Claude is reached, it resets at 2026-11-22 03:00\n",
    );
  });

  test("more than one model: each with its cost; unknown is said", () => {
    const amount = { runs: 1, unknownCosts: 0, cutShort: 0, durationMs: 1, tokens: 1000 };
    const models = [
      { ...amount, model: "opus", costUsd: 0.15 },
      { ...amount, model: "haiku", costUsd: 0, unknownCosts: 1 },
      { ...amount, model: null, costUsd: 0.2, unknownCosts: 2 },
      { ...amount, model: "cut", costUsd: 0, cutShort: 1, tokens: 0 },
    ];

    const { out } = summary({ spending: { ...NO_SPENDING, models } });
    const one = summary({ spending: { ...NO_SPENDING, models: models.slice(0, 1) } });

    expect(out).toContain(
      "     opus: $0.15, 1,000 tokens\n     haiku: cost unknown, 1,000 tokens\n     model unknown: at least $0.20, 1,000 tokens\n     cut: cost unknown\n",
    );
    expect(one.out).not.toContain("opus");
  });

  test("a resumed session says what it worked in all", () => {
    const { out } = summary({ workedMs: 3_665_200 });

    expect(out).toContain("   Time: 1m 5s, 1h 1m with what came before\n");
  });
});
