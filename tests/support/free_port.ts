/**
 * A port for a program that cannot choose a free one itself, for a server that returns to its own, or for one that does
 * not listen.
 *
 * @module
 */

/** Systems give none of these to a program that asks for any free port, as other tests do at the same time. */
const PORTS = { from: 10_000, to: 32_000 };

const given = new Set<number>();

/** A port of an address of loopback that was free a moment ago, another one at each call. */
export function freePort(hostname = "127.0.0.1"): number {
  while (true) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (given.has(port) || !isFree(hostname, port)) continue;
    given.add(port);
    return port;
  }
}

function isFree(hostname: string, port: number): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
