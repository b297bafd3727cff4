/**
 * The only place that asks what time it is. Pure code takes `nowMs` or `now` as an argument instead,
 * so that a test needs no waiting.
 *
 * @module
 */

/** Milliseconds since 1970 UTC, by the wall clock: it may jump, also backwards. */
export type NowMs = () => number;

export const wallClock: NowMs = () => Date.now();

/** Milliseconds since 1970 UTC with their fraction, which never goes back: when the parts of something happened. */
export const preciseClock: NowMs = () => performance.timeOrigin + performance.now();

/** Milliseconds since some fixed moment, never backwards: for durations, deadlines and rates. */
export const steadyClock: NowMs = () => performance.now();
