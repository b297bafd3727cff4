/**
 * PORT: names resolved to IP addresses for the prober, PROTOCOL.md §9.3.
 *
 * It does not judge what a name resolves to; that is the prober's.
 *
 * @module
 */

/**
 * Answers every IP address of a host name, on behalf of `origin`; empty where there is none. Rejects with
 * `TooManyLookups` where it cannot be asked now.
 */
export type Resolve = (host: string, origin: string) => Promise<string[]>;

/** As many names are being resolved as may be: says nothing of the name. */
export class TooManyLookups extends Error {
  override name = "TooManyLookups";
}
