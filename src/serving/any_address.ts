/**
 * The address of a server without --hostname: all addresses of this machine, of both families where one port takes
 * both. A listing takes the address of a request for the server's, and that request may come over either family.
 *
 * @module
 */

/** `::` where a port of it takes IPv4 too, else `0.0.0.0`. */
export async function anyAddress(): Promise<string> {
  try {
    using listener = Deno.listen({ hostname: "::", port: 0 });
    // Some systems keep `::` to IPv6. The connection is made before it is accepted.
    (await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port })).close();
    return "::";
  } catch {
    return "0.0.0.0";
  }
}
