/**
 * The only file that reads a clock. Pure code receives `nowMs` as an argument, so that tests need not wait.
 *
 * @module
 */

/** A clock in milliseconds. `wallClock` counts from 1970 UTC and may jump, also backwards. */
export type NowMs = () => number;

export const wallClock: NowMs = () => Date.now();

/** Milliseconds by which a clock may be set back without a time that goes back, as when NTP corrects it. */
export const SET_BACK_MS = 60_000;

/** Repeats its last time while `clock` is set back by less than SET_BACK_MS. `lastMs` is an earlier reading. */
export function forwardClock(clock: NowMs, lastMs = 0): NowMs {
  return () => {
    const nowMs = Math.max(0, clock());
    return lastMs = nowMs < lastMs && lastMs - nowMs < SET_BACK_MS ? lastMs : nowMs;
  };
}

/** Milliseconds since 1970 UTC with fractions, never backwards; for the times of traces. */
export const preciseClock: NowMs = () => performance.timeOrigin + performance.now();

/** Milliseconds since an arbitrary moment, never backwards; for durations, deadlines and rates. */
export const steadyClock: NowMs = () => performance.now();
