/**
 * Names resolved as the system does it, its hosts file included, for the prober, PROTOCOL.md §9.3.
 *
 * `Deno.resolveDns` asks DNS servers only and would not know `localhost`.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { addressBlock } from "../../src/address.ts";
import { type Resolve, TooManyLookups } from "./resolver.ts";

/**
 * Names that may be under way at once: each holds a thread of the runtime's pool for as long as its DNS server
 * likes, and the pool is what file access needs too.
 */
export const LOOKUPS_AT_ONCE_MAX = 128;
/** And on behalf of one origin, so that one with slow names does not take them all. */
export const LOOKUPS_PER_ORIGIN_MAX = 16;

export function systemResolver(): Resolve {
  const perOrigin = new Map<string, number>();
  let underWay = 0;
  return async function resolve(host: string, origin: string): Promise<string[]> {
    const block = addressBlock(origin);
    const before = perOrigin.get(block) ?? 0;
    if (underWay >= LOOKUPS_AT_ONCE_MAX || before >= LOOKUPS_PER_ORIGIN_MAX) throw new TooManyLookups();
    underWay++;
    perOrigin.set(block, before + 1);
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      underWay--;
      const left = (perOrigin.get(block) ?? 0) - 1;
      if (left > 0) perOrigin.set(block, left);
      else perOrigin.delete(block);
    }
  };
}
