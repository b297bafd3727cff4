/**
 * The line on stderr by which a run of tests says what it skips, where a machine lacks what some need.
 *
 * @module
 */

/** Writes at once, since a file of tests may have no test that runs. */
export function saySkipped(what: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`SKIPPED: ${what}\n`));
}
