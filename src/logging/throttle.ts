/**
 * A brake for log lines that peers can cause: one in a while, with how many were left out.
 *
 * It writes nothing itself.
 *
 * @module
 */
import type { NowMs } from "../clock.ts";

/** Milliseconds between two lines of one kind at least. */
export const LOG_EVERY_MS = 1000;

export class LogThrottle {
  readonly #steadyClock: NowMs;
  #saidMs = -Infinity;
  #unsaid = 0;

  constructor(steadyClock: NowMs) {
    this.#steadyClock = steadyClock;
  }

  /** Calls `say` with how many were left out since the last; at most once in `LOG_EVERY_MS`. */
  log(say: (unsaid: number) => void): void {
    const nowMs = this.#steadyClock();
    if (nowMs - this.#saidMs < LOG_EVERY_MS) {
      this.#unsaid++;
      return;
    }
    const unsaid = this.#unsaid;
    this.#saidMs = nowMs;
    this.#unsaid = 0;
    say(unsaid);
  }
}
