/**
 * A mutex for each key: work on one key, as a server's id, runs one after the other; on different keys side by side.
 *
 * It orders within this process only. What other processes do is caught by the versions of the store.
 *
 * @module
 */

export class KeyedMutex {
  // The last work of each key. A key without work is not here.
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` when all earlier work on `key` is done; answers and throws as `work` does. */
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
