/** A call of Claude that nobody lived to account for (spec 6.4, 6.5): its cost is said to be unknown. */
import { existsSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Kitchen, openKitchen } from "../support/kitchen.ts";

let kitchen: Kitchen | null = null;

afterEach(async () => {
  await kitchen?.dispose();
  kitchen = null;
});

/** The second step is killed at work, and costs 0.5 when it is run again. */
async function killed(signal: NodeJS.Signals, playbook: string): Promise<Kitchen> {
  kitchen = await openKitchen([
    { prompt: "first", cost: 0.25 },
    {
      prompt: "second",
      do: [{ init: {} }, { touch: "../started" }, { waitFor: "/nowhere/at/all" }],
    },
    { times: "always", cost: 0.5 },
  ]);
  const { repo, cook } = kitchen;
  await cook(playbook, ["-n", "1"], {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (!existsSync(path.join(repo.root, "../started"))) return;
        clearInterval(timer);
        child.kill(signal);
      }, 10);
    },
  });
  return kitchen;
}

const TWO = '[{claude: "first"}, {claude: "second"}]';

describe("after resume the summary says that a call was cut short", () => {
  test.each(["SIGKILL", "SIGINT"] as const)("%s", async (signal) => {
    const { mmm } = await killed(signal, TWO);

    const resumed = await mmm(["resume"]);

    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain("Cost: $0.75, 1 call cut short at unknown cost\n");
  });
});

test("a gate that was killed at a Claude step is no call of Claude", async () => {
  kitchen = await openKitchen([{ times: "always", cost: 0.25 }]);
  const { repo, cook, mmm } = kitchen;
  const playbook = `
gates: {slow: {shell: "test -f ../go || { touch ../started; sleep 600; }"}}
steps: [{claude: "first", validation: [slow]}]
`;
  await cook(playbook, ["-n", "1"], {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (!existsSync(path.join(repo.root, "../started"))) return;
        clearInterval(timer);
        child.kill("SIGKILL");
      }, 10);
    },
  });
  await repo.write("../go", "");

  const resumed = await mmm(["resume"]);

  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toContain("Cost: $0.25\n");
});
