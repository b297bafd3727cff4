/**
 * HTTP of the transport `ws`: a server of node:http or node:https with bounds on heads, waits and connections, in front of
 * an application that answers `Request` by `Response`. The adapter of hono translates.
 *
 * It opens no WebSocket: a socket whose request for one was let in is handed on.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { STATUS_CODE } from "@std/http/status";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Tls } from "../../src/serving/tls_files.ts";
import { HttpConnections } from "./http_connections.ts";
import type { AdmittedSocket, Peer } from "./transport.ts";

/** Bytes of a request's head: browsers with cookies and proxies with their headers stay below half of it. */
export const HEAD_BYTES_MAX = 16_384;
/** Headers of a request: browsers send some 20, a proxy adds a few. Each is looked at one by one. */
export const HEADERS_MAX = 100;
/**
 * Connections that are no WebSockets, each with a file descriptor. An honest request is there at once. There are no more
 * of them than WebSockets either, so that who has few descriptors has one limit to set.
 */
export const HTTP_CONNECTIONS_MAX = 1024;

/** Milliseconds. */
export interface HttpWaits {
  /** From the connection, or a request's first byte, to the whole request: half a request holds a descriptor. */
  readonly request: number;
  /** From an answer to the next request: a page's files come over one connection within that. */
  readonly nextRequest: number;
  /** Without a byte in or out while a request is answered: the work on it, and a peer that reads nothing. */
  readonly silence: number;
}

export const HTTP_WAITS: HttpWaits = { request: 10_000, nextRequest: 5000, silence: 30_000 };
/** Milliseconds between two looks of node:http at which requests are late. */
const LOOK_MS = 500;
/** Connections that may wait in the system to be accepted. */
const BACKLOG = 511;

/** A request for a WebSocket that was let in, and its connection, which is the receiver's from then on. */
export interface LetIn {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly admitted: AdmittedSocket;
}

export interface NodeHttpOptions {
  readonly tls: Tls | undefined;
  readonly waits: HttpWaits;
  readonly limits: Pick<Limits, "maxSockets">;
  /** Threads that listen on the port: each has its share of the connections. */
  readonly sharers: number;
  /** Answers a request. */
  readonly handle: (request: Request, peer: Peer) => Response | Promise<Response>;
  readonly onLetIn: (letIn: LetIn) => void;
  /** Called for a bug in answering: the peer is answered 500. */
  readonly onBug: (error: unknown) => void;
  /** Called for a failure of the open port. */
  readonly onFailure: (error: Error) => void;
}

export class NodeHttp {
  readonly #options: NodeHttpOptions;
  readonly #server: Server;
  readonly #connections: HttpConnections<Socket>;
  /** Called by a connection, and one function for all of them. */
  readonly #onClose: (this: Socket) => void;

  constructor(options: NodeHttpOptions) {
    this.#options = options;
    const { tls, limits, sharers, waits: { request, nextRequest, silence } } = options;
    this.#connections = new HttpConnections(() =>
      Math.ceil(Math.min(HTTP_CONNECTIONS_MAX, limits.maxSockets) / sharers)
    );
    const connections = this.#connections;
    this.#onClose = function () {
      connections.gone(this);
    };
    const bounds = {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: request,
      requestTimeout: request,
      handshakeTimeout: request,
      keepAliveTimeout: nextRequest,
      connectionsCheckingInterval: Math.min(LOOK_MS, request),
      // Others that ask for an upgrade, as curl for HTTP/2, are answered as if they did not.
      shouldUpgradeCallback: isForWebSocket,
    };
    const server = tls === undefined ? createServer(bounds) : createTlsServer({ ...tls, ...bounds });
    server.on("connection", (socket: Socket) => {
      socket.on("error", ignoreError);
      socket.on("close", this.#onClose);
      this.#connections.opened(socket);
    });
    const answer = this.#listener(({ gone }) => {
      gone();
      return refusal(STATUS_CODE.BadRequest, "Not a WebSocket handshake");
    });
    server.on("request", (request, response) => {
      // Not by the server's own timeout, whose timers the WebSockets would keep.
      request.socket.setTimeout(silence);
      if (this.#asks(request.socket, response)) answer(request, response);
    });
    server.on("upgrade", (request, socket: Socket, rest) => this.#upgrade(request, socket, rest));
    this.#server = server;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  /** Opens the port. Rejects with what the runtime says of it. */
  async listen(port: number, host: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    // The types of Deno do not name `reusePort` yet.
    const options = { port, host, backlog: BACKLOG, reusePort: this.#options.sharers > 1 };
    this.#server.listen(options, resolve);
    await promise;
    this.#server.removeListener("error", reject);
    this.#server.on("error", this.#options.onFailure);
  }

  /**
   * Call a few times a second. On Deno 2.9.6 a port whose accept failed, for want of a file descriptor, takes nobody any
   * more and does not tell. To listen again on its handle, which node:net keeps to itself, wakes it and does nothing else.
   */
  wake(): void {
    const { _handle } = this.#server as { _handle?: { listen?(backlog: number): number } | null };
    _handle?.listen?.(BACKLOG);
  }

  /** Shows another certificate to those who connect from now on; false without TLS. */
  renewTls(tls: Tls): boolean {
    if (!(this.#server instanceof TlsServer)) return false;
    this.#server.setSecureContext({ ...tls });
    return true;
  }

  /** Takes nobody any more, and cuts all connections but the WebSockets; resolves when those are gone. */
  stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.cutAll();
    return closed;
  }

  /** Counts a request until its answer has left. False where it is one too many. */
  #asks(socket: Socket, response: ServerResponse): boolean {
    const connection = connectionOf(socket);
    response.on("close", () => this.#connections.answered(connection));
    return this.#connections.asked(connection);
  }

  /** `upgrade` answers where a WebSocket is let in. */
  #listener(upgrade: Peer["upgrade"]): (request: IncomingMessage, response: ServerResponse) => void {
    const { handle, onBug } = this.#options;
    return getRequestListener((request, env) => {
      const incoming = env.incoming as IncomingMessage;
      if (incoming.rawHeaders.length > 2 * HEADERS_MAX) {
        return refusal(STATUS_CODE.RequestHeaderFieldsTooLarge, "The request has too many headers");
      }
      return handle(ofRuntime(request), { remoteAddress: incoming.socket.remoteAddress ?? "", upgrade });
    }, {
      overrideGlobalObjects: false,
      hostname: "localhost",
      errorHandler: (error) => {
        if (error instanceof RequestError) return refusal(STATUS_CODE.BadRequest, "The request is malformed");
        onBug(error);
        return refusal(STATUS_CODE.InternalServerError, "Internal error");
      },
    });
  }

  /** Leaves nothing of its own on a socket that becomes a WebSocket, of which there are many. */
  #release(socket: Socket): void {
    const connection = connectionOf(socket);
    this.#connections.gone(connection);
    connection.removeListener("close", this.#onClose);
    socket.removeListener("error", ignoreError);
  }

  /** Node gives a socket and no response: one is made, for whoever is not let in. */
  #upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): void {
    // Below TLS it is another socket than the one of the connection.
    if (socket !== connectionOf(socket)) socket.on("error", ignoreError);
    // Sent ahead of the answer to another request, which would come amid the frames.
    if (this.#connections.isAsking(connectionOf(socket))) return void socket.destroy();
    if (rest.length > 0) socket.unshift(rest);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("finish", () => socket.destroySoon());
    this.#asks(socket, response);
    this.#listener((admitted) => {
      response.detachSocket(socket);
      this.#release(socket);
      this.#options.onLetIn({ request, socket, admitted });
      return RESPONSE_ALREADY_SENT;
    })(request, response);
  }
}

/** The adapter's requests look like the runtime's, which takes none of them for one of its own: hono bounds bodies so. */
function ofRuntime(request: Request): Request {
  const { url, method, headers } = request;
  if (method === "GET" || method === "HEAD") return request;
  return new Request(url, { method, headers: [...headers], body: request.body });
}

function isForWebSocket({ method, headers: { upgrade } }: IncomingMessage): boolean {
  return method === "GET" && upgrade?.toLowerCase() === "websocket";
}

/** What was accepted: below TLS there is another socket, which node:tls keeps to itself. */
function connectionOf(socket: Socket): Socket {
  return (socket as { _parent?: Socket })._parent ?? socket;
}

function refusal(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=UTF-8" } });
}

/** Of the peer's making, as a reset. Without a listener it would be an error of the process. */
function ignoreError(): void {}
