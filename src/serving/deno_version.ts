/**
 * Checks the version of Deno. Chatter requires 2.9, except for the listing, the commands and a chat server with
 * `--transport serve` on one thread, which run from 2.4.2 on.
 *
 * @module
 */
import { CannotStart } from "./start_failure.ts";

export function isBefore29(version: string = Deno.version.deno): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 2 || (major === 2 && minor < 9);
}

/** Throws `CannotStart` on a Deno before 2.9. `what` is the part that needs it, `instead` how to do without. */
export function want29(what: string, instead: string, version: string = Deno.version.deno): void {
  if (!isBefore29(version)) return;
  throw new CannotStart(`${what} needs Deno 2.9 or later; this is Deno ${version}. ${instead}`);
}
