/**
 * Resolves names with the system's resolver, including the hosts file, for the prober, PROTOCOL.md §9.3.
 * `Deno.resolveDns` asks DNS servers only and does not resolve `localhost`.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { addressBlock } from "../../src/address.ts";
import { type Resolve, TooManyLookups } from "./resolver.ts";

/** Concurrent lookups. Each holds a thread of the runtime's pool, which file access needs too. */
export const LOOKUPS_AT_ONCE_MAX = 128;
/** Concurrent lookups per origin, so that one origin with slow names cannot use them all. */
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
