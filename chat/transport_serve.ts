/**
 * The transport of the platform: `Deno.serve` with its own WebSocket upgrade, and the only one on Deno Deploy.
 *
 * It has no timeouts for requests, no bound on a frame below 64 MiB, and cannot cut a peer that is stuck: on the
 * open internet it wants a proxy in front of it, or the transport of transport_ws.ts in its place.
 *
 * @module
 */
import { upgradeServe } from "./connection_serve.ts";
import type { StartTransport } from "./transport.ts";

export const startServe: StartTransport = (
  { hostname, port, tls, handle, pingInterval, pingTimeout, log },
) => {
  const idleSeconds = pingInterval + pingTimeout;
  const server = Deno.serve({
    hostname,
    port,
    ...(tls ?? {}),
    onListen() {},
    handler: (request, info) =>
      handle(request, {
        // Read before the upgrade: it cannot be after it.
        remoteAddress: info.remoteAddr.hostname,
        upgrade: (socket) => upgradeServe(request, socket, { idleSeconds, log }),
      }),
  });
  return Promise.resolve({ port: server.addr.port, stop: () => server.shutdown() });
};
