import type { Readable } from "node:stream";

/** Takes a chunk; a promise stops the reading until it settles. */
export type ChunkSink = (chunk: Buffer) => void | Promise<void>;

/** No chunk for this long after the child's exit means that what it wrote has been read. */
const QUIET_MS = 20;

/** A background process may go on writing for ever; more than this is not the child's own output. */
const MAX_DRAIN_MS = 1000;

/**
 * Moves what a child writes into sinks, one chunk at a time and in order of arrival, and never reads
 * ahead of a sink that is busy.
 */
export class StreamPump {
  readonly #streams: readonly Readable[];
  readonly #onFailure: (error: unknown) => void;
  /** What the sinks are at work on, by stream. */
  readonly #queues = new Map<Readable, Promise<void>>();
  #chunks = 0;
  #open: number;
  /** Resolves when nobody holds the other ends any more and all was read. */
  readonly closed: Promise<void>;

  constructor(
    pairs: readonly (readonly [Readable, ChunkSink])[],
    onFailure: (error: unknown) => void,
  ) {
    this.#streams = pairs.map(([stream]) => stream);
    this.#onFailure = onFailure;
    this.#open = pairs.length;
    for (const [stream, sink] of pairs) this.#connect(stream, sink);
    this.closed = new Promise((resolve) => {
      for (const stream of this.#streams) {
        stream.once("close", () => {
          this.#open -= 1;
          if (this.#open === 0) resolve();
        });
      }
    });
  }

  get isClosed(): boolean {
    return this.#open === 0;
  }

  /** Resolves when what was written until now has reached the sinks, though somebody still holds the pipe. */
  async drained(): Promise<void> {
    const lastMoment = performance.now() + MAX_DRAIN_MS;
    for (;;) {
      const before = this.#chunks;
      // Not a reason to stay alive: mostly both pipes close first.
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS).unref());
      // After a late timer the pipes have not been looked at yet; the poll phase comes before this one.
      await new Promise((resolve) => setImmediate(resolve));
      const isQuiet = this.#chunks === before && this.#queues.size === 0;
      if (isQuiet || performance.now() > lastMoment) return;
    }
  }

  /** Resolves when the sinks have taken the chunks read so far. */
  async idle(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  /** Goes on reading, but no longer keeps this process alive. */
  unref(): void {
    for (const stream of this.#streams) (stream as { unref?: () => void }).unref?.();
  }

  #connect(stream: Readable, sink: ChunkSink): void {
    stream.on("data", (chunk: Buffer) => {
      this.#chunks += 1;
      const queue = this.#queues.get(stream);
      const pending = queue === undefined ? this.#take(sink, chunk) : queue.then(() => sink(chunk));
      if (pending === null) return;
      stream.pause();
      // Node resumes its own paused pipes at the child's exit, so a chunk can come while one is under way.
      const mine = pending.catch((error: unknown) => this.#onFailure(error));
      this.#queues.set(stream, mine);
      void mine.then(() => {
        if (this.#queues.get(stream) !== mine) return;
        this.#queues.delete(stream);
        stream.resume();
      });
    });
    // A pipe that breaks is a pipe that ends: how the child ended is told by its exit.
    stream.on("error", () => undefined);
  }

  #take(sink: ChunkSink, chunk: Buffer): Promise<void> | null {
    try {
      const taken = sink(chunk);
      return taken instanceof Promise ? taken : null;
    } catch (error) {
      this.#onFailure(error);
      return null;
    }
  }
}
