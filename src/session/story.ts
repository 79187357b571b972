/** A journal, read line by line into what a resume may need of it (spec 7). */
import type { Event, StepPlace } from "../engine/events.ts";
import type { InputPlace } from "../engine/input-trees.ts";
import type { PastRecord } from "../engine/lane.ts";
import { ownerOf } from "../engine/owner.ts";
import type { ProcessIdentity } from "../engine/ports.ts";
import type { Spent } from "../engine/totals.ts";
import type { JournalLine } from "./journal-line.ts";
import { isSamePlace } from "./same-place.ts";
import { Spending } from "./spending.ts";
import { type LastPlace, Whereabouts } from "./whereabouts.ts";

/** With its place in the journal, from 0. */
export type Kept = PastRecord & { readonly line: number };

/** A journal, read; nothing is decided yet. */
export interface Story {
  /** What was asked; `null`: the session was killed before it could say so. */
  readonly request: unknown;
  /** ISO 8601; `null`: its journal is empty. */
  readonly beganAt: string | null;
  readonly started: Extract<Event, { type: "session-started" }> | null;
  /** The last end that was told; `null`: it was killed. */
  readonly finished: Extract<Event, { type: "session-finished" }> | null;
  readonly lanes: ReadonlyMap<string, readonly Kept[]>;
  readonly segments: number;
  readonly spent: Spent;
  readonly place: LastPlace | null;
  /** Lanes with a tree of their own (spec 8.4), and where each was left. */
  readonly trees: ReadonlyMap<string, OwnTree>;
  /** Every process that it began. */
  readonly children: readonly ProcessIdentity[];
  /** Latest output called `score` or `health_score`, for the state. */
  readonly outputs: readonly Extract<Event, { type: "output-captured" }>[];
}

export interface OwnTree {
  readonly place: InputPlace;
  readonly last: LastPlace | null;
}

/** Of what is told of a lane, and not part of what is gone through again. */
function laneOf(event: Event): string {
  const input = ownerOf(event);
  return input === null ? "" : `input-${input}`;
}

/** Takes a journal line by line, and keeps what a resume may need. */
export class StoryReader {
  readonly #lanes = new Map<string, Kept[]>();
  readonly #spending = new Spending();
  readonly #place = new Whereabouts();
  readonly #trees = new Map<string, { readonly place: InputPlace; readonly where: Whereabouts }>();
  readonly #children: ProcessIdentity[] = [];
  readonly #outputs: Extract<Event, { type: "output-captured" }>[] = [];
  #started: Story["started"] = null;
  #finished: Story["finished"] = null;
  #segments = 1;
  #request: unknown = null;
  #beganAt: string | null = null;
  /** Of the event before. */
  #at: StepPlace | null = null;

  see(entry: JournalLine): void {
    this.#beganAt ??= entry.time;
    this.#spending.see(entry);
    if (entry.type === "session-resumed") {
      this.#resumed(entry);
      return;
    }
    if (entry.type === "request") {
      this.#request = entry.value;
      return;
    }
    this.#follow(entry);
    if (entry.type === "session-finished") this.#finished = entry;
    const { lane } = entry;
    if (lane === undefined && entry.type !== "answer") this.#spending.aside(entry);
    if (entry.type === "process-started") this.#children.push(entry.process);
    if (lane === undefined || entry.type === "process-started") return;
    if (entry.type !== "answer" && entry.late === true) {
      this.#spending.late(entry);
      return;
    }
    if (entry.type === "session-started") this.#started = entry;
    if (entry.type === "output-captured") this.#outputs.push(entry);
    this.#keep(lane, entry);
  }

  story(): Story {
    return {
      request: this.#request,
      beganAt: this.#beganAt,
      started: this.#started,
      finished: this.#finished,
      lanes: this.#lanes,
      segments: this.#segments,
      spent: this.#spending.spent(),
      place: this.#place.last(),
      trees: new Map(
        [...this.#trees].map(([lane, { place, where }]) => [lane, { place, last: where.last() }]),
      ),
      children: this.#children,
      outputs: this.#outputs,
    };
  }

  #resumed({ segment, kept }: Extract<JournalLine, { type: "session-resumed" }>): void {
    this.#finished = null;
    this.#segments = segment;
    this.#spending.pause();
    for (const [name, records] of this.#lanes) {
      const stay = kept[name] ?? 0;
      this.#spending.drop(name, records.splice(stay));
      if (stay === 0) this.#trees.delete(name);
    }
  }

  /** In the tree that the entry is about. */
  #follow(entry: Exclude<JournalLine, { type: "request" | "session-resumed" }>): void {
    const { lane } = entry;
    if (entry.type === "answer" && entry.call === "place" && entry.value !== null)
      // What was journalled under this name is one.
      this.#trees.set(entry.lane, { place: entry.value as InputPlace, where: new Whereabouts() });
    else if (entry.type === "answer" && entry.call === "land") {
      if (typeof entry.value === "string") this.#place.moved(entry.value);
    } else {
      const own = this.#trees.get(entry.type === "answer" ? entry.lane : (lane ?? laneOf(entry)));
      (own?.where ?? this.#place).see(entry);
    }
  }

  /** Most events stand where the one before did: a long journal needs that place once. */
  #share(event: { at: StepPlace }): void {
    if (this.#at !== null && isSamePlace(this.#at, event.at)) event.at = this.#at;
    else this.#at = event.at;
  }

  #keep(lane: string, entry: Exclude<JournalLine, { type: "request" }>): void {
    let records = this.#lanes.get(lane);
    if (records === undefined) {
      records = [];
      this.#lanes.set(lane, records);
    }
    const line = entry.seq - 1;
    if (entry.type === "answer") {
      records.push({ type: "answer", call: entry.call, value: entry.value, line });
      return;
    }
    if ("at" in entry) this.#share(entry);
    const units = entry.units === undefined ? null : { units: entry.units };
    records.push({ type: "event", event: entry, segment: this.#segments, line, ...units });
  }
}
