import stringWidth from "string-width";
import { expect, test } from "vitest";

import type { InputResult } from "../../src/engine/input-events.ts";
import type { Verbosity } from "../../src/report/line.ts";
import { play, SESSION_FINISHED } from "../support/scripted-run.ts";
import { inputOf, kept, opened, parallelStarted, resultOf } from "../support/scripted-inputs.ts";
import { rig } from "./rig.ts";

function table(
  results: readonly InputResult[],
  of: {
    readonly columns?: number;
    readonly next?: readonly string[];
    readonly verbosity?: Verbosity;
  } = {},
): readonly string[] {
  const at = of.columns === undefined ? {} : { columns: of.columns, kind: "pretty" as const };
  const { reporter, clock, both } = rig({ ...at, verbosity: of.verbosity ?? 0 });
  play([{ event: parallelStarted(results.length, 4) }], reporter, clock);
  for (const { input, branch } of results)
    if (branch !== null) play([...opened(input), ...kept(input)], reporter, clock);
  const before = both.text.length;
  const failed = results.filter(({ status }) => status === "failed");
  reporter.event({
    ...SESSION_FINISHED,
    status: failed.length > 0 ? "failed" : "completed",
    stop: failed.length > 0 ? "input-failed" : "iterations-done",
    commits: [],
    totals: { ...SESSION_FINISHED.totals, commits: 0 },
    failedInputs: failed.map(({ input, message }) => ({ input, message: message ?? "" })),
    inputResults: results,
    next: of.next ?? [],
  });
  reporter.close();
  const lines = both.text.slice(before).trimEnd().split("\n");
  const from = lines.findIndex((line) => line.startsWith("   Inputs: "));
  return of.verbosity === -1 ? lines : lines.slice(from);
}

const FAILED: Partial<InputResult> = {
  status: "failed",
  stop: "step-failed",
  message: "step 3 (npm test): exit code 1",
};

test("the table has input, status, commits, cost and time, and why a failed one failed (8.4)", () => {
  const lines = table([
    resultOf(inputOf(1), { costUsd: 0.125, commits: 12 }),
    resultOf(inputOf(2), { ...FAILED, costUsd: null, durationMs: 125_000, branch: "mmm-demo-1-2" }),
    resultOf(inputOf(3), { status: "not-run", stop: null, commits: 0, durationMs: null }),
  ]);

  expect(lines).toEqual([
    "   Inputs: 1 completed, 1 failed, 1 not run",
    "        input            status     commits     cost   time",
    "     1  specs/1-part.md  completed       12    $0.13     4s",
    "     2  specs/2-part.md  failed           1  unknown  2m 5s",
    "     3  specs/3-part.md  not run",
    "   ❌ 2 specs/2-part.md: step 3 (npm test): exit code 1",
    "      kept on branch mmm-demo-1-2: mmm worktree merge mmm-demo-1-2",
  ]);
});

test("a cost that is known in part is a least, and one that begins anew was paid for before (6.4)", () => {
  const lines = table([
    resultOf(inputOf(1), { costUsd: null, knownCostUsd: 0.5 }),
    resultOf(inputOf(2), { status: "not-run", stop: null, costUsd: 0.25, durationMs: null }),
  ]);

  expect(lines.slice(0, 4)).toEqual([
    "   Inputs: 1 completed, 1 not run",
    "        input            status     commits     cost  time",
    "     1  specs/1-part.md  completed        1  ≥ $0.50    4s",
    "     2  specs/2-part.md  not run               $0.25",
  ]);
});

test("without Claude there is no cost, and what stands under Next is not said twice", () => {
  const next = ["mmm worktree merge mmm-demo-1-2"];
  const lines = table(
    [resultOf(inputOf(1)), resultOf(inputOf(2), { ...FAILED, branch: "mmm-demo-1-2" })],
    { next },
  );

  expect(lines[1]).toBe("        input            status     commits  time");
  expect(lines.slice(-3)).toEqual([
    "      kept on branch mmm-demo-1-2",
    "   Next:",
    "     mmm worktree merge mmm-demo-1-2",
  ]);
});

test("of 200 inputs 50 rows are shown, the failed ones first, and how many more there are", () => {
  const results = Array.from({ length: 200 }, (_result, at) =>
    resultOf(inputOf(at + 1, 200), at % 90 === 89 ? FAILED : {}),
  );

  const lines = table(results);

  expect(lines[0]).toBe("   Inputs: 198 completed, 2 failed");
  const rows = lines.filter((line) => /^ {5} *\d+ {2}specs/.test(line));
  expect(rows.length).toBe(50);
  expect(rows.slice(0, 3).map((row) => row.trim().split(/\s+/).slice(0, 3))).toEqual([
    ["90", "specs/90-part.md", "failed"],
    ["180", "specs/180-part.md", "failed"],
    ["1", "specs/1-part.md", "completed"],
  ]);
  expect(lines).toContain("     and 150 more");
  expect(lines.filter((line) => line.startsWith("   ❌")).length).toBe(2);
});

test("failed ones that have no row are counted, with the command that shows them", () => {
  const results = Array.from({ length: 70 }, (_result, at) =>
    resultOf(inputOf(at + 1, 70), FAILED),
  );

  const lines = table(results);

  expect(lines.filter((line) => line.startsWith("   ❌")).length).toBe(50);
  expect(lines.at(-1)).toBe("   20 more failed: mmm sessions show mmm-demo-1");
});

test("a good input whose worktree was kept is named too: nothing is left over unsaid", () => {
  const { reporter, clock, out } = rig();
  const [one, two] = [inputOf(1, 2), inputOf(2, 2)];
  play([{ event: parallelStarted(2, 2) }, ...opened(one)], reporter, clock);
  const next = ["cd /trees/1   (there are uncommitted changes)"];
  reporter.event({ type: "input-kept", input: one, name: "t1", path: "/trees/1", next });

  const inputResults = [resultOf(one, { branch: "t1", path: "/trees/1" }), resultOf(two)];
  reporter.event({ ...SESSION_FINISHED, inputResults });

  expect(out.text).toContain(
    "   ⚠️  1 specs/1-part.md: its worktree is kept on branch t1: cd /trees/1 (there are uncommitted changes)\n",
  );
});

test.each([
  ["/trees/1", "its worktree is kept on branch mmm-demo-1-i1 at /trees/1"],
  [null, "its branch mmm-demo-1-i1 is still there"],
])("one that an earlier process has kept is named by what is there of it: %s", (path, words) => {
  const { reporter, clock, out } = rig();
  const [one, two] = [inputOf(1, 2), inputOf(2, 2)];
  play([{ event: parallelStarted(2, 2) }], reporter, clock);
  const inputResults = [resultOf(one, { branch: "mmm-demo-1-i1", path }), resultOf(two)];

  reporter.event({ ...SESSION_FINISHED, inputResults });

  expect(out.text).toContain(`   ⚠️  1 specs/1-part.md: ${words}\n`);
});

test.each([40, 60, 80])(
  "at %d columns the name gives way, wide characters are counted, and the rest is aligned",
  (columns) => {
    const wide = { ...inputOf(1, 2), file: "漢字/📋".repeat(30) };
    const lines = table(
      [resultOf(wide, { costUsd: 0.5 }), resultOf(inputOf(2, 2), { commits: 100, costUsd: 12 })],
      { columns },
    );

    expect(lines.length).toBe(4);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(columns);
    expect(lines[2]).toMatch(/… {2,3}completed/);
    const ends = lines.slice(2).map((line) => stringWidth(line));
    expect(ends[0]).toBe(ends[1]);
  },
);

test("what an input holds cannot break a row or order the terminal about", () => {
  const evil = { ...inputOf(1, 2), file: null, arg: "a\nb\u001b[2J\u202e" };
  const message = "line one\nline two\u001b[31m";

  const lines = table([resultOf(evil, { ...FAILED, message }), resultOf(inputOf(2, 2))]);

  expect(lines.length).toBe(5);
  expect(lines.join("")).not.toMatch(/[\u001b\u202e]/);
  expect(lines.at(-1)).toContain("line one line two");
});

test("-q stays one line (spec 1)", () => {
  const lines = table([resultOf(inputOf(1)), resultOf(inputOf(2), FAILED)], { verbosity: -1 });

  expect(lines).toEqual([
    expect.stringMatching(/^❌ Improvement session failed: 1 of 3 inputs failed \(/),
  ]);
});

test("what a resume will go on with is named with its folder, whatever stopped it (8.4)", () => {
  const lines = table([
    resultOf(inputOf(1)),
    resultOf(inputOf(2), { status: "interrupted", stop: null, branch: "s-i2", path: "/t/s-i2" }),
    resultOf(inputOf(3), { status: "suspended", stop: null, branch: "s-i3", path: "/t/s-i3" }),
    resultOf(inputOf(4), { ...FAILED, branch: "s-i4", path: null }),
    resultOf(inputOf(5), { status: "interrupted", stop: null, message: "no space left" }),
  ]);

  const at = lines.indexOf("   Kept for a resume (folder and branch have one name):");
  expect(lines.slice(at + 1, at + 3)).toEqual([
    "     2 specs/2-part.md: /t/s-i2",
    "     3 specs/3-part.md: /t/s-i3",
  ]);
  expect(lines.join("\n")).toContain("5 specs/5-part.md: no space left");
  expect(lines.join("\n")).not.toContain("4 specs/4-part.md: /");
});

test("a session that was broken off has its table, and what to type", () => {
  const { reporter, clock, out } = rig();
  const [one, two] = [inputOf(1, 2), inputOf(2, 2)];
  play([{ event: parallelStarted(2, 2) }, ...opened(one)], reporter, clock);
  const open = { status: "interrupted", stop: null, durationMs: null } as const;
  reporter.event({
    type: "session-broken",
    session: "mmm-demo-1",
    inputResults: [
      resultOf(one, { ...open, branch: "s-i1", path: "/t/s-i1" }),
      resultOf(two, { ...open, message: "no space left" }),
    ],
    directory: "/repo/.mmm/sessions/mmm-demo-1",
    next: ["git restore x"],
  });
  reporter.close();

  expect(out.text.slice(out.text.indexOf("❌")).trimEnd().split("\n")).toEqual([
    "❌ Improvement session broken off:",
    "   Logs: /repo/.mmm/sessions/mmm-demo-1",
    "   Inputs: 2 interrupted",
    "        input            status       commits  time",
    "     1  specs/1-part.md  interrupted        1",
    "     2  specs/2-part.md  interrupted        1",
    "   🛑 2 specs/2-part.md: no space left",
    "   Kept for a resume (folder and branch have one name):",
    "     1 specs/1-part.md: /t/s-i1",
    "   Next:",
    "     git restore x",
  ]);
});
