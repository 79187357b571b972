/** How long a process may print nothing. */
export class Silence {
  #limitMs: number;
  #timer: NodeJS.Timeout;
  #isAsking = false;
  #isOver = false;

  /** @param more asked once when the time is over: how much longer to wait */
  constructor(limitMs: number, more: () => Promise<number>, end: () => void) {
    this.#limitMs = limitMs;
    const wait = async (): Promise<void> => {
      this.#isAsking = true;
      const moreMs = await more().catch(() => 0);
      this.#isAsking = false;
      if (this.#isOver) return;
      this.#limitMs += moreMs;
      if (moreMs <= 0) end();
      else this.#timer = setTimeout(end, moreMs);
    };
    this.#timer = setTimeout(() => void wait(), limitMs);
  }

  /** That was in force. */
  get limitMs(): number {
    return this.#limitMs;
  }

  broken(): void {
    if (!this.#isAsking && !this.#isOver) this.#timer.refresh();
  }

  /** The process has come to its end. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
