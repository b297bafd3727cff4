/**
 * The transport of `Deno.serve`, the only one on Deno Deploy. It has no timeout for requests, no limit on a frame below
 * 64 MiB, and cannot cut a stuck peer: on the public internet use a proxy, or transport_ws.ts. deno.json has
 * `no-legacy-abort`, without which Deno makes an exception, with its stack, for each upgraded request.
 *
 * @module
 */
import { serve } from "../../src/serving/http_server.ts";
import { upgradeServe } from "./connection_serve.ts";
import type { StartTransport } from "./transport.ts";

/**
 * Milliseconds without a free file descriptor until all connections are cut, honest ones too: a lasting attack leaves
 * no other way to let clients in.
 */
const CUT_ALL_AFTER_MS = 10_000;
/** Milliseconds for pending requests at a stop. */
const DRAIN_MS = 500;

export const startServe: StartTransport = (
  { hostname, port, tls, sharers, handle, limits, log },
) => {
  const stopping = new AbortController();
  const server = serve(
    { hostname, port, tls, isShared: sharers > 1 },
    (request, remoteAddress, arrivedAt) =>
      handle(request, {
        remoteAddress,
        arrivedAt,
        upgrade: (socket) =>
          upgradeServe(request, socket, { idleSeconds: limits.pingInterval + limits.pingTimeout, log }),
      }),
    { stopping: stopping.signal, cutAllAfterMs: CUT_ALL_AFTER_MS, log },
  );
  const stop = () => {
    stopping.abort();
    return server.close(DRAIN_MS);
  };
  // The platform cannot replace a certificate: reopening the port would close every WebSocket.
  return Promise.resolve({ port: server.port, stop, renewTls: () => Promise.resolve(false) });
};
