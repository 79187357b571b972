import { expect, test } from "vitest";

import { demoRun, play } from "../support/scripted-run.ts";
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
