/**
 * Handshakes of the library `ws`: a request for a WebSocket and its socket become a WebSocket whose frames are bounded
 * while they come. PROTOCOL.md §7.1.
 *
 * Compression is not offered: it costs memory for each connection, and what a peer compresses is not bounded before it
 * is expanded.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
// @ts-types="@types/ws"
import { type ServerOptions, WebSocketServer } from "ws";
import type { Limits } from "../../src/protocol/limits.ts";
import { PeerSocket } from "./connection_ws.ts";

/**
 * Fragments of one message, and reads that one frame came in. The library holds each, and each holds up to 9 KiB of
 * what the socket had allocated for it, however small it is. No known client makes fragments of a chat message, and a
 * network brings 512 bytes at a time at the very least.
 */
export const FRAGMENTS_MAX = 128;
const READS_MAX = 128;
const READ_BYTES_MIN = 512;

const NO_BYTES = Buffer.alloc(0);

/** What the library takes since 8.20 and its types do not name yet. */
interface NewServerOptions extends ServerOptions<typeof PeerSocket> {
  maxBufferedChunks: number;
  maxFragments: number;
}

export class WsHandshakes {
  readonly #limits: Pick<Limits, "maxFrameBytes">;
  readonly #server: InstanceType<typeof WebSocketServer<typeof PeerSocket>>;
  /** What the handshake under way agrees on. */
  #subprotocol: string | undefined;

  constructor(limits: Pick<Limits, "maxFrameBytes">) {
    this.#limits = limits;
    const options: NewServerOptions = {
      noServer: true,
      WebSocket: PeerSocket,
      clientTracking: false,
      perMessageDeflate: false,
      // The connection answers pings itself, within bounds.
      autoPong: false,
      // The library's default would choose whatever a client names first.
      handleProtocols: () => this.#subprotocol ?? false,
      maxFragments: FRAGMENTS_MAX,
      ...frameBounds(limits),
    };
    this.#server = new WebSocketServer(options);
  }

  /**
   * The WebSocket, which keeps nothing of the request. Undefined where the handshake is malformed: the library has
   * refused it then, and ends the socket.
   */
  shake(request: IncomingMessage, socket: Socket, subprotocol: string | undefined): PeerSocket | undefined {
    let webSocket: PeerSocket | undefined;
    this.#subprotocol = subprotocol;
    // The library gives them to each WebSocket as it is opened.
    Object.assign(this.#server.options, frameBounds(this.#limits));
    this.#server.handleUpgrade(request, socket, NO_BYTES, (opened: PeerSocket) => webSocket = opened);
    return webSocket;
  }
}

/** How large a frame may be, and in how many reads it may come. */
function frameBounds({ maxFrameBytes }: Pick<Limits, "maxFrameBytes">) {
  return {
    maxPayload: maxFrameBytes,
    maxBufferedChunks: Math.max(READS_MAX, Math.ceil(maxFrameBytes / READ_BYTES_MIN)),
  };
}
