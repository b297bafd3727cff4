/**
 * The transport of the platform: `Deno.serve` with its own WebSocket upgrade, and the only one on Deno Deploy.
 *
 * It has no timeouts for requests, no bound on a frame below 64 MiB, and cannot cut a peer that is stuck: on the
 * open internet it wants a proxy in front of it, or the transport of transport_ws.ts in its place.
 *
 * @module
 */
import { serve } from "../../src/serving/http_server.ts";
import { upgradeServe } from "./connection_serve.ts";
import type { StartTransport } from "./transport.ts";

/**
 * Milliseconds that all file descriptors may be taken before everyone is cut, the people who talk too. An attack that
 * is over before costs them nothing; one that is not leaves no other way in for anybody.
 */
const CUT_ALL_AFTER_MS = 10_000;
/** Milliseconds that requests under way have to end at the stop: answers here need no longer. */
const DRAIN_MS = 500;

export const startServe: StartTransport = (
  { hostname, port, tls, sharers, handle, limits, log },
) => {
  const stopping = new AbortController();
  const server = serve(
    { hostname, port, tls, isShared: sharers > 1 },
    (request, remoteAddress) =>
      handle(request, {
        remoteAddress,
        upgrade: (socket) =>
          upgradeServe(request, socket, { idleSeconds: limits.pingInterval + limits.pingTimeout, log }),
      }),
    { stopping: stopping.signal, cutAllAfterMs: CUT_ALL_AFTER_MS, log },
  );
  const stop = () => {
    stopping.abort();
    return server.close(DRAIN_MS);
  };
  // The platform's port keeps what it was opened with, and would end every WebSocket to be opened anew.
  return Promise.resolve({ port: server.port, stop, renewTls: () => Promise.resolve(false) });
};
