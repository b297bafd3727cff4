/**
 * Whether work grows faster than its input: compares the time of an input with that of one four times as long. Linear
 * work takes four times as long, quadratic work sixteen times. Times are compared with each other only, the least of
 * several, so that a busy machine does not matter.
 *
 * @module
 */

/** Times as long, for an input of four times the length: between linear and quadratic. */
const RATIO_MAX = 8;
/**
 * Milliseconds of the shorter input at least: less is noise. Each later try takes four times as long: on a busy machine
 * both inputs are then interrupted in proportion, where a short one was not at all.
 */
const LEAST_MS = 0.1;
/** Tries that must all fail. Work that is linear passes one of them. */
const TRIES = 6;

/** Work on an input of size `n`, made before the time runs. An exception ends it. */
export type Work = (n: number) => () => unknown;

/**
 * Describes how `work` grows faster than its input; undefined if it does not. `largest` is the largest size: work that
 * is short even then has no growth that matters.
 */
export async function superlinear(work: Work, largest = 1 << 20): Promise<string | undefined> {
  let problem: string | undefined;
  let least = LEAST_MS;
  for (let tries = 0; tries < TRIES; tries++, least *= 4) {
    let n = 16;
    let short = await timeUpTo(least, work(n));
    while (short < least) {
      if (n * 4 > largest / 4) return undefined;
      n *= 4;
      short = await timeUpTo(least, work(n));
    }
    const longer = work(4 * n);
    let long = await timeOf(longer);
    for (let again = 0; again < 2 && long > RATIO_MAX * short; again++) {
      long = Math.min(long, await timeOf(longer));
    }
    if (long <= RATIO_MAX * short) return undefined;
    problem = `${n} took ${short.toFixed(2)} ms, ${4 * n} took ${long.toFixed(2)} ms`;
    // Quadratic work of this size would be slow to repeat, and chance explains no such ratio.
    if (long > 1000) break;
  }
  return problem;
}

/** The least of three, since the first one may compile; of fewer, if that is less than `least` already. */
async function timeUpTo(least: number, run: () => unknown): Promise<number> {
  let time = await timeOf(run);
  for (let again = 0; again < 2 && time >= least; again++) time = Math.min(time, await timeOf(run));
  return time;
}

async function timeOf(run: () => unknown): Promise<number> {
  const startMs = performance.now();
  try {
    const result = run();
    if (result instanceof Promise) await result;
  } catch {
    // Refused, which takes its time too.
  }
  return performance.now() - startMs;
}
