/**
 * The entry of a gateway thread: holds the transports that it can choose from and waits for its start message.
 * chat/mod.ts assembles the rest of the server.
 *
 * @module
 */
import { startServe } from "../../sockets/transport_serve.ts";
import type { Transports } from "./thread_gateway.ts";

export const TRANSPORTS: Transports = {
  serve: startServe,
  // Its library is loaded only if chosen.
  ws: async (options) => (await import("../../sockets/transport_ws.ts")).startWs(options),
};

/** Runs a gateway of the server that started this thread, by one of `transports`, until that ends it. */
export async function serveThread(transports: Transports = TRANSPORTS): Promise<void> {
  const { ThreadGateway } = await import("./thread_gateway.ts");
  globalThis.addEventListener("message", (event) => {
    const { port, lifeline } = (event as MessageEvent<{ port: MessagePort; lifeline: MessagePort }>).data;
    const gateway = new ThreadGateway((message) => port.postMessage(message), transports, lifeline);
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
