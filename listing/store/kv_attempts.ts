/**
 * Operations on a KV that several processes share: a lock of another process is waited for, and every other failure
 * is a `StoreFailed`. It knows no rows.
 *
 * @module
 */
import { StoreFailed } from "./store.ts";

/** Attempts while another process locks the file, with a random pause after each: about 2 s in total. */
const LOCKED_ATTEMPTS_MAX = 200;
const LOCKED_PAUSE_MS = 20;

/** Runs a KV operation and retries while another process locks the file. Every other error becomes `StoreFailed`. */
export async function inStore<T>(operation: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await operation();
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // SQLite reports the lock before it writes anything.
      if (!problem.includes("database is locked") || attempt >= LOCKED_ATTEMPTS_MAX) {
        throw new StoreFailed(`The store failed: ${problem}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LOCKED_PAUSE_MS));
    }
  }
}
