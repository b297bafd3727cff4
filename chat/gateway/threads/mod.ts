/**
 * What a thread of a chat server begins with: chooses the transports that a gateway can have, on this thread or another,
 * and waits to be told which. All else of the server is put together by chat/mod.ts.
 *
 * @module
 */
import type { StartTransport, TransportName } from "../../sockets/transport.ts";
import { startServe } from "../../sockets/transport_serve.ts";

export const TRANSPORTS: Readonly<Record<TransportName, StartTransport>> = {
  serve: startServe,
  // Its library is loaded where it is chosen.
  ws: async (options) => (await import("../../sockets/transport_ws.ts")).startWs(options),
};

/** Serves as a gateway of the server that has begun this thread, until that ends it. */
export async function serveThread(): Promise<void> {
  const { ThreadGateway } = await import("./thread_gateway.ts");
  globalThis.addEventListener("message", (event) => {
    const { port, lifeline } = (event as MessageEvent<{ port: MessagePort; lifeline: MessagePort }>).data;
    const gateway = new ThreadGateway((message) => port.postMessage(message), TRANSPORTS, lifeline);
    port.onmessage = ({ data }) => gateway.receive(data);
  }, { once: true });
  // What is sent before somebody listens is heard by nobody: so the thread says when it does.
  postToBeginner("up");
}

/** A worker's own `postMessage`, which the types of a program that is none do not have. */
function postToBeginner(message: unknown): void {
  const { postMessage } = globalThis as unknown as { postMessage(message: unknown): void };
  postMessage(message);
}
