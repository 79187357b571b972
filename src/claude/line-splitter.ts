/** Whole lines out of bytes that come in pieces, in constant memory. */

/** One line without its newline, valid during the call; `cut` lines were longer than the bound and hold only their beginning. */
export interface Line {
  readonly bytes: Buffer;
  readonly cut: boolean;
  /** `false`: the stream ended before the newline. */
  readonly ended: boolean;
}

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: Line) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #cut = false;

  /** @param maxBytes what is kept of one line; the rest of it is dropped. */
  constructor(maxBytes: number, onLine: (line: Line) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Is there a line that has begun and not ended? */
  get open(): boolean {
    return this.#length > 0 || this.#cut;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(0x0a, from);
      if (at === -1) break;
      this.#endLine(chunk.subarray(from, at));
      from = at + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  /** The stream is over: an unfinished line is given out with `ended: false`. */
  end(): void {
    if (this.open) this.#flush(false);
  }

  /** The usual case, a line that lies whole in one chunk, costs no copy. */
  #endLine(rest: Buffer): void {
    if (!this.open && rest.length <= this.#maxBytes) {
      this.#onLine({ bytes: rest, cut: false, ended: true });
      return;
    }
    this.#keep(rest);
    this.#flush(true);
  }

  #keep(piece: Buffer): void {
    const room = this.#maxBytes - this.#length;
    if (piece.length > room) this.#cut = true;
    if (piece.length === 0 || room <= 0) return;
    // Copied: a piece of a pooled chunk would keep the whole chunk alive.
    const kept = Buffer.from(piece.subarray(0, room));
    this.#parts.push(kept);
    this.#length += kept.length;
  }

  #flush(ended: boolean): void {
    const bytes = Buffer.concat(this.#parts);
    const cut = this.#cut;
    this.#parts = [];
    this.#length = 0;
    this.#cut = false;
    this.#onLine({ bytes, cut, ended });
  }
}
