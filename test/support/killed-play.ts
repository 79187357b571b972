/** A session in memory that is killed around a line of its journal, and goes on in the same world. */
import { NO_PAST, type Recorder } from "../../src/engine/lane.ts";
import { runSession, type SessionOutcome } from "../../src/engine/session.ts";
import { NOTHING_SPENT } from "../../src/engine/totals.ts";
import type { JournalLine, JournalRecord } from "../../src/session/journal-line.ts";
import { reuse, type Reuse } from "../../src/session/past.ts";
import { type Story, StoryReader } from "../../src/session/story.ts";
import { FakeWorld, type PlayOptions, requestFor } from "./fake-ports.ts";

export interface Kill {
  /** `before`: what the line tells has happened, and nobody knows. */
  readonly when: "before" | "after";
  /** Of the whole journal, from 1. */
  readonly line: number;
}

class Killed extends Error {}

type Prepared = ReturnType<typeof requestFor>;

/** Once for all plays of a playbook. */
export function prepare(yaml: string, options: PlayOptions = {}): Prepared {
  return requestFor(yaml, options, new FakeWorld(options));
}

export class KilledPlay {
  readonly world: FakeWorld;
  readonly lines: JournalLine[] = [];
  readonly #request: Prepared;

  constructor(prepared: Prepared, options: PlayOptions = {}) {
    const world = new FakeWorld(options);
    this.world = world;
    const run = { ...prepared.run, ports: world.ports(), signal: world.abort.signal };
    this.#request = { ...prepared, run };
  }

  #story(): Story {
    const reader = new StoryReader();
    for (const line of this.lines) reader.see(line);
    return reader.story();
  }

  /** `null`: it was killed. */
  async run(kill: Kill | null): Promise<SessionOutcome | null> {
    try {
      const again = this.lines.length === 0 ? null : reuse(this.#story(), null);
      if (again !== null) this.#append(resumed(again), kill);
      return await runSession({
        ...this.#request,
        recorder: this.#recorder(kill),
        past: again?.past ?? NO_PAST,
        spent: again?.spent ?? NOTHING_SPENT,
      });
    } catch (error) {
      if (error instanceof Killed) return null;
      throw error;
    }
  }

  #recorder(kill: Kill | null): Recorder {
    return {
      event: (event, { lane, late, units }) =>
        this.#append(
          {
            ...event,
            ...(lane === null ? {} : { lane }),
            ...(late ? { late: true } : {}),
            ...(units === undefined ? {} : { units }),
          },
          kill,
        ),
      answer: (answer) => this.#append(answer, kill),
      recalled: () => undefined,
      live: () => undefined,
    };
  }

  #append(record: JournalRecord, kill: Kill | null): void {
    const seq = this.lines.length + 1;
    if (kill?.when === "before" && kill.line <= seq) throw new Killed();
    // As it comes back from the disk.
    const time = new Date(this.world.ports().clock.monotonicMs()).toISOString();
    const line = { v: 1, seq, time, ...record };
    this.lines.push(JSON.parse(JSON.stringify(line)) as JournalLine);
    if (kill?.when === "after" && kill.line <= seq) throw new Killed();
  }
}

function resumed(again: Reuse): JournalRecord {
  return {
    type: "session-resumed",
    session: "mmm-pb-1",
    playbook: "pb.yml",
    segment: again.past.segment,
    reused: again.steps,
    inFlight: again.inFlight,
    why: null,
    left: 0,
    inputs: null,
    costUsd: null,
    limits: {
      costUsd: null,
      tokens: null,
      durationMs: null,
      allowUnknownCost: false,
      wait: false,
    },
    kept: again.kept,
    replay: null,
  };
}
