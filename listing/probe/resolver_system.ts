/**
 * Resolves names with the system's resolver, including the hosts file, for the prober, PROTOCOL.md §9.3.
 * `Deno.resolveDns` asks DNS servers only and does not resolve `localhost`.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { OriginCounts } from "../origin_counts.ts";
import { type Resolve, TooManyLookups } from "./resolver.ts";

/** Concurrent lookups. Each holds a thread of the runtime's pool, which file access needs too. */
export const LOOKUPS_AT_ONCE_MAX = 128;
/** Concurrent lookups per origin, so that one origin with slow names cannot use them all. */
export const LOOKUPS_PER_ORIGIN_MAX = 16;
/** The same for a whole site. */
export const LOOKUPS_PER_SITE_MAX = LOOKUPS_AT_ONCE_MAX / 2;

export function systemResolver(): Resolve {
  const lookups = new OriginCounts();
  let underWay = 0;
  return async function resolve(host: string, origin: string): Promise<string[]> {
    const { block, site } = lookups.of(origin);
    const isOver = underWay >= LOOKUPS_AT_ONCE_MAX || block >= LOOKUPS_PER_ORIGIN_MAX ||
      site >= LOOKUPS_PER_SITE_MAX;
    if (isOver) throw new TooManyLookups();
    underWay++;
    const release = lookups.hold(origin);
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      underWay--;
      release();
    }
  };
}
