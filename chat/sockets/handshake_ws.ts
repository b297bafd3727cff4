/**
 * Handshakes of the library `ws`: turns a request and its socket into a WebSocket with limits on its frames,
 * PROTOCOL.md §7.1. Compression is not offered: it takes memory for each connection, and a compressed frame has no
 * bound before it is expanded.
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
 * Fragments of a message, and reads of a frame, that the library holds. Each holds up to 9 KiB, however small it is. No
 * known client sends a chat message in fragments, and a read has at least 512 bytes in practice.
 */
export const FRAGMENTS_MAX = 128;
const READS_MAX = 128;
const READ_BYTES_MIN = 512;

const NO_BYTES = Buffer.alloc(0);

/** Options of the library since 8.20 that its types lack. */
interface NewServerOptions extends ServerOptions<typeof PeerSocket> {
  maxBufferedChunks: number;
  maxFragments: number;
}

export class WsHandshakes {
  readonly #limits: Pick<Limits, "maxFrameBytes">;
  readonly #server: InstanceType<typeof WebSocketServer<typeof PeerSocket>>;
  /** The subprotocol of the handshake in progress. */
  #subprotocol: string | undefined;

  constructor(limits: Pick<Limits, "maxFrameBytes">) {
    this.#limits = limits;
    const options: NewServerOptions = {
      noServer: true,
      WebSocket: PeerSocket,
      clientTracking: false,
      perMessageDeflate: false,
      // The connection answers pings itself, within limits.
      autoPong: false,
      // The library's default chooses the first that a client offers.
      handleProtocols: () => this.#subprotocol ?? false,
      maxFragments: FRAGMENTS_MAX,
      ...frameBounds(limits),
    };
    this.#server = new WebSocketServer(options);
  }

  /**
   * Returns the WebSocket, which does not keep the request. Undefined if the handshake is malformed: the library has
   * answered and ends the socket.
   */
  shake(request: IncomingMessage, socket: Socket, subprotocol: string | undefined): PeerSocket | undefined {
    let webSocket: PeerSocket | undefined;
    this.#subprotocol = subprotocol;
    // The library reads these options as it opens each WebSocket.
    Object.assign(this.#server.options, frameBounds(this.#limits));
    this.#server.handleUpgrade(request, socket, NO_BYTES, (opened: PeerSocket) => webSocket = opened);
    return webSocket;
  }
}

function frameBounds({ maxFrameBytes }: Pick<Limits, "maxFrameBytes">) {
  return {
    maxPayload: maxFrameBytes,
    maxBufferedChunks: Math.max(READS_MAX, Math.ceil(maxFrameBytes / READ_BYTES_MIN)),
  };
}

/** Private fields of Deno's sockets and emitters. */
interface Privates {
  _events?: Record<string, unknown> | undefined;
  _peername?: object | undefined;
  _sockname?: object | undefined;
}

/**
 * Drops what a session need not keep, 800 bytes of it. Call once all listeners are set. By then the table of a socket's
 * listeners has room for 16; a WebSocket, whose owner listens instead, has an empty one; and both ends' addresses are
 * read from the system again if they are asked for.
 */
export function shrink(socket: Socket & Privates, webSocket: PeerSocket & Privates): void {
  const events: Record<string, unknown> = {};
  for (const name in socket._events) {
    if (socket._events[name] !== undefined) events[name] = socket._events[name];
  }
  socket._events = events;
  socket._peername = socket._sockname = undefined;
  webSocket._events = undefined;
}
