import * as fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";

import { SESSION_FINISHED, place, play, type Scripted } from "../support/scripted-run.ts";
import { Screen } from "../support/screen.ts";
import {
  inputOf,
  iterationEnds,
  kept,
  merged,
  opened,
  parallelStarted,
  placeOf,
  stepBegins,
  stepEnds,
} from "../support/scripted-inputs.ts";
import { rig, type Rig } from "./rig.ts";

function region(pretty: Rig, columns: number, rows = 24): readonly string[] {
  const screen = new Screen(columns);
  screen.write(pretty.both.text);
  return screen.text().split("\n").slice(-rows);
}

/** Starts `count` inputs at once, each in its first step. */
function begun(count: number, total = count): readonly Scripted[] {
  const inputs = Array.from({ length: count }, (_input, at) => inputOf(at + 1, total));
  return [
    { event: parallelStarted(total, count) },
    ...inputs.flatMap((input) => [
      ...opened(input),
      ...stepBegins(placeOf(input, "1", { label: `make part-${input.index}` })),
    ]),
  ];
}

test("each input at work has a line, and the last line tells of the whole (spec 10)", () => {
  const { reporter, clock, ...rest } = rig({ kind: "pretty", columns: 80, rows: 24 });
  const pretty = { reporter, clock, ...rest };
  const [one, two, three] = [inputOf(1, 12), inputOf(2, 12), inputOf(3, 12)];
  const review = placeOf(two, "2", { kind: "claude", label: "/mmm-review" });

  play(
    [
      { event: parallelStarted(12, 3) },
      ...opened(one),
      ...stepBegins(placeOf(one)),
      ...opened(two),
      ...stepBegins(review),
      { event: { type: "input-started", input: three } },
    ],
    reporter,
    clock,
  );
  const tool = { type: "tool", name: "Edit", detail: "src/a.ts" } as const;
  reporter.live({ type: "activity", at: review, activity: tool });
  const usage = { type: "usage", tokens: 1200, costUsd: 0.5 } as const;
  reporter.live({ type: "activity", at: review, activity: usage });
  clock.advance(12_000);

  expect(region(pretty, 80, 4)).toEqual([
    "[ 1] ⠋ 1/4 npm test · 12s",
    "[ 2] ⠋ 2/4 mmm-review · 12s · 1,200 tokens · $0.50 · Edit src/a.ts",
    "[ 3] ⠋ preparing its worktree · 12s",
    "0/12 inputs done · 3 at work · 12s · $0.50",
  ]);
});

test("an input waits for its turn, is merged, and what failed is counted (spec 8.4)", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  const [one, two, three] = [inputOf(1), inputOf(2), inputOf(3)];
  play(begun(3), pretty.reporter, pretty.clock);

  play(
    [one, two, three].flatMap((input) => stepEnds(placeOf(input))),
    pretty.reporter,
    pretty.clock,
  );
  play([...kept(three), iterationEnds(one), iterationEnds(two)], pretty.reporter, pretty.clock);
  expect(region(pretty, 80, 3)[0]).toMatch(/^\[1\] . iteration 1\/1 · 0s$/);
  const [merging] = merged(one);
  play(merging === undefined ? [] : [merging], pretty.reporter, pretty.clock);
  pretty.reporter.event({
    type: "gate-started",
    at: placeOf(one, "merge"),
    attempt: 1,
    gate: "tests_pass",
    when: "merge",
    command: "npm test",
    log: "logs/1.log",
  });
  pretty.clock.advance(5000);

  expect(region(pretty, 80, 3)).toEqual([
    "[1] ⠋ merging into mmm-demo-1 · 5s · tests_pass",
    "[2]   waiting for its turn to merge · 5s",
    "1/3 inputs done, 1 failed · 2 at work · 5s",
  ]);
});

test.each([
  [8, 5, ["[1]", "[2]", "[3]", "[4]", "[5]", "0/5"]],
  [7, 5, ["[1]", "[2]", "[3]", "[4]", "[5]", "0/5"]],
  [6, 5, ["[1]", "[2]", "[3]", "and 2 more", "0/5"]],
  [4, 5, ["[1]", "and 4 more", "0/5"]],
  [3, 5, ["0/5"]],
  [1, 5, ["0/5"]],
])("at %d rows %d inputs at work have as many lines as fit", (rows, count, expected) => {
  const pretty = rig({ kind: "pretty", columns: 80, rows });

  play(begun(count), pretty.reporter, pretty.clock);
  pretty.clock.advance(1000);

  const shown = region(pretty, 80, expected.length);
  expect(shown.map((line, at) => line.startsWith(expected[at] ?? "-"))).toEqual(
    expected.map(() => true),
  );
  const above = region(pretty, 80, 24).slice(0, -expected.length);
  expect(above.at(-1)).toMatch(/^\[5\] .*Running/);
});

test("no live line is as wide as the terminal, and a frame is one write", () => {
  const pretty = rig({ kind: "pretty", columns: 40, rows: 24 });
  const input = inputOf(1, 200);
  const at = placeOf(input, "1", { label: "漢字📋".repeat(40), kind: "claude" });
  play(
    [{ event: parallelStarted(200, 3) }, ...opened(input), ...stepBegins(at)],
    pretty.reporter,
    pretty.clock,
  );
  const before = pretty.out.writes.length;

  pretty.clock.advance(10_000);

  expect(pretty.out.writes.length - before).toBe(100);
  const lines = region(pretty, 40, 2);
  expect(lines[0]).toMatch(/^\[ {2}1\] . 1\/4 漢字/);
  expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(40);
});

test("a frame in which nothing has changed is not written, and one that has leaves no line empty", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24, emoji: false });
  play(begun(3), pretty.reporter, pretty.clock);
  const [one] = [inputOf(1)];
  for (const index of [1, 2, 3])
    play(
      [...stepEnds(placeOf(inputOf(index))), iterationEnds(inputOf(index))],
      pretty.reporter,
      pretty.clock,
    );
  pretty.clock.advance(3000);
  const before = pretty.out.writes.length;

  pretty.clock.advance(900);
  expect(pretty.out.writes.length).toBe(before);
  play(merged(one).slice(0, 1), pretty.reporter, pretty.clock);
  pretty.clock.advance(2000);

  const frames = pretty.out.writes.slice(before);
  expect(frames.length).toBeGreaterThan(15);
  expect(frames.join("")).not.toContain("\u001b[2K");
});

test("finished lines stand above, problems too, and the end leaves nothing of the live lines", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  const [one, two] = [inputOf(1, 2), inputOf(2, 2)];
  play(begun(2), pretty.reporter, pretty.clock);
  play([...stepEnds(placeOf(one)), iterationEnds(one)], pretty.reporter, pretty.clock);
  play(merged(one), pretty.reporter, pretty.clock);
  play(kept(two), pretty.reporter, pretty.clock);
  pretty.clock.advance(1000);
  pretty.reporter.event({ ...SESSION_FINISHED, commits: [], next: [] });
  pretty.clock.advance(1000);
  pretty.reporter.close();

  const lines = region(pretty, 80, 100);
  expect(lines.filter((line) => line.includes("inputs done") || line.includes("⠋"))).toEqual([]);
  expect(lines).toContain("[1] ✅ Input 1/2: specs/1-part.md completed (4s)");
  expect(lines).toContain("[2] ❌ Input 2/2: specs/2-part.md failed (4s)");
  expect(lines.slice(-2)).toEqual(["   Commits: 3", "     and 3 more"]);
  expect(pretty.clock.timers).toBe(0);
});

test("closing in the middle takes the live lines away, and the timer too", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  play(begun(4), pretty.reporter, pretty.clock);
  pretty.clock.advance(500);

  pretty.reporter.close();
  pretty.reporter.close();

  expect(region(pretty, 80, 1)[0]).toMatch(/^\[4\] .*Running: make part-4$/);
  expect(pretty.clock.timers).toBe(0);
});

test("between two events the cursor stands at the end of the last line, whatever is killed", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  const script = [...begun(3), { waitMs: 2300 }, ...stepEnds(placeOf(inputOf(2)))];
  play(script, pretty.reporter, pretty.clock);
  const screen = new Screen(80, 24);

  for (const write of pretty.out.writes) {
    screen.write(write);
    if (!screen.text().includes("inputs done")) continue;
    const lines = screen.text().split("\n");
    expect(screen.cursor.row).toBe(lines.length - 1);
    expect(screen.cursor.column).toBe(stringWidth(lines.at(-1) ?? ""));
    expect(lines.at(-1)).toContain("inputs done");
  }
});

test("a terminal may change its size at any moment: one picture of the inputs stays, and all that was said", () => {
  const sizes = fc.record({
    columns: fc.integer({ min: 8, max: 120 }),
    waitMs: fc.integer({ min: 0, max: 1500 }),
    says: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 12 }), (steps) => {
      const terminal = { columns: 80, rows: 24, isTTY: true };
      const screen = new Screen(80);
      const out = {
        get columns() {
          return terminal.columns;
        },
        get rows() {
          return terminal.rows;
        },
        isTTY: true,
        write: (text: string) => screen.write(text),
      };
      const { reporter, clock } = rig({ kind: "pretty", out, err: out });
      play(begun(3), reporter, clock);
      let said = 0;
      for (const { columns, waitMs, says } of steps) {
        terminal.columns = columns;
        screen.resize(columns);
        clock.advance(waitMs);
        if (!says) continue;
        said += 1;
        reporter.event({ type: "note", severity: "warning", message: "word" });
      }
      terminal.columns = 120;
      screen.resize(120);
      clock.advance(1000);

      const lines = screen.text().split("\n");
      expect(lines.slice(-4).map((line) => line.slice(0, 3))).toEqual(["[1]", "[2]", "[3]", "0/3"]);
      const above = lines.slice(0, -4);
      expect(above.filter((line) => /inputs done|^\[\d\] [⠀-⣿]/.test(line))).toEqual([]);
      expect(above.filter((line) => line.includes("word")).length).toBe(said);
      expect(above.filter((line) => line.includes("Created worktree")).length).toBe(0);
      reporter.close();
      expect(screen.text().split("\n").length).toBe(lines.length - 4);
    }),
    { numRuns: 20 },
  );
});

test("a terminal that became shorter shows what fits, and nothing above the top is touched", () => {
  const terminal = { columns: 80, rows: 12, isTTY: true };
  const screen = new Screen(80, 12);
  const out = {
    get columns() {
      return terminal.columns;
    },
    get rows() {
      return terminal.rows;
    },
    isTTY: true,
    write: (text: string) => screen.write(text),
  };
  const { reporter, clock } = rig({ kind: "pretty", out, err: out });
  play(begun(6), reporter, clock);
  clock.advance(1000);

  terminal.rows = 5;
  screen.resize(80, 5);
  clock.advance(1000);

  const shown = screen.text().split("\n").slice(-4);
  expect(shown.map((line) => line.slice(0, 10))).toEqual([
    expect.stringMatching(/^\[1\]/),
    expect.stringMatching(/^\[2\]/),
    "and 4 more",
    "0/6 inputs",
  ]);
});

test("10 000 live events of eight inputs between two frames are drawn at most once", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  play(begun(8), pretty.reporter, pretty.clock);
  const before = pretty.out.writes.length;

  for (let n = 0; n < 10_000; n += 1) {
    const at = placeOf(inputOf((n % 8) + 1, 8));
    const activity = { type: "tool", name: "Read", detail: `file ${n}` } as const;
    pretty.reporter.live({ type: "activity", at, activity });
  }
  pretty.clock.advance(100);

  expect(pretty.out.writes.length - before).toBe(1);
  expect(region(pretty, 80, 9)[7]).toContain("Read file 9999");
});

test("inputs one after the other have one live line, as a session without inputs", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  const input = inputOf(1);

  play(
    [
      { event: parallelStarted(3, 1) },
      { event: { type: "input-started", input } },
      ...stepBegins(placeOf(input)),
    ],
    pretty.reporter,
    pretty.clock,
  );
  pretty.clock.advance(2000);

  expect(region(pretty, 80, 3)).toEqual([
    "📋 Step 1/4: npm test",
    "⚙️  Running: npm test",
    "⠋ 1/4 npm test · 2s",
  ]);
  expect(region(pretty, 80, 100)).toContain("📥 Input 1/3: specs/1-part.md");
});

test("after a resume the inputs are told apart, and those that are done count (spec 7)", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  const resumed = {
    type: "session-resumed",
    session: "mmm-demo-1",
    playbook: "demo.yml",
    segment: 2,
    reused: [],
    inFlight: null,
    why: null,
    left: 2,
    inputs: { finished: 7, total: 9 },
    costUsd: 1.5,
    limits: parallelStarted(9, 2).limits,
    kept: {},
    replay: null,
  } as const;

  play(
    [
      { event: { ...resumed, parallel: 2 } },
      { event: { type: "input-started", input: inputOf(8, 9) } },
      ...stepBegins(place("1", { input: 8 })),
    ],
    pretty.reporter,
    pretty.clock,
  );
  pretty.clock.advance(3000);

  expect(region(pretty, 80, 3)).toEqual([
    "[8] ⚙️  Running: npm test",
    "[8] ⠋ 1/4 npm test · 3s",
    "7/9 inputs done · 1 at work · 3s · $1.50",
  ]);
});

test("an input that was stopped has not failed, and is not counted as failed (spec 1.1)", () => {
  const pretty = rig({ kind: "pretty", columns: 80, rows: 24 });
  play(begun(2), pretty.reporter, pretty.clock);
  const input = inputOf(1, 2);
  const stopped = { ok: false, stop: "interrupted", message: null, durationMs: 700 } as const;

  pretty.reporter.event({ type: "input-finished", input, ...stopped });

  expect(region(pretty, 80, 3)).toEqual([
    "[1] 🛑 Input 1/2: specs/1-part.md stopped (0.7s)",
    "[2] ⠋ 1/4 make part-2 · 0s",
    "0/2 inputs done · 1 at work · 0s",
  ]);
});
