import { expect, test } from "vitest";

import type { LiveEvent } from "../../src/engine/events.ts";
import { failureOf, finished, play } from "../support/scripted-run.ts";
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
import { rig } from "./rig.ts";

const [TWO, TEN] = [inputOf(2, 12), inputOf(10, 12)];
const [AT_TWO, AT_TEN] = [placeOf(TWO), placeOf(TEN, "3", { label: "npm run lint" })];

function output(at: typeof AT_TWO, text: string): { readonly live: LiveEvent } {
  return { live: { type: "output", at, text } };
}

test.each([0, 2] as const)(
  "at verbosity %d each line of an input begins with its number, and no line of the session does (8.4)",
  (verbosity) => {
    const { reporter, clock, out, err } = rig({ verbosity });
    reporter.event(parallelStarted(12, 2));
    const head = out.text.length;

    play(
      [
        ...opened(TWO),
        ...opened(TEN),
        ...stepBegins(AT_TWO),
        ...stepBegins(AT_TEN),
        ...stepEnds(AT_TWO),
        { event: finished(AT_TEN, { conclusion: "failed", failure: failureOf() }) },
        iterationEnds(TWO),
        ...merged(TWO),
        ...kept(TEN),
      ],
      reporter,
      clock,
    );

    const lines = [...out.text.slice(head).split("\n"), ...err.text.split("\n")].filter(
      (line) => line !== "",
    );
    expect(lines.filter((line) => !/^\[(?: 2|10)\] ./.test(line))).toEqual([]);
    expect(lines).toContain("[ 2] ✅ npm test completed (4s)");
    expect(lines).toContain("[10] ❌ Step 3/4 failed: npm run lint");
    expect(lines.filter((line) => line.includes("exit code 1")).length).toBeGreaterThan(0);
    expect(out.text.slice(0, head)).not.toContain("[");
    reporter.event({ type: "note", severity: "warning", message: "of all" });
    expect(err.text.split("\n").at(-2)).toBe("⚠️  of all");
    reporter.event({ type: "note", severity: "warning", message: "of two", input: 2 });
    expect(err.text.split("\n").at(-2)).toBe("[ 2] ⚠️  of two");
  },
);

test("a line that a child has begun is not torn by another one, and what is said of its own step ends it", () => {
  const { reporter, clock, out } = rig({ verbosity: 1 });
  play([{ event: parallelStarted(12, 2) }, ...opened(TWO), ...opened(TEN)], reporter, clock);
  play([...stepBegins(AT_TWO), ...stepBegins(AT_TEN)], reporter, clock);
  const before = out.text.length;

  play(
    [
      output(AT_TWO, "one of two\nsec"),
      output(AT_TEN, "one of ten\nsecond of "),
      { live: { type: "activity", at: AT_TEN, activity: { type: "text", text: "hello" } } },
      { event: { type: "note", severity: "warning", message: "of all" } },
      ...stepEnds(AT_TEN),
      output(AT_TWO, "ond of two\nthi"),
      ...stepEnds(AT_TWO),
    ],
    reporter,
    clock,
  );

  const told = out.text.slice(before).split("\n");
  expect(told.filter((line) => line.includes("│"))).toEqual(
    [
      "[ 2]    │ one of two",
      "[10]    │ one of ten",
      "[10]    │ hello",
      "[10]    │ second of ",
      "[ 2]    │ second of two",
      "[ 2]    │ thi",
    ].map((line) => line.trimEnd()),
  );
});

test("a begun line is shown at the end even when nobody ends it", () => {
  const { reporter, clock, out } = rig({ verbosity: 1 });
  play([{ event: parallelStarted(12, 2) }, ...opened(TWO), ...stepBegins(AT_TWO)], reporter, clock);

  play([output(AT_TWO, "begun")], reporter, clock);
  reporter.close();

  expect(out.text).toMatch(/\n\[ 2\] {4}│ begun\n$/);
});

test("each 30 s of silence one line names some of what is at work (spec 10)", () => {
  const { reporter, clock, out } = rig();
  const inputs = [1, 2, 3, 4, 5].map((index) => inputOf(index, 12));
  play([{ event: parallelStarted(12, 5) }], reporter, clock);
  for (const input of inputs) play(opened(input), reporter, clock);
  for (const input of inputs.slice(0, 3)) play(stepBegins(placeOf(input)), reporter, clock);
  const [one = TWO, two = TWO] = inputs;
  play([...stepEnds(placeOf(one)), iterationEnds(one)], reporter, clock);
  play(merged(two).slice(0, 1), reporter, clock);
  const before = out.text.length;

  clock.advance(29_000);
  expect(out.text.length).toBe(before);
  clock.advance(31_000);

  expect(out.text.slice(before).split("\n")).toEqual([
    "⏳ 0/12 inputs done, still at work: [1] waiting for its turn to merge, [2] merging into mmm-demo-1, [3] 1/4 npm test (30s) and 2 more",
    "⏳ 0/12 inputs done, still at work: [1] waiting for its turn to merge, [2] merging into mmm-demo-1, [3] 1/4 npm test (1m) and 2 more",
    "",
  ]);
});

test("inputs that all wait for a usage limit say so each 5 minutes; one at work is enough for 30 s (6.5)", () => {
  const until = "2026-11-22T03:00:00Z";
  const quiet = rig();
  const wait = (at: typeof AT_TWO) =>
    ({
      event: { type: "wait-started", at, until, resetsAt: null, durationMs: 1 },
    }) as const;
  const start = [
    { event: parallelStarted(12, 2) },
    ...opened(TWO),
    ...opened(TEN),
    ...stepBegins(AT_TWO),
    ...stepBegins(AT_TEN),
    wait(AT_TWO),
  ];
  play([...start, wait(AT_TEN)], quiet.reporter, quiet.clock);
  const busy = rig();
  play(start, busy.reporter, busy.clock);

  quiet.clock.advance(310_000);
  busy.clock.advance(310_000);

  const beats = ({ text }: { readonly text: string }): readonly string[] =>
    text.split("\n").filter((line) => line.includes("still at work"));
  expect(beats(quiet.out)).toEqual([
    "⏳ 0/12 inputs done, still at work: [2] 1/4 npm test (waits for the usage limit), [10] 3/4 npm run lint (waits for the usage limit)",
  ]);
  expect(beats(busy.out).length).toBe(10);
});

test("after the end, and before the first input, there is no sign of life", () => {
  const { reporter, clock, both } = rig();
  play([{ event: parallelStarted(12, 2) }], reporter, clock);
  const said = both.text;

  clock.advance(100_000);

  expect(both.text).toBe(said);
});
