import { expect, test } from "vitest";

import { demoRun, play } from "../support/scripted-run.ts";
import { rig } from "./rig.ts";

test("each event is one line of JSON with its version, and nothing else is printed (spec 10)", () => {
  const { reporter, clock, out, err } = rig({ kind: "json" });

  play(demoRun(), reporter, clock);
  clock.advance(100_000);
  reporter.close();

  const events = demoRun().flatMap((entry) => ("event" in entry ? [{ v: 1, ...entry.event }] : []));
  expect(
    out.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(events);
  expect(out.text.endsWith("\n")).toBe(true);
  expect(err.text).toBe("");
});

test.each([
  [-1, 0],
  [0, 0],
  [1, 6],
  [2, 6],
] as const)("F11: at verbosity %d there are %d live events among them", (verbosity, count) => {
  const { reporter, clock, out } = rig({ kind: "json", verbosity });

  play(demoRun(), reporter, clock);

  const lines = out.text.trimEnd().split("\n");
  const types = lines.map((line) => JSON.parse(line).type);
  expect(types.filter((type) => type === "output" || type === "activity")).toHaveLength(count);
});

test("hostile text is escaped and comes back as it was", () => {
  const message = '\u001b[2J\u009b1A\u007f\u2028\n"quote" 📋';
  const { reporter, out } = rig({ kind: "json" });

  reporter.event({ type: "note", severity: "info", message });

  expect(out.text).toMatch(/^[\u0020-\u007e📋]+\n$/u);
  expect(JSON.parse(out.text).message).toBe(message);
});
