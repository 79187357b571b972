/** A map that forgets what was set since it was entered; linear in what was set, whatever it holds. */
export class UndoMap<K, V extends object> {
  readonly #map = new Map<K, V>();
  readonly #undo: (readonly [K, V | undefined])[][] = [];

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  keys(): IterableIterator<K> {
    return this.#map.keys();
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#map[Symbol.iterator]();
  }

  set(key: K, value: V): void {
    this.#undo.at(-1)?.push([key, this.#map.get(key)]);
    this.#map.set(key, value);
  }

  enter(): void {
    this.#undo.push([]);
  }

  /** The keys that were set. */
  leave(): readonly K[] {
    const set = (this.#undo.pop() ?? []).reverse();
    for (const [key, before] of set) {
      if (before === undefined) this.#map.delete(key);
      else this.#map.set(key, before);
    }
    return set.map(([key]) => key);
  }
}
