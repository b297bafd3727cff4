/**
 * The entry of a chat server's thread in tests: like the program's, but its transports hang or break the thread when a
 * client says so.
 *
 * @module
 */
import type { Receiver } from "../../chat/delivery/connection.ts";
import { serveThread, TRANSPORTS } from "../../chat/gateway/threads/mod.ts";
import type { StartTransport } from "../../chat/sockets/transport.ts";

/** Milliseconds that it hangs, without delaying other tests. */
const HANG_MS = 3000;

function faulty(start: StartTransport): StartTransport {
  return (options) =>
    start({
      ...options,
      handle: (request, { remoteAddress, arrivedAt, upgrade }) =>
        options.handle(request, {
          remoteAddress,
          arrivedAt,
          upgrade: (socket) =>
            upgrade({ ...socket, accept: (connection) => hangingOrBreaking(socket.accept(connection)) }),
        }),
    });
}

function hangingOrBreaking(receiver: Receiver): Receiver {
  return {
    receiveText(text) {
      if (text === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANG_MS);
      if (text === "break") {
        setTimeout(() => {
          throw new TypeError("broken on purpose");
        });
      }
      receiver.receiveText(text);
    },
    receiveBinary: (bytes) => receiver.receiveBinary(bytes),
    lost: (isGoingAway) => receiver.lost(isGoingAway),
  };
}

await serveThread({ serve: faulty(TRANSPORTS.serve), ws: faulty(TRANSPORTS.ws) });
