/**
 * The entry of a gateway thread: holds the transports that it can choose from and waits for its start message.
 * chat/mod.ts assembles the rest of the server.
 *
 * @module
 */
import { startServe } from "../../sockets/transport_serve.ts";
import { SCRUB_THREAD } from "../../../src/kv/scrub.ts";
import type { Transports } from "./thread_gateway.ts";

export const TRANSPORTS: Transports = {
  serve: startServe,
  // Its library is loaded only if chosen.
  ws: async (options) => (await import("../../sockets/transport_ws.ts")).startWs(options),
};

/**
 * Runs what the server started this thread for: a scrub of its store, or a gateway by one of `transports`, until the
 * server ends it.
 */
export async function serveThread(transports: Transports = TRANSPORTS): Promise<void> {
  // As `postMessage` below, not of the types of a main program.
  const { name } = globalThis as unknown as { name: string };
  if (name.startsWith(SCRUB_THREAD)) {
    const { scrub } = await import("../../../src/kv/scrub_thread.ts");
    return postToBeginner(scrub(name.slice(SCRUB_THREAD.length)));
  }
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
