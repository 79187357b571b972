/**
 * A strand of a session in which one thing happens after the other, and its past (spec 7).
 *
 * Resume is the same loop over the same plan: what the engine tells and asks in a lane is first compared
 * with, and answered from, what an earlier process of the session has journalled. When that is used up,
 * the lane goes live. So the engine must be deterministic given the answers of its ports.
 */
import { onAbort } from "../lib/on-abort.ts";
import { MmmError } from "../errors.ts";
import type { Event, LiveEvent } from "./events.ts";
import { begunBy, isEnd, isSame, nameOf, stillOpen } from "./lane-past.ts";
import type { TreeLook, TreePoint } from "./ports.ts";

/** Something the world has answered; `value` is plain JSON. */
export interface Answer {
  readonly type: "answer";
  readonly lane: string;
  readonly call: string;
  readonly value: unknown;
}

export type PastRecord =
  | {
      readonly type: "event";
      readonly event: Event;
      /** Which process of the session told it. */
      readonly segment: number;
      /** See {@link EventMark}. */
      readonly units?: number;
    }
  | { readonly type: "answer"; readonly call: string; readonly value: unknown };

/** Why a unit begins again: it was cut short, it failed, or its playbook means something else by now. */
export type RestartReason = "cut-short" | "failed" | "changed";

export interface LanePast {
  readonly records: readonly PastRecord[];
  /** The tree as the unit that begins again began; what has changed since is what it left. */
  readonly restart: TreePoint | null;
  readonly why: RestartReason;
}

/** What earlier processes of the session have done. */
export interface Past {
  readonly lanes: ReadonlyMap<string, LanePast>;
  /** 1: the first process of the session; counts resumes. */
  readonly segment: number;
}

export const NO_PAST: Past = { lanes: new Map(), segment: 1 };

interface EventMark {
  /** `null`: about the process, not about the work; nothing is answered from it. */
  readonly lane: string | null;
  /** Told while the session was being stopped: the unit it belongs to will run again. */
  readonly late: boolean;
  /** Of the end of an iteration: how many units the lane has named so far. */
  readonly units?: number;
}

/** Takes what happens, before the next thing does; throws when it cannot be recorded. */
export interface Recorder {
  event(event: Event, mark: EventMark): void;
  answer(answer: Answer): void;
  /** Journalled long ago, and still open where the session goes on: for people only. */
  recalled(event: Event): void;
  live(event: LiveEvent): void;
}

interface LaneSetting {
  readonly name: string;
  readonly past: LanePast | undefined;
  readonly segment: number;
  readonly recorder: Recorder;
  /** mmm was told to stop. */
  readonly signal: AbortSignal;
  /** Counts an event that is told now; the past was counted when the session was begun again. */
  readonly count: (event: Event) => void;
}

export class Lane {
  readonly #setting: LaneSetting;
  readonly #past: readonly PastRecord[];
  readonly #stop = new AbortController();
  /** Nothing more happens in it: the session forgets it. */
  readonly release: () => void;
  /** Started and not finished, outermost first. */
  #open: readonly Event[] = [];
  #next = 0;
  /** Which process began each attempt of the past that is still to come. */
  readonly #attempts: number[];
  /** The same of each further run. */
  readonly #runs: number[];
  #units = 0;
  #restart: TreePoint | null;
  #stopped = false;
  #look: TreeLook | null = null;
  #point: TreePoint | null = null;
  /** The past has just been used up, and nobody has asked anything since. */
  #fresh = false;

  constructor(setting: LaneSetting) {
    this.#setting = setting;
    this.#past = setting.past?.records ?? [];
    this.#restart = setting.past?.restart ?? null;
    this.#attempts = begunBy(this.#past, "attempt-started");
    this.#runs = begunBy(this.#past, "retry-started");
    this.#fresh = setting.segment > 1;
    this.release = onAbort(setting.signal, () => this.#hearStop());
    this.#hearStop();
  }

  /**
   * mmm was told to stop, and the lane is live. While it goes through its past nothing may take another turn
   * than it took then.
   */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** `session`, `main`, `input-3`. */
  get name(): string {
    return this.#setting.name;
  }

  /** Number of its input; `null`: it has none. */
  get input(): number | null {
    const { name } = this.#setting;
    return name.startsWith("input-") ? Number(name.slice("input-".length)) : null;
  }

  get isLive(): boolean {
    return this.#next >= this.#past.length;
  }

  /** The newest sight of the tree; `null`: none yet. */
  get look(): TreeLook | null {
    return this.#look;
  }

  /** The tree as it was seen last; `null`: that has not been marked. */
  get point(): TreePoint | null {
    return this.#point;
  }

  event(event: Event): void {
    const { recorder, name, count } = this.#setting;
    if (this.isLive) {
      const late = this.signal.aborted || this.#stopped;
      count(event);
      const units = event.type === "iteration-finished" ? { units: this.#units } : {};
      recorder.event(event, { lane: name, late, ...units });
      return;
    }
    const record = this.#take(`event ${event.type}`);
    if (record.type !== "event" || !isSame(record.event, event)) throw this.#diverged(event.type);
    this.#recall(record.event);
    this.#showOpen();
  }

  /** What is to come of the past, with the next `iteration-finished` and what follows it. */
  ahead(): readonly PastRecord[] {
    let end = this.#next;
    while (end < this.#past.length && !isEnd(this.#past[end])) end += 1;
    return this.#past.slice(this.#next, end + 2);
  }

  /** How its input has ended, when all of the lane is past; `null`: it has not. */
  get over(): Extract<Event, { type: "input-finished" }> | null {
    const last = this.#past.at(-1);
    if (this.isLive || last?.type !== "event") return null;
    return last.event.type === "input-finished" ? last.event : null;
  }

  /** Takes all of the past as it is. */
  passAll(): void {
    this.pass(this.#past.length - this.#next, this.#units);
  }

  /** Takes that many records of the past as they are. @param units as {@link EventMark} has them */
  pass(records: number, units: number): void {
    for (let each = 0; each < records; each += 1) {
      const record = this.#take("what is gone over");
      if (record.type === "event") this.#recall(record.event);
    }
    this.#units = units;
  }

  /** About a run that a limit cut short, and that is made again: not part of what is gone through again. */
  aside(event: Event): void {
    this.#setting.count(event);
    this.#setting.recorder.event(event, { lane: null, late: false });
  }

  live(event: LiveEvent): void {
    this.#setting.recorder.live(event);
  }

  /**
   * What the world answered then, else what it answers now.
   *
   * @param isDefinite false: cut short by a Ctrl-C, the unit will run again
   */
  async answer<T>(
    call: string,
    ask: {
      readonly live: (isFirst: boolean) => Promise<T>;
      readonly recalled?: (value: T) => Promise<void> | undefined;
      readonly isDefinite?: (value: T) => boolean;
      /** true: a limit cut it short, and it is asked again */
      readonly isVoid?: (value: T) => boolean;
      /** Without what nobody needs again. */
      readonly slim?: (value: T) => T;
    },
  ): Promise<T> {
    if (!this.isLive) {
      const record = this.#take(call);
      if (record.type !== "answer" || record.call !== call) throw this.#diverged(call);
      const value = record.value as T; // What was journalled under this name was a T.
      await ask.recalled?.(value);
      this.#showOpen();
      return value;
    }
    const { recorder, name } = this.#setting;
    const { signal } = this;
    const isFirst = this.#fresh;
    this.#fresh = false;
    const stopping = signal.aborted || this.#stopped;
    const value = await ask.live(isFirst);
    const isVoid = ask.isVoid?.(value) === true;
    const cut = isVoid || (signal.aborted && ask.isDefinite?.(value) === false);
    if (!stopping && !cut) {
      const kept = ask.slim === undefined ? value : ask.slim(value);
      recorder.answer({ type: "answer", lane: name, call, value: kept });
    }
    return value;
  }

  /** Why what `takeRestart` tells begins again. */
  get why(): RestartReason {
    return this.#setting.past?.why ?? "cut-short";
  }

  /** The tree as the unit that was cut short began, once, and only when it is time to go back to it. */
  takeRestart(): TreePoint | null {
    if (!this.isLive) return null;
    const point = this.#restart;
    this.#restart = null;
    return point;
  }

  seen(look: TreeLook): void {
    this.#look = look;
    this.#point = null;
  }

  marked(point: TreePoint): void {
    this.#point = point;
  }

  /** What is told from here on belongs to a unit that will run again. */
  stop(): void {
    this.#stopped = true;
  }

  /** Names the files of the next attempt; never those of an attempt that has written its own. */
  unit(path: string): string {
    const { segment } = this.#setting;
    this.#units += 1;
    const input = this.input === null ? "" : `${this.input}-`;
    const by = this.#attempts.at(-1) ?? segment;
    const again = by > 1 ? `-r${by}` : "";
    return `${input}${String(this.#units).padStart(4, "0")}-${path}${again}`;
  }

  /** The same of a further run of the attempt. @param times from 2 */
  runUnit(unit: string, times: number): string {
    const by = this.#runs.at(-1) ?? this.#setting.segment;
    const again = by > 1 && !unit.endsWith(`-r${by}`) ? `-r${by}` : "";
    return `${unit}.${times}${again}`;
  }

  #recall(event: Event): void {
    if (event.type === "attempt-started") this.#attempts.pop();
    if (event.type === "retry-started") this.#runs.pop();
    this.#open = stillOpen(this.#open, event);
  }

  #take(wanted: string): PastRecord {
    const record = this.#past[this.#next];
    if (record === undefined) throw this.#diverged(wanted);
    this.#next += 1;
    this.#hearStop();
    return record;
  }

  #hearStop(): void {
    if (this.isLive && this.#setting.signal.aborted) this.#stop.abort();
  }

  /** A person who follows the run has to know where it goes on. */
  #showOpen(): void {
    if (!this.isLive) return;
    for (const event of this.#open) this.#setting.recorder.recalled(event);
    this.#open = [];
  }

  #diverged(now: string): MmmError {
    const record = this.#past[this.#next - 1];
    const then = record === undefined ? "nothing" : nameOf(record);
    return new MmmError("resume-diverged", 3, {
      message: `the journal of this session does not fit: it says ${then}, and now it would be ${now}`,
      next: [
        "resume it with the mmm that began it",
        "or give it up with `mmm sessions drop` and cook again",
      ],
    });
  }
}
