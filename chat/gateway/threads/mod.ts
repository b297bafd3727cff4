/**
 * The entry of a gateway thread: holds the transports that it can choose from and waits for its start message.
 * chat/mod.ts assembles the rest of the server.
 *
 * @module
 */
import type { StartTransport, TransportName } from "../../sockets/transport.ts";
import { startServe } from "../../sockets/transport_serve.ts";

export const TRANSPORTS: Readonly<Record<TransportName, StartTransport>> = {
  serve: startServe,
  // Its library is loaded only if chosen.
  ws: async (options) => (await import("../../sockets/transport_ws.ts")).startWs(options),
};

/** Runs a gateway of the server that started this thread, until that ends it. */
export async function serveThread(): Promise<void> {
  const { ThreadGateway } = await import("./thread_gateway.ts");
  globalThis.addEventListener("message", (event) => {
    const { port, lifeline } = (event as MessageEvent<{ port: MessagePort; lifeline: MessagePort }>).data;
    const gateway = new ThreadGateway((message) => port.postMessage(message), TRANSPORTS, lifeline);
    port.onmessage = ({ data }) => gateway.receive(data);
  }, { once: true });
  // Messages before the listener exists are lost, so the thread reports when it is ready.
  postToBeginner("up");
}

/** A worker's `postMessage`, which the types of a main program lack. */
function postToBeginner(message: unknown): void {
  const { postMessage } = globalThis as unknown as { postMessage(message: unknown): void };
  postMessage(message);
}
