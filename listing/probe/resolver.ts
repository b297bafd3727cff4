/**
 * PORT: resolves host names to IP addresses for the prober, PROTOCOL.md §9.3. It does not judge the addresses; the
 * prober does.
 *
 * @module
 */

/**
 * Returns all IP addresses of `host`, or none if it has none; `origin` is the address that the lookup counts against.
 * Rejects with `TooManyLookups` at the limit.
 */
export type Resolve = (host: string, origin: string) => Promise<string[]>;

/** Too many lookups are running; says nothing about the name. */
export class TooManyLookups extends Error {
  override name = "TooManyLookups";
}
