// What is remembered by key, so much and no more.

/** Remembers the values that were asked for last; the one that was not asked for longest makes room. */
export class Cache<V> {
  readonly #values = new Map<string, V>();
  readonly #most: number;
  readonly #mayForget: (value: V) => boolean;
  readonly #forget: (value: V) => void;

  /**
   * @param most how many values are remembered, besides those that may not be forgotten
   * @param options.mayForget whether a value may make room
   * @param options.forget takes leave of a value that makes room
   */
  constructor(
    most: number,
    {
      mayForget = () => true,
      forget = () => {},
    }: { mayForget?: (value: V) => boolean; forget?: (value: V) => void } = {},
  ) {
    this.#most = most;
    this.#mayForget = mayForget;
    this.#forget = forget;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The value of a key, made now if it is not remembered. */
  get(key: string, make: () => V): V {
    const known = this.#values.has(key);
    const value = known ? (this.#values.get(key) as V) : make();
    // A map keeps the order of insertion: the first was not asked for longest.
    this.#values.delete(key);
    this.#values.set(key, value);
    if (!known) this.#makeRoom();
    return value;
  }

  #makeRoom(): void {
    let excess = this.#values.size - this.#most;
    if (excess <= 0) return;
    const newest = [...this.#values.keys()].at(-1);
    for (const [key, value] of this.#values) {
      if (excess <= 0) return;
      if (key === newest || !this.#mayForget(value)) continue;
      this.#values.delete(key);
      this.#forget(value);
      excess--;
    }
  }
}
