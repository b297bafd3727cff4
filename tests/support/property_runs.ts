/**
 * How often a property is tried: `deno task test:more` sets FC_RUNS to multiply it.
 *
 * @module
 */

const FACTOR = Number(Deno.env.get("FC_RUNS") ?? "1");

/** True for `deno task test:more`. */
export const IS_LONG_RUN = FACTOR > 1;

/** `base` runs, times FC_RUNS if it is set. */
export function runs(base: number): { numRuns: number } {
  return { numRuns: base * FACTOR };
}
