/** Ctrl-C while a resumed session still goes through its past (spec 7): it stops where that ends. */
import { expect, test } from "vitest";
import { FakeWorld, play } from "../support/fake-ports.ts";

const PLAYBOOK = `
- claude: "/a"
- shell: "exit 1"
  on_failure: {do: [{shell: "write fixed.txt 1"}], max_attempts: 2, fail_workflow: false}
- shell: "write b.txt 2"
  continue_on_error: true
`;
const OPTIONS = {
  iterations: 2,
  claude: { "/a": ["trouble overloaded transient", "write a.txt 1", "print done"] },
};

/** Ctrl-C when the clock is looked at for the `nth` time: at the start of the run, and of each iteration and step. */
function stoppedAt(nth: number): FakeWorld {
  const world = new FakeWorld(OPTIONS);
  const ports = world.ports();
  let looks = 0;
  const monotonicMs = (): number => {
    looks += 1;
    if (looks === nth) world.abort.abort();
    return ports.clock.monotonicMs();
  };
  world.ports = () => ({ ...ports, clock: { ...ports.clock, monotonicMs } });
  return world;
}

test("nothing takes another turn than it took, whenever it comes and wherever the past ends", async () => {
  const { records } = await play(PLAYBOOK, OPTIONS);
  const main = records.get("main") ?? [];
  const session = records.get("session") ?? [];
  const started = session.findIndex(
    (each) => each.type === "event" && each.event.type === "session-started",
  );

  for (let kept = 0; kept < main.length; kept += 1)
    for (const nth of [1, 3]) {
      const world = stoppedAt(nth);
      const past = new Map([
        ["session", session.slice(0, started + 1)],
        ["main", main.slice(0, kept)],
      ]);
      // Rejects when what it does is not what the past says.
      const { outcome, of } = await play(PLAYBOOK, { ...OPTIONS, world, past });

      expect([kept, outcome.status]).toEqual([kept, "interrupted"]);
      expect(world.prompts).toEqual([]);
      expect(of("rolled-back")).toEqual([]);
    }
});
