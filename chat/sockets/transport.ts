/**
 * The port to a way of serving HTTP and WebSocket on one TCP port. Adapters lie beside it, one a transport; which
 * one is mod.ts's choice.
 *
 * It judges no request: what is served, and whose WebSocket is let in, is the application's. PROTOCOL.md §3.3.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Tls } from "../../src/serving/tls_files.ts";
import type { Accept } from "../delivery/connection.ts";

/** What `--transport` takes. */
export type TransportName = "serve" | "ws";

/** A WebSocket that was let in. */
export interface AdmittedSocket {
  /** Where it comes from, as everything behind the transport is to see it. */
  readonly remoteAddress: string;
  /** One that the handshake offers, and is to be agreed on; undefined for none. */
  readonly subprotocol: string | undefined;
  /** Called when the WebSocket is open; what it returns takes everything that comes over it. */
  readonly accept: Accept;
  /** Called once, when the socket is gone, or was never had because the handshake failed. */
  readonly gone: () => void;
}

/** What the transport knows of a request beyond the request. */
export interface Peer {
  /** The IP address of the other end of the connection. */
  readonly remoteAddress: string;
  /** Takes the WebSocket that the request asks for. Its answer is to be the request's, at once and unchanged. */
  upgrade(socket: AdmittedSocket): Response;
}

export interface TransportOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: Tls | undefined;
  /** Threads of this process that listen on the port, this one included. */
  readonly sharers: number;
  /** Answers a request. Fenced by itself: it does not throw. */
  readonly handle: (request: Request, peer: Peer) => Response | Promise<Response>;
  /**
   * As they are in force. Some hold for new connections only: on serve the pings, on ws how large a frame may be that
   * is refused while it comes. What a transport cannot refuse then is the session's to refuse.
   */
  readonly limits: Pick<Limits, "pingInterval" | "pingTimeout" | "maxFrameBytes" | "maxSockets">;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  readonly log: Logger;
}

export interface Transport {
  readonly port: number;
  /**
   * Has those who connect from now on see another certificate, and nobody else notice. False where this transport
   * cannot. It was proven to fit its key.
   */
  renewTls(tls: Tls): Promise<boolean>;
  /** Takes nobody any more, ends what is left, and resolves when all of it is gone. */
  stop(): Promise<void>;
}

/** Opens the port. Throws what the runtime says of it, as `AddrInUse`. */
export type StartTransport = (options: TransportOptions) => Promise<Transport>;
