/**
 * The clock for what cannot be undone: removing messages by age and bans past their end, PROTOCOL.md §5.4. A wall clock
 * that jumped ahead is not believed until it has been ahead for an hour. Pure; the time of receipt does not use it.
 *
 * @module
 */

/** Milliseconds by which the wall clock may be ahead of what is expected. Servers are stopped for a night, and clocks drift. */
export const AHEAD_MS_MAX = 86_400_000;
/** Milliseconds of the steady clock after which a wall clock that is ahead is believed: an operator had time to mend it. */
export const BELIEVED_AFTER_MS = 3_600_000;

export class ConfirmedClock {
  /** The last time that was believed, and when that was on the steady clock. */
  #wallMs: number | undefined;
  #steadyMs: number;
  /** Since when the wall clock is too far ahead, on the steady clock. */
  #aheadSinceMs: number | undefined;

  /** `lastMs` is the time of the last sweep, or else of the newest message; undefined believes any clock. */
  constructor(lastMs: number | undefined, steadyMs: number) {
    this.#wallMs = lastMs;
    this.#steadyMs = steadyMs;
  }

  /** The wall clock's time if it is believed, else the time that has passed since the last one that was. */
  read(wallMs: number, steadyMs: number): number {
    const expectedMs = (this.#wallMs ?? wallMs) + steadyMs - this.#steadyMs;
    if (wallMs - expectedMs > AHEAD_MS_MAX) {
      this.#aheadSinceMs ??= steadyMs;
      if (steadyMs - this.#aheadSinceMs < BELIEVED_AFTER_MS) return expectedMs;
    }
    this.#wallMs = wallMs;
    this.#steadyMs = steadyMs;
    this.#aheadSinceMs = undefined;
    return wallMs;
  }
}
