/**
 * A throttle for log lines that peers can cause. It writes nothing itself.
 *
 * @module
 */
import type { NowMs } from "../clock.ts";

/** Milliseconds between two lines of one kind, at least. */
export const LOG_EVERY_MS = 1000;

export class LogThrottle {
  readonly #steadyClock: NowMs;
  #loggedMs = -Infinity;
  #suppressed = 0;

  constructor(steadyClock: NowMs) {
    this.#steadyClock = steadyClock;
  }

  /** Calls `say` at most once in `LOG_EVERY_MS`, with the number of calls suppressed since then. */
  log(say: (suppressed: number) => void): void {
    const nowMs = this.#steadyClock();
    if (nowMs - this.#loggedMs < LOG_EVERY_MS) {
      this.#suppressed++;
      return;
    }
    const suppressed = this.#suppressed;
    this.#loggedMs = nowMs;
    this.#suppressed = 0;
    say(suppressed);
  }
}
