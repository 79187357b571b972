import { expect, test } from "vitest";

import type { Verbosity } from "../../src/report/line.ts";
import {
  attempt,
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
  const totals = { ...SESSION_FINISHED.totals, costUsd: null, knownCostUsd: 0.12 };
  const at = place("1", { kind: "claude" });
  const unknown = attempt(at, { number: 1, most: 1 }).map((entry): Scripted =>
    "event" in entry && entry.event.type === "attempt-finished"
      ? { event: { ...entry.event, usage: null } }
      : entry,
  );

  const one = summary(
    { totals },
    { before: [{ event: { type: "step-started", at } }, ...unknown] },
  );

  expect(one.out).toContain("   Cost: at least $0.12, 1 step of unknown cost\n");
  expect(summary({ totals }).out).toContain(
    "   Cost: at least $0.12, some steps of unknown cost\n",
  );
});

test("a Claude step that never ran has no unknown cost", () => {
  const totals = { ...SESSION_FINISHED.totals, costUsd: null, knownCostUsd: 0.12 };
  const at = place("1", { kind: "claude" });
  const ends = [null, { kind: "not-started", reason: "no such program" }] as const;
  const before = ends.flatMap((end) =>
    attempt(at, { number: 1, most: 1 }).map((entry): Scripted =>
      "event" in entry && entry.event.type === "attempt-finished"
        ? { event: { ...entry.event, usage: null, end } }
        : entry,
    ),
  );

  expect(summary({ totals }, { before }).out).toContain("some steps of unknown cost");
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
    { event: { type: "input-finished", input, ok: false, stop: "step-failed", durationMs: 1 } },
  ];
  const why = "1 of 5 inputs failed, 4 not run (--fail-fast)";

  expect(summary(over, { before }).out).toContain(`   Reason: ${why}\n`);
  expect(summary(over, { before, verbosity: -1 }).out).toContain(`failed: ${why} (`);
});
