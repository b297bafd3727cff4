/**
 * A WebSocket for the terminal, which a hostile server cannot make hang or grow. It bounds a message before it is
 * whole, and gives each frame a turn of the event loop of its own, so that keys, signals and writes have theirs. Deno's
 * `WebSocket` does neither. What is not read yet stays with TCP, which slows the server.
 *
 * @module
 */
import { WebSocket } from "ws";
import type { AnyWebSocket } from "../src/client/session_driver.ts";

/**
 * Bytes of a message, in one frame or in fragments. The longest answer is a `roster`: some 60 bytes a user, so that
 * 100,000 users fit.
 */
export const FRAME_BYTES_MAX = 8_388_608;

const SUBPROTOCOL = "sec-websocket-protocol";

export class PacedSocket extends WebSocket implements AnyWebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, {
      maxPayload: FRAME_BYTES_MAX,
      perMessageDeflate: false,
      allowSynchronousEvents: false,
      finishRequest: (request) => {
        request.prependListener("upgrade", ({ headers }) => this.#takesAny(headers, protocols));
        request.end();
      },
    });
    // A server that breaks the rules would have half a minute for the closing handshake.
    this.on("error", () => this.terminate());
  }

  /** Lets in a server that selects no subprotocol, as one of the original protocol: `ws` alone refuses it. */
  #takesAny(headers: Record<string, unknown>, protocols: readonly string[]): void {
    if (headers[SUBPROTOCOL] !== undefined) return;
    headers[SUBPROTOCOL] = protocols[0];
    Object.defineProperty(this, "protocol", { value: "" });
  }
}
