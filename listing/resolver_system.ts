/**
 * Names resolved as the system does it, its hosts file included, for the prober.
 *
 * `Deno.resolveDns` asks DNS servers only and would not know `localhost`.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import type { Resolve } from "./prober_socket.ts";

/**
 * Names that may be under way at once: each holds a thread of the runtime's pool for as long as its DNS server
 * likes, and the pool is what file access needs too.
 */
export const LOOKUPS_AT_ONCE_MAX = 128;

export function systemResolver(): Resolve {
  let underWay = 0;
  return async function resolve(host: string): Promise<string[]> {
    if (underWay >= LOOKUPS_AT_ONCE_MAX) throw new Error("too many names are being resolved");
    underWay++;
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      underWay--;
    }
  };
}
