import { expect, test } from "vitest";

import { asNumber, asObject, asString, type JsonObject } from "../../src/lib/json.ts";
import { demoRun, finished, play } from "../support/scripted-run.ts";
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

/** Whose event it is, from docs/events.md alone; `null`: the session's own. */
function ownerOf(event: JsonObject): number | null {
  const at = asObject(event["at"]);
  if (at !== null) return asNumber(at["input"]);
  return asNumber(event["input"]) ?? asNumber(asObject(event["input"])?.["index"]);
}

test("events of several inputs at once can be told apart by what docs/events.md says (spec 8.4, 10)", () => {
  const { reporter, clock, out } = rig({ kind: "json", verbosity: 1 });
  const [one, two] = [inputOf(1, 2), inputOf(2, 2)];
  const [first, second] = [placeOf(one), placeOf(two)];

  play(
    [
      { event: parallelStarted(2, 2) },
      ...opened(one),
      ...opened(two),
      ...stepBegins(second),
      ...stepBegins(first),
      { live: { type: "output", at: second, text: "of two" } },
      { live: { type: "output", at: first, text: "of one" } },
      ...stepEnds(first),
      { event: { type: "note", severity: "info", message: "of all" } },
      iterationEnds(one),
      { event: finished(second, { conclusion: "failed" }) },
      ...merged(one),
      ...kept(two),
    ],
    reporter,
    clock,
  );

  const strands = new Map<number | null, (string | null)[]>();
  for (const line of out.text.trimEnd().split("\n")) {
    const event = asObject(JSON.parse(line)) ?? {};
    const strand = strands.get(ownerOf(event)) ?? [];
    strands.set(ownerOf(event), [...strand, asString(event["type"])]);
  }
  const started = ["input-started", "input-opened", "iteration-started", "step-started"];
  const run = ["attempt-started", "process-started", "output"];
  const ended = ["attempt-finished", "step-finished", "iteration-finished"];
  const home = ["input-merging", "input-merged", "input-finished"];
  expect(Object.fromEntries(strands)).toEqual({
    null: ["session-started", "note"],
    1: [...started, ...run, ...ended, ...home],
    2: [...started, ...run, "step-finished", "input-kept", "input-finished"],
  });
});
