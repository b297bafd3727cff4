/**
 * Turns: work on one key, as a server's id, runs one after the other; work on different keys runs side by side.
 *
 * It orders within this process only. What other processes do is caught by the versions of the store.
 *
 * @module
 */

export class Turns {
  // The end of each key's line. A key without anybody in line is not here.
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` when all that came before it for `key` is done; answers and throws as `work` does. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
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
