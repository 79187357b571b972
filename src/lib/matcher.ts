/** Many byte patterns found at once in one pass (Aho and Corasick), linear in the text whatever is in it. */
export class Matcher {
  /** Below: one entry a state; 0 is the root, and as a child or sibling means none. */
  readonly #child: number[] = [0];
  readonly #sibling: number[] = [0];
  readonly #byte: number[] = [0];
  readonly #depth: number[] = [0];
  readonly #fail: number[] = [0];
  /** Length of the longest pattern that ends here; 0: none does. */
  readonly #longest: number[] = [0];
  /** The root's children by byte: where most bytes of most texts end. */
  readonly #root = new Int32Array(256);
  readonly #isWhole: boolean[] = [false];
  /** Bytes of the longest pattern. */
  readonly longestPattern: number;

  constructor(patterns: Iterable<Uint8Array>) {
    let longest = 0;
    for (const pattern of patterns) {
      if (pattern.length > 0) this.#add(pattern);
      longest = Math.max(longest, pattern.length);
    }
    this.longestPattern = longest;
    this.#link();
  }

  /** The state after one more byte; 0 is the one to begin with. */
  step(from: number, byte: number): number {
    for (let state = from; state !== 0; state = this.#fail[state] ?? 0) {
      const next = this.#childOf(state, byte);
      if (next !== 0) return next;
    }
    return this.#root[byte] ?? 0;
  }

  /** Bytes of the text that may still become a pattern. */
  depth(state: number): number {
    return this.#depth[state] ?? 0;
  }

  /** Length of the longest pattern that ends in this state; 0: none does. */
  matched(state: number): number {
    return this.#longest[state] ?? 0;
  }

  #childOf(state: number, byte: number): number {
    let child = this.#child[state] ?? 0;
    while (child !== 0 && this.#byte[child] !== byte) child = this.#sibling[child] ?? 0;
    return child;
  }

  #add(pattern: Uint8Array): void {
    let state = 0;
    for (const byte of pattern) {
      const there = state === 0 ? (this.#root[byte] ?? 0) : this.#childOf(state, byte);
      state = there === 0 ? this.#grow(state, byte) : there;
    }
    this.#isWhole[state] = true;
  }

  #grow(parent: number, byte: number): number {
    const state = this.#byte.length;
    this.#byte.push(byte);
    this.#child.push(0);
    this.#fail.push(0);
    this.#longest.push(0);
    this.#isWhole.push(false);
    this.#depth.push((this.#depth[parent] ?? 0) + 1);
    this.#sibling.push(this.#child[parent] ?? 0);
    this.#child[parent] = state;
    if (parent === 0) this.#root[byte] = state;
    return state;
  }

  /** Breadth first, so that a state's own fallback is known before its children need it. */
  #link(): void {
    const queue: number[] = [0];
    for (const state of queue) {
      const isWhole = this.#isWhole[state] === true;
      this.#longest[state] = isWhole
        ? this.depth(state)
        : (this.#longest[this.#fail[state] ?? 0] ?? 0);
      for (let child = this.#child[state] ?? 0; child !== 0; child = this.#sibling[child] ?? 0) {
        if (state !== 0) {
          this.#fail[child] = this.step(this.#fail[state] ?? 0, this.#byte[child] ?? 0);
        }
        queue.push(child);
      }
    }
  }
}
