/**
 * A mutex per key: work on the same key (such as a server id) runs in sequence, work on different keys in parallel.
 * It covers this process only; versions in the store detect other processes' writes.
 *
 * @module
 */

export class KeyedMutex {
  // The last work of each key; only keys with work.
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` after all earlier work on `key`; returns and throws as `work` does. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#last.set(key, done);
    try {
      await before;
      return await work();
    } finally {
      if (this.#last.get(key) === done) this.#last.delete(key);
      resolve();
    }
  }
}
