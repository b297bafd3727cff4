/**
 * How often a property is tried: `deno task test:more` sets FC_RUNS to multiply it.
 *
 * @module
 */

/** `base` runs, times FC_RUNS if it is set. */
export function runs(base: number): { numRuns: number } {
  return { numRuns: base * Number(Deno.env.get("FC_RUNS") ?? "1") };
}
