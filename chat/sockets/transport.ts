/**
 * The port to a server of HTTP and WebSocket on one TCP port, PROTOCOL.md §3.3. It decides no request: the application
 * answers, and admits WebSockets. mod.ts chooses the adapter.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Tls } from "../../src/serving/tls_files.ts";
import type { Accept } from "../delivery/connection.ts";

export type TransportName = "serve" | "ws";

/** The answer to a request for an upgrade that is no handshake. */
export const NO_HANDSHAKE =
  "Not a WebSocket handshake: a GET with Upgrade: websocket, Connection: Upgrade, " +
  "Sec-WebSocket-Key and Sec-WebSocket-Version: 13 is one";

export interface AdmittedSocket {
  /** The client's address: the peer's, or the one that a trusted proxy reports. */
  readonly remoteAddress: string;
  /** The offered subprotocol to agree on; undefined for none. */
  readonly subprotocol: string | undefined;
  /** Called when the WebSocket is open. Returns the receiver of its events. */
  readonly accept: Accept;
  /** Called once, when the socket is closed or the handshake has failed. */
  readonly gone: () => void;
  /**
   * The request's signal, which aborts when the client leaves. Needed if the upgrade waits for something, and read
   * before that: `serve` never reports the end of an upgrade whose client has left.
   */
  readonly left?: AbortSignal;
}

export interface Peer {
  /** The IP address of the other end of the connection. */
  readonly remoteAddress: string;
  /** The IP address at which the connection arrived. Where the transport does not have it, the other end's. */
  readonly arrivedAt: string;
  /** Accepts the WebSocket that the request asks for. Return its answer at once and unchanged. */
  upgrade(socket: AdmittedSocket): Response;
}

export interface TransportOptions {
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls: Tls | undefined;
  /** Threads of this process that listen on the port, this one included. */
  readonly sharers: number;
  /** Answers a request. Has a fence of its own: it does not throw. */
  readonly handle: (request: Request, peer: Peer) => Response | Promise<Response>;
  /**
   * Read when needed. Some apply to new connections only: pings of serve, and the frame size of ws, which sessions
   * check too.
   */
  readonly limits: Pick<Limits, "pingInterval" | "pingTimeout" | "maxFrameBytes" | "maxSockets">;
  /**
   * Connections that are not WebSockets that the address of a peer may have on this thread; undefined for no limit. Read
   * at each connection. `serve` cannot know them.
   */
  readonly httpLimitOf?: (peerAddress: string) => number | undefined;
  readonly steadyMs: () => number;
  readonly log: Logger;
}

export interface Transport {
  readonly port: number;
  /**
   * Replaces the certificate for new connections; others are not affected. False if the transport cannot. Call
   * `proveTls` first.
   */
  renewTls(tls: Tls): Promise<boolean>;
  /** Stops accepting, ends all connections, and resolves when they are closed. */
  stop(): Promise<void>;
}

/** Opens the port. Throws the runtime's error, such as `AddrInUse`. */
export type StartTransport = (options: TransportOptions) => Promise<Transport>;
