import stringWidth from "string-width";
import { expect, test } from "vitest";

import {
  attempt,
  demoRun,
  finished,
  place,
  play,
  SESSION_FINISHED,
} from "../support/scripted-run.ts";
import { Screen } from "../support/screen.ts";
import { rig, type Rig } from "./rig.ts";

/** What was written without a line end: the live line, without the orders that clear the one before. */
function liveLines(writes: readonly string[]): string[] {
  // oxlint-disable-next-line no-control-regex
  const bare = writes.map((text) => text.replace(/\r|\u001b\[[0-9;]*[A-Za-z]/g, ""));
  return bare.filter((text) => text !== "" && !text.endsWith("\n"));
}

function screenOf(columns: number, { both }: Rig): string {
  const screen = new Screen(columns);
  screen.write(both.text);
  return screen.text();
}

test.each([60, 200])(
  "at %d columns a run leaves the same lines as without movement",
  async (columns) => {
    const pretty = rig({ kind: "pretty", columns, color: 1 });
    const plain = rig({ kind: "plain" });

    play(demoRun(), pretty.reporter, pretty.clock);
    play(demoRun(), plain.reporter, plain.clock);
    pretty.reporter.close();

    const withoutHeartbeat = plain.both.text.split("\n").filter((line) => !line.startsWith("⏳"));
    const wrapped = new Screen(columns);
    wrapped.write(withoutHeartbeat.join("\n"));
    expect(screenOf(columns, pretty)).toBe(wrapped.text());
    await expect(screenOf(columns, pretty)).toMatchFileSnapshot(`golden/pretty.${columns}.txt`);
  },
);

test.each([60, 200])("at %d columns no live line is wider than the terminal", (columns) => {
  const pretty = rig({ kind: "pretty", columns, color: 1 });
  const at = place("1", { label: "漢字📋".repeat(40), kind: "claude" });

  play(demoRun(), pretty.reporter, pretty.clock);
  play([{ event: { type: "step-started", at } }], pretty.reporter, pretty.clock);
  const detail = "src/漢字/\u001b[2J\n".repeat(50);
  const tool = { type: "activity", at, activity: { type: "tool", name: "Edit", detail } } as const;
  play(attempt(at, { number: 1, most: 3, live: [tool] }), pretty.reporter, pretty.clock);

  const lines = liveLines(pretty.out.writes);
  expect(lines.length).toBeGreaterThan(400);
  expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(columns);
});

test("the live line tells step, time, attempt, turns, cost and the last tool", () => {
  const pretty = rig({ kind: "pretty", columns: 200 });
  const at = place("2", { label: "mmm-implement-spec", kind: "claude" });
  const first = place("1", { kind: "claude" });

  play(attempt(first, { number: 1, most: 1 }), pretty.reporter, pretty.clock);
  pretty.reporter.event({ type: "step-started", at });
  const started = attempt(at, { number: 2, most: 3 }).slice(0, 2);
  play(started, pretty.reporter, pretty.clock);
  const live = (
    activity: Parameters<typeof pretty.reporter.live>[0] & { type: "activity" },
  ): void => pretty.reporter.live(activity);
  live({ type: "activity", at, activity: { type: "turns", turns: 4 } });
  live({ type: "activity", at, activity: { type: "tool", name: "Edit", detail: "src/a.ts" } });
  pretty.clock.advance(65_000);

  expect(screenOf(200, pretty).split("\n").at(-1)).toMatch(
    /^. 2\/4 mmm-implement-spec · 1m 5s · attempt 2\/3 · 4 turns · \$0\.0412 so far · Edit src\/a\.ts$/,
  );
});

test("the live line tells tokens while Claude works, and the cost as soon as it is known (6.4)", () => {
  const pretty = rig({ kind: "pretty", columns: 200 });
  const [first, at] = [place("1", { kind: "claude" }), place("2", { label: "x", kind: "claude" })];
  play(attempt(first, { number: 1, most: 1 }), pretty.reporter, pretty.clock);
  pretty.reporter.event({ type: "step-started", at });
  play(attempt(at, { number: 1, most: 1 }).slice(0, 1), pretty.reporter, pretty.clock);
  const used = (tokens: number, costUsd: number | null): string | undefined => {
    const activity = { type: "usage", tokens, costUsd } as const;
    pretty.reporter.live({ type: "activity", at, activity });
    pretty.clock.advance(1000);
    return screenOf(200, pretty).split("\n").at(-1);
  };

  expect(used(12_345, null)).toMatch(/12,345 tokens · \$0\.0412 so far$/);
  expect(used(20_000, 0.5)).toMatch(/20,000 tokens · \$0\.54 so far$/);
});

test("on a narrow terminal the tool call gives way, then the label, not time, attempt and cost", () => {
  const at = place("2", { label: "mmm-implement-spec", kind: "claude" });
  const status = (columns: number): string | undefined => {
    const pretty = rig({ kind: "pretty", columns });
    play(
      attempt(place("1", { kind: "claude" }), { number: 1, most: 1 }),
      pretty.reporter,
      pretty.clock,
    );
    pretty.reporter.event(finished(place("1")));
    play(attempt(at, { number: 2, most: 3 }).slice(0, 2), pretty.reporter, pretty.clock);
    const activity = { type: "tool", name: "Edit", detail: "src/a.ts" } as const;
    pretty.reporter.live({ type: "activity", at, activity });
    pretty.clock.advance(5000);
    return screenOf(columns, pretty).split("\n").at(-1)?.slice(2);
  };

  expect(status(76)).toBe(
    "2/4 mmm-implement-spec · 5s · attempt 2/3 · $0.0412 so far · Edit src/…",
  );
  expect(status(62)).toBe("2/4 mmm-implement-sp… · 5s · attempt 2/3 · $0.0412 so far");
  expect(status(22)).toBe("2/4 mmm-imp… · 5…");
});

test("problems on the other stream never share a row with the live line", () => {
  const pretty = rig({ kind: "pretty", columns: 60 });

  play(
    [{ event: { type: "step-started", at: place("1") } }, { waitMs: 500 }],
    pretty.reporter,
    pretty.clock,
  );
  pretty.reporter.event({ type: "note", severity: "warning", message: "look out" });
  pretty.clock.advance(500);

  expect(screenOf(60, pretty).split("\n")).toEqual([
    "📋 Step 1/4: npm test",
    "⚠️  look out",
    "⠋ 1/4 npm test · 1s",
  ]);
});

test("a terminal that became narrower is cleaned up: the row the live line now wraps to as well", () => {
  const terminal = { columns: 100, isTTY: true };
  let text = "";
  const out = {
    get columns() {
      return terminal.columns;
    },
    rows: null,
    isTTY: true,
    write: (more: string) => {
      text += more;
    },
  };
  const { reporter, clock } = rig({ kind: "pretty", out, err: out });
  const at = place("1", { kind: "claude", label: "mmm-code-review" });
  reporter.event({ type: "step-started", at });
  const detail = "src/a/long/path/to/some/file.ts";
  reporter.live({ type: "activity", at, activity: { type: "tool", name: "Edit", detail } });
  clock.advance(200);
  const screen = new Screen(40);
  // As terminals do: what stands there is laid out again at the new width.
  screen.write(`${text.split("\n", 1)[0] ?? ""}\n`);
  screen.write(text.slice(text.lastIndexOf("\r")));
  text = "";

  terminal.columns = 40;
  clock.advance(1000);
  reporter.close();
  screen.write(text);

  expect(screen.text()).toBe("📋 Step 1/4: mmm-code-review");
});

test("-v shows output above the live line, line by line", () => {
  const pretty = rig({ kind: "pretty", columns: 60, verbosity: 1 });
  const at = place("1");

  pretty.reporter.event({ type: "step-started", at });
  pretty.reporter.live({ type: "output", at, text: "one\ntwo\nthr" });
  pretty.clock.advance(1000);

  expect(screenOf(60, pretty).split("\n")).toEqual([
    "📋 Step 1/4: npm test",
    "   │ one",
    "   │ two",
    "⠋ 1/4 npm test · 1s",
  ]);
});

test("closing takes the live line away and ends the timer, more than once too", () => {
  const pretty = rig({ kind: "pretty", columns: 60 });
  pretty.reporter.event({ type: "step-started", at: place("1") });
  pretty.clock.advance(500);

  pretty.reporter.close();
  pretty.reporter.close();
  const written = pretty.both.text;
  pretty.clock.advance(5000);

  expect(pretty.both.text).toBe(written);
  expect(pretty.clock.timers).toBe(0);
  expect(screenOf(60, pretty)).toBe("📋 Step 1/4: npm test");
});

test("without a terminal pretty does not move", () => {
  const pretty = rig({ kind: "pretty" });

  play(demoRun(), pretty.reporter, pretty.clock);

  expect(pretty.both.text).not.toMatch(/[\r\u001b]/);
});

test("10 000 live events between two frames are drawn at most once", () => {
  const pretty = rig({ kind: "pretty", columns: 60 });
  const at = place("1", { kind: "claude" });
  pretty.reporter.event({ type: "step-started", at });
  const before = pretty.out.writes.length;

  for (let n = 0; n < 10_000; n += 1) {
    const activity = { type: "tool", name: "Read", detail: `file ${n}` } as const;
    pretty.reporter.live({ type: "activity", at, activity });
    pretty.reporter.live({ type: "output", at, text: "noise\n" });
  }
  pretty.clock.advance(100);

  expect(pretty.out.writes.length - before).toBe(1);
  expect(screenOf(60, pretty)).toContain("Read file 9999");
});

test("-q on a terminal has no live line", () => {
  const pretty = rig({ kind: "pretty", columns: 60, verbosity: -1 });

  play(demoRun(), pretty.reporter, pretty.clock);

  expect(pretty.both.text).toContain(
    `finished early: No more issues found (2/${SESSION_FINISHED.maxIterations} iterations`,
  );
  expect(pretty.both.text).not.toMatch(/[\r\u001b]/);
});

test("at 60 columns the lines of a step stay one line each, and their facts stay", () => {
  const pretty = rig({ kind: "pretty", columns: 60 });
  const label = "npm run build -- --with a-very-long-option --and another-one-of-them";
  const at = place("1", { label });
  const subject = "build: the bundle, and everything else that is made from the sources";

  play(
    [
      { event: { type: "step-started", at } },
      ...attempt(at, { number: 2, most: 3 }),
      { event: { type: "commit-made", at, commit: { sha: "1234567", subject }, by: "mmm" } },
      { event: finished(at, { attempts: 2 }) },
    ],
    pretty.reporter,
    pretty.clock,
  );
  pretty.reporter.close();

  const lines = screenOf(60, pretty).trimEnd().split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/^📋 Step 1\/4: npm run build .*…$/),
    expect.stringMatching(/^⚙️ {2}Running: npm run build .*… \(attempt 2\/3\)$/),
    expect.stringMatching(/^ {3}📦 build: the bundle.*…$/),
    expect.stringMatching(/^✅ npm run build .*… completed \(4s, 2 attempts\)$/),
  ]);
});

test("without a tool call the live line has room for the whole label", () => {
  const pretty = rig({ kind: "pretty", columns: 200 });
  const at = place("1", { label: "x".repeat(80) });

  pretty.reporter.event({ type: "step-started", at });
  pretty.clock.advance(1000);

  expect(liveLines(pretty.out.writes).at(-1)).toContain(` ${at.label} ·`);
});
