/**
 * A port for a program that cannot choose a free one itself.
 *
 * @module
 */

/** A port of an address of loopback that was free a moment ago. */
export function freePort(hostname = "127.0.0.1"): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}
