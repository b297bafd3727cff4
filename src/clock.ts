/**
 * The only file that reads a clock. Pure code receives `nowMs` as an argument, so that tests need not wait.
 *
 * @module
 */

/** A clock in milliseconds. `wallClock` counts from 1970 UTC and may jump, also backwards. */
export type NowMs = () => number;

export const wallClock: NowMs = () => Date.now();

/** Milliseconds since 1970 UTC with fractions, never backwards; for the times of traces. */
export const preciseClock: NowMs = () => performance.timeOrigin + performance.now();

/** Milliseconds since an arbitrary moment, never backwards; for durations, deadlines and rates. */
export const steadyClock: NowMs = () => performance.now();
