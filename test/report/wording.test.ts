import { expect, test } from "vitest";

import type { Event } from "../../src/engine/events.ts";
import type { Verbosity } from "../../src/report/line.ts";
import { attempt, finished, place, play, SESSION_STARTED } from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

function said(event: Event, verbosity: Verbosity = 0): string {
  const { reporter, both } = rig({ verbosity });
  reporter.event(event);
  reporter.close();
  return both.text;
}

test.each([
  [{ boundFrom: "default" }, "max 10 iterations, default"],
  [{ boundFrom: "option", maxIterations: 1 }, "max 1 iteration, from --max-iterations"],
  [{ boundFrom: "playbook", maxIterations: 2 }, "max 2 iterations, from the playbook"],
  [{ inputs: 3 }, "max 10 iterations for each of 3 inputs, default"],
] as const)("the first line says the bound: %j (spec 1)", (over, bound) => {
  expect(said({ ...SESSION_STARTED, ...over }).split("\n")[0]).toBe(
    `🔍 Starting improvement loop... (${bound})`,
  );
});

test("a playbook without a description goes by its name; a replay and missing commits are said", () => {
  const text = said({ ...SESSION_STARTED, description: null, replay: "demo.jsonl", commit: "off" });

  expect(text.split("\n").slice(1)).toEqual([
    "📋 Workflow: demo",
    "📝 Starting workflow with 4 commands",
    "📼 Claude is replayed from demo.jsonl: no model is called, nothing is paid",
    "ℹ️  Commits are off: changes stay in the working tree",
    "",
  ]);
});

test("a single iteration is not counted aloud", () => {
  expect(said({ type: "iteration-started", iteration: 1, maxIterations: 1, input: null })).toBe("");
  expect(
    said({ type: "iteration-started", iteration: 1, maxIterations: 10, input: null }).trim(),
  ).toBe("🔄 Iteration 1/10...");
});

test.each([
  ["mmm-code-review", "🤖"],
  ["mmm-implement-spec", "🔧"],
  ["mmm-fix-test", "🔧"],
  ["mmm-debug-test-failure", "🔧"],
  ["mmm-lint", "🧹"],
  ["mmm-prefix-splinter", "🤖"],
])("/%s runs with %s (spec 10)", (label, symbol) => {
  const { reporter, clock, out } = rig();

  play(attempt(place("1", { label, kind: "claude" }), { number: 1, most: 1 }), reporter, clock);

  expect(out.text).toBe(`${symbol} Running /${label}...\n`);
});

test("a prompt and a script of many lines go by their first, with one sign that it goes on", () => {
  const claude = place("1", { label: "tidy up", kind: "claude" });
  const shell = place("2", { label: "build" });
  const start = { type: "attempt-started", attempt: 1, maxAttempts: 1, log: null } as const;

  expect(said({ ...start, at: claude, rendered: "Look at the code\nand tidy it" })).toBe(
    "🤖 Running Look at the code …\n",
  );
  expect(said({ ...start, at: claude, rendered: "Look at the code" })).toBe(
    "🤖 Running Look at the code...\n",
  );
  expect(said({ ...start, at: shell, rendered: `${"x".repeat(300)}\nmore` })).toBe(
    `⚙️  Running: ${"x".repeat(199)}…\n`,
  );
  expect(said({ ...start, at: shell, rendered: "\nnpm ci\nnpm run build" })).toBe(
    "⚙️  Running: npm ci …\n",
  );
});

test("a label with line breaks and wide signs stays one line", () => {
  const at = place("1", { label: "漢字 📋\nsecond \u001b[31mline" });

  expect(said({ type: "step-started", at })).toBe("📋 Step 1/4: 漢字 📋 …\n");
});

test("notes: a warning is a problem, an info is for -vv", () => {
  const warning = {
    type: "note",
    severity: "warning",
    message: "claude is old\nupdate it",
  } as const;
  const info = { type: "note", severity: "info", message: "using claude 2.1" } as const;

  expect(said(warning, -1)).toBe("⚠️  claude is old\n   update it\n");
  expect(said(info, 1)).toBe("");
  expect(said(info, 2)).toBe("ℹ️  using claude 2.1\n");
});

test("inputs are announced by file or value, and told when they fail", () => {
  const input = { arg: "65", file: "specs/65-cook.md", index: 1, total: 2 };

  expect(said({ type: "input-started", input }).trim()).toBe("📥 Input 1/2: specs/65-cook.md");
  expect(said({ type: "input-started", input: { ...input, file: null } }).trim()).toBe(
    "📥 Input 1/2: 65",
  );
  const end = {
    type: "input-finished",
    input,
    stop: "iterations-done",
    message: null,
    durationMs: 1000,
  } as const;
  expect(said({ ...end, ok: true })).toBe("✅ Input 1/2: specs/65-cook.md completed (1s)\n");
  expect(said({ ...end, ok: false }, -1)).toBe("❌ Input 1/2: specs/65-cook.md failed (1s)\n");
});

test("a rollback names where the undone work is kept, under -q too", () => {
  const at = place("3");

  expect(said({ type: "rolled-back", at, head: "abcdef0123", kept: "refs/mmm/failed/s" }, -1)).toBe(
    "⏪ Rolled back to abcdef0, what was undone is kept in refs/mmm/failed/s\n",
  );
  expect(said({ type: "rolled-back", at, head: "abcdef0123", kept: null }, -1)).toBe(
    "⏪ Rolled back to abcdef0\n",
  );
});

test("a skipped step says why", () => {
  expect(said(finished(place("2"), { conclusion: "skipped", why: "condition is false" }))).toBe(
    "⏩ Step 2/4 skipped: condition is false\n",
  );
  expect(said(finished(place("2.on_failure.1", { depth: 1 }), { conclusion: "skipped" }))).toBe(
    "   ⏩ npm test skipped\n",
  );
});

test("an analysis has words of its own", () => {
  const at = place("1", { kind: "analyze", label: "analyze" });
  const { reporter, clock, out } = rig();

  play(attempt(at, { number: 1, most: 1 }), reporter, clock);

  expect(out.text).toBe("🔬 Analyzing the project...\n");
});

test("retries of Claude's service are told at the default verbosity, not under -q", () => {
  const retry = { type: "retry", message: "overloaded, again in 2s" } as const;
  const shownAt = (verbosity: Verbosity): string => {
    const { reporter, both } = rig({ verbosity });
    reporter.live({ type: "activity", at: place("1", { kind: "claude" }), activity: retry });
    return both.text;
  };

  expect(shownAt(0)).toBe("   │ 🔁 overloaded, again in 2s\n");
  expect(shownAt(-1)).toBe("");
});

test.each([
  ["a Claude step", place("1", { kind: "claude" })],
  ["a shell step", place("1")],
  ["an analysis", place("1", { kind: "analyze" })],
  ["a handler's step", place("1.on_failure.1", { kind: "claude", depth: 1 })],
  ["a handler's handler", place("1.on_failure.1.on_failure.1", { depth: 2 })],
])("F11: one rule for what %s shows live: nothing below -v, all from there on", (_site, at) => {
  const indent = "   ".repeat(at.depth + 1);
  const shownAt = (verbosity: Verbosity): string => {
    const { reporter, both } = rig({ verbosity });
    reporter.live({ type: "output", at, text: '{"type":"assistant"}\n' });
    reporter.live({ type: "activity", at, activity: { type: "text", text: "hello" } });
    reporter.live({ type: "activity", at, activity: { type: "tool", name: "Bash", detail: "ls" } });
    return both.text;
  };

  const all = `${indent}│ {"type":"assistant"}\n${indent}│ hello\n${indent}│ ▸ Bash ls\n`;
  expect(([-1, 0, 1, 2] as const).map((verbosity) => shownAt(verbosity))).toEqual([
    "",
    "",
    all,
    all,
  ]);
});

test("colour goes by meaning and only when there is any", () => {
  const event = finished(place("2"));
  const { reporter, out } = rig({ color: 1 });

  reporter.event(event);

  expect(out.text).toBe("\u001b[32m✅ npm test completed (4s)\u001b[39m\n");
  expect(said(event)).toBe("✅ npm test completed (4s)\n");
});
