/** Iterations of the past are counted, and gone through again only where that leaves something (spec 7). */
import { describe, expect, test } from "vitest";
import type { PastRecord } from "../../src/engine/lane.ts";
import { FakeWorld, play, type PlayOptions } from "../support/fake-ports.ts";

const PLAYBOOK = `
- shell: "write \${ITERATION}.txt 1"
- shell: "exit 1"
  continue_on_error: true
`;

interface Killed {
  readonly past: ReadonlyMap<string, readonly PastRecord[]>;
  readonly calm: Awaited<ReturnType<typeof play>>;
}

/** Killed in front of the last step of the lane; the first iteration has not said what the world did. */
async function killed(options: PlayOptions, lane = "main", yaml = PLAYBOOK): Promise<Killed> {
  const calm = await play(yaml, options);
  const of = (name: string): readonly PastRecord[] => calm.records.get(name) ?? [];
  const last = of(lane).findLastIndex(
    (each) => each.type === "event" && each.event.type === "step-started",
  );
  const session = of("session").findIndex(
    (each) => each.type === "event" && each.event.type === "session-started",
  );
  const lanes = [...calm.records.keys()].filter((name) => name !== "session" && name !== lane);
  const past = new Map([
    ["session", of("session").slice(0, session + 1)],
    ...lanes.map((name) => [name, of(name)] as const),
    [lane, of(lane).slice(0, last)],
  ]);
  return { calm, past };
}

/** With another call in the place of the first answer of that name. */
function changed(past: Killed["past"], lane: string, call: string): Killed["past"] {
  const records = [...(past.get(lane) ?? [])];
  const at = records.findIndex((each) => each.type === "answer" && each.call === call);
  const record = records[at];
  if (record?.type !== "answer") throw new Error(`${lane} has no ${call}`);
  records[at] = { ...record, call: "unheard-of" };
  return new Map([...past, [lane, records]]);
}

/** As it was left. */
async function resumed(
  options: PlayOptions,
  past: Killed["past"],
  world: FakeWorld,
  yaml = PLAYBOOK,
): Promise<Awaited<ReturnType<typeof play>>> {
  return play(yaml, { ...options, world, past });
}

describe("an iteration that is followed by another one", () => {
  const options = { iterations: 3 };

  test("is not gone through again, and counts", async () => {
    const { calm, past } = await killed(options);

    const again = await resumed(options, changed(past, "main", "shell"), new FakeWorld());

    expect(again.outcome).toEqual(calm.outcome);
    const { iterations, steps } = calm.finished.totals;
    expect(again.finished.totals).toMatchObject({ iterations, steps });
    expect(again.finished.toleratedFailures).toHaveLength(3);
  });

  test("the units after it are numbered as ever", async () => {
    const { calm, past } = await killed(options);

    const again = await resumed(options, past, new FakeWorld());

    const logs = (events: typeof calm.events): readonly (string | null)[] =>
      events.flatMap((event) => (event.type === "attempt-started" ? [event.log] : []));
    expect(logs(again.events)).toEqual([`${logs(calm.events).at(-1)}-r2`]);
  });

  test("the last one of the past is gone through", async () => {
    const { past } = await killed({ iterations: 1 });

    const again = resumed(options, changed(past, "main", "shell"), new FakeWorld());

    await expect(again).rejects.toThrow(/the journal of this session does not fit/);
  });

  test("of a journal that does not say how many units it had is gone through", async () => {
    const { past } = await killed(options);
    const records: readonly PastRecord[] = (past.get("main") ?? []).map((record) =>
      record.type === "event" ? { type: record.type, event: record.event, segment: 1 } : record,
    );

    const again = resumed(
      options,
      changed(new Map([...past, ["main", records]]), "main", "shell"),
      new FakeWorld(),
    );

    await expect(again).rejects.toThrow(/does not fit/);
  });

  test("with a commit is gone through where files of the user's are left alone", async () => {
    const { past } = await killed(options);
    const bent = changed(past, "main", "shell");
    const world = new FakeWorld();
    const ports = world.ports();
    world.ports = () => ({ ...ports, tree: { ...ports.tree, hasProtected: true } });

    await expect(resumed(options, bent, world)).rejects.toThrow(/does not fit/);
  });

  test("with Claude is gone through where a recording has to hear of it", async () => {
    const yaml = `${PLAYBOOK}- {claude: "/do", commit_required: false}\n`;
    const { past } = await killed(options, "main", yaml);
    const bent = changed(past, "main", "shell");
    const world = new FakeWorld();
    const ports = world.ports();
    const recalled = async (): Promise<void> => Promise.resolve();
    world.ports = () => ({ ...ports, claude: { ...ports.claude, recalled } });

    await expect(resumed(options, bent, world, yaml)).rejects.toThrow(/does not fit/);
    const calm = await resumed(options, bent, new FakeWorld(), yaml);
    expect(calm.outcome.status).toBe("completed");
  });
});

describe("an input", () => {
  const yaml = '- shell: "write ${ARG}.txt 1"\n- shell: "write ${ARG}-end.txt 1"\n';
  const options = { iterations: 1, args: ["a", "b", "c"] };

  test("that has finished well is not gone through again, and counts", async () => {
    const { calm, past } = await killed(options, "input-3", yaml);

    const again = await resumed(options, changed(past, "input-2", "shell"), new FakeWorld(), yaml);

    expect(again.finished.totals.steps).toBe(calm.finished.totals.steps);
    expect(again.outcome).toMatchObject({ stop: "iterations-done" });
  });
});
