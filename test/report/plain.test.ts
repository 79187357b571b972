import { expect, test } from "vitest";

import { demoRun, failureOf, finished, place, play } from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

test.each([-1, 0, 1, 2] as const)(
  "F11: at verbosity %d a run shows what that verbosity promises, the same for every call (spec 6.4)",
  async (verbosity) => {
    const { reporter, clock, both } = rig({ verbosity });

    play(demoRun(), reporter, clock);
    reporter.close();

    await expect(both.text).toMatchFileSnapshot(`golden/plain.${verbosity}.txt`);
  },
);

test("without emoji every sign is ASCII (--no-emoji)", async () => {
  const { reporter, clock, both } = rig({ emoji: false, verbosity: 2 });

  play(demoRun(), reporter, clock);
  reporter.close();

  expect(both.text).toMatch(/^[\n\u0020-\u007e]+$/);
  await expect(both.text).toMatchFileSnapshot("golden/plain.no-emoji.txt");
});

test("each 30 s of silence get one sign of life, and words put it off (spec 10)", () => {
  const { reporter, clock, out } = rig();
  const at = place("3");
  reporter.event({ type: "step-started", at });

  clock.advance(29_000);
  reporter.event({ type: "note", severity: "warning", message: "a word" });
  clock.advance(29_000);
  expect(out.text).not.toContain("still running");
  clock.advance(32_000);

  const beats = out.text.split("\n").filter((line) => line.includes("still running"));
  expect(beats).toEqual([
    "⏳ Step 3/4: npm test still running (59s)",
    "⏳ Step 3/4: npm test still running (1m 29s)",
  ]);
});

test("no sign of life between steps, after the end, or under -q", () => {
  const idle = rig();
  play(demoRun(), idle.reporter, idle.clock);
  const said = idle.out.text;
  idle.clock.advance(100_000);
  const quiet = rig({ verbosity: -1 });
  quiet.reporter.event({ type: "step-started", at: place("3") });
  quiet.clock.advance(100_000);

  expect(idle.out.text).toBe(said);
  expect(quiet.both.text).toBe("");
});

test("problems go to standard error, all else to standard output", () => {
  const { reporter, out, err } = rig();
  const at = place("3");

  reporter.event({ type: "step-started", at });
  reporter.event(finished(at, { conclusion: "failed", failure: failureOf() }));

  expect(out.text).toBe("📋 Step 3/4: npm test\n");
  expect(err.text).toMatch(/^❌ Step 3\/4 failed: npm test\n/);
});
