/**
 * HTTP of the transport `ws`: a server of node:http or node:https with limits on headers, waits and connections, for an
 * application of `Request` and `Response`. hono's adapter translates. A socket whose WebSocket request was admitted is
 * passed on; this opens none.
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
import { placesOf } from "../../src/address.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Tls } from "../../src/serving/tls_files.ts";
import type { FairReads } from "./fair_reads.ts";
import { HttpConnections, type HttpPlace } from "./http_connections.ts";
import { LingeringCloses } from "./lingering_closes.ts";
import { type AdmittedSocket, NO_HANDSHAKE, type Peer, type TransportOptions } from "./transport.ts";

/** Bytes of a request's head: browsers with cookies and proxies send less than half of it. */
export const HEAD_BYTES_MAX = 16_384;
/** Headers of a request: browsers send some 20, proxies add a few. Each is checked one by one. */
export const HEADERS_MAX = 100;
/**
 * Connections that are not WebSockets, each with a file descriptor; at most `--max-sockets` too, so that an operator
 * with few descriptors has one limit to set.
 */
export const HTTP_CONNECTIONS_MAX = 1024;
/**
 * The part of those that one address or site may have at most: whatever `--max-sockets-per-address` is, others have as
 * many.
 */
const PLACE_PART_MAX = 1 / 2;

/** Milliseconds. */
export interface HttpWaits {
  /** From the connection, or the first byte, to the complete request: half a request holds a descriptor. */
  readonly request: number;
  /** From an answer to the next request: a page loads its files over one connection. */
  readonly nextRequest: number;
  /** Without a byte in or out while a request is answered: also for a peer that does not read. */
  readonly silence: number;
  /** From the close of our end to that of the peer's, which may have to read its answer first: some round trips. */
  readonly linger: number;
}

export const HTTP_WAITS: HttpWaits = { request: 10_000, nextRequest: 5000, silence: 30_000, linger: 2000 };
/** Milliseconds between two checks of node:http for late requests. */
const LOOK_MS = 500;
/** Connections that the system queues to be accepted. */
const BACKLOG = 511;

/** What node:http answers to a request that it cannot read, by the code of its error; to all others 400. */
const STATUS_BY_ERROR: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** An admitted request for a WebSocket. The receiver owns its connection. */
export interface AdmittedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly admitted: AdmittedSocket;
}

export interface NodeHttpOptions {
  readonly tls: Tls | undefined;
  readonly waits: HttpWaits;
  readonly limits: Pick<Limits, "maxSockets">;
  /** Threads that listen on the port: each has an equal share of HTTP_CONNECTIONS_MAX. */
  readonly sharers: number;
  readonly httpLimitOf: TransportOptions["httpLimitOf"];
  readonly fairReads: FairReads;
  readonly steadyMs: () => number;
  readonly handle: (request: Request, peer: Peer) => Response | Promise<Response>;
  readonly onLetIn: (letIn: AdmittedUpgrade) => void;
  /** Called for a bug while answering; the peer gets 500. */
  readonly onBug: (error: unknown) => void;
  readonly onFailure: (error: Error) => void;
}

export class NodeHttp {
  readonly #options: NodeHttpOptions;
  readonly #server: Server;
  readonly #connections: HttpConnections<Socket>;
  /** One function for all connections: `this` is the socket. */
  readonly #onClose: (this: Socket) => void;
  readonly #closes: LingeringCloses;

  constructor(options: NodeHttpOptions) {
    this.#options = options;
    const { tls, fairReads, steadyMs, waits: { request, nextRequest, silence, linger } } = options;
    // Not a share of --max-sockets: the system spreads connections unevenly, and handshakes would be cut for it.
    this.#connections = new HttpConnections(
      () => this.#connectionsMax,
      steadyMs,
    );
    const connections = this.#connections;
    this.#onClose = function () {
      connections.gone(this);
    };
    const closes = this.#closes = new LingeringCloses(fairReads, steadyMs, linger);
    const closeLingering = function (this: Socket) {
      closes.close(this);
    };
    const bounds = {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: request,
      requestTimeout: request,
      handshakeTimeout: request,
      keepAliveTimeout: nextRequest,
      connectionsCheckingInterval: Math.min(LOOK_MS, request),
      // Other upgrades, such as curl's to HTTP/2, are ignored and answered over HTTP/1.1.
      shouldUpgradeCallback: isForWebSocket,
    };
    const server = tls === undefined ? createServer(bounds) : createTlsServer({ ...tls, ...bounds });
    server.on("connection", (socket: Socket) => {
      socket.on("error", ignoreError);
      socket.on("close", this.#onClose);
      this.#connections.opened(socket, this.#placesOf(socket));
    });
    // After the listener of node:http, which sets the one for data.
    server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      readByEvents(socket);
      fairReads.add(socket, "drop");
      // node:http and hono's adapter call it after the last answer, whether the request is whole or not.
      socket.destroySoon = closeLingering;
    });
    server.on("clientError", (error, socket) => this.#refuseBroken(error, socket as Socket));
    const answer = this.#listener(({ gone }) => {
      gone();
      return refusal(STATUS_CODE.BadRequest, NO_HANDSHAKE);
    });
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      // Not the server's own timeout: WebSockets would keep its timers.
      request.socket.setTimeout(silence);
      // Destroyed without an error: node:http would make one for each request of a cut connection, stack included.
      if (!this.#asks(request.socket, response)) return void request.destroy();
      // A body that no route reads is dropped before the answer: the server's own limit of time ends an endless one.
      if (isBodiless(request.method) && hasBody(request)) {
        request.resume().once("end", () => answer(request, response));
      } else answer(request, response);
    };
    server.on("request", onRequest);
    // An unknown Expect is ignored: node:http would answer 417 past every limit of this file.
    server.on("checkExpectation", onRequest);
    server.on("upgrade", (request, socket: Socket, rest) => this.#upgrade(request, socket, rest));
    this.#server = server;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  /** Opens the port. Rejects with the runtime's error. */
  async listen(port: number, host: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    // Deno's types lack `reusePort`.
    const options = { port, host, backlog: BACKLOG, reusePort: this.#options.sharers > 1 };
    this.#server.listen(options, resolve);
    await promise;
    this.#server.removeListener("error", reject);
    this.#server.on("error", this.#options.onFailure);
  }

  /**
   * Call a few times a second. In Deno 2.9.6 a port whose accept failed, when descriptors ran out, accepts no more and
   * reports nothing. Listening again on its private handle wakes it and has no other effect.
   */
  wake(): void {
    const { _handle } = this.#server as { _handle?: { listen?(backlog: number): number } | null };
    _handle?.listen?.(BACKLOG);
  }

  /** Closes a refused socket once its peer has read the answer, within limits. */
  closeRefused(socket: Socket): void {
    this.#closes.close(socket);
  }

  /** Call a few times a second: cuts connections that have sent no whole request in time, or do not close. */
  cutIdle(): void {
    this.#closes.cutLate();
    const { request, nextRequest } = this.#options.waits;
    this.#connections.cutIdle(request + nextRequest);
  }

  /** Replaces the certificate for new connections. False without TLS. */
  renewTls(tls: Tls): boolean {
    if (!(this.#server instanceof TlsServer)) return false;
    this.#server.setSecureContext({ ...tls });
    return true;
  }

  /** Stops accepting and cuts all connections that are not WebSockets. Resolves when they are closed. */
  stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.cutAll();
    this.#closes.cutAll();
    return closed;
  }

  get #connectionsMax(): number {
    const { sharers, limits } = this.#options;
    return Math.min(Math.ceil(HTTP_CONNECTIONS_MAX / sharers), limits.maxSockets);
  }

  /** The limits of a new connection; none for a connection that has ended or whose address is exempt. */
  #placesOf({ remoteAddress }: Socket): HttpPlace[] {
    const each = remoteAddress === undefined ? undefined : this.#options.httpLimitOf?.(remoteAddress);
    if (remoteAddress === undefined || each === undefined) return [];
    const atMost = Math.ceil(this.#connectionsMax * PLACE_PART_MAX);
    return placesOf(remoteAddress).flatMap((place) =>
      place === undefined ? [] : { key: place.key, most: Math.min(place.times * each, atMost) }
    );
  }

  /** Counts a request until its answer is sent. False if there are too many. */
  #asks(socket: Socket, response: ServerResponse): boolean {
    const connection = connectionOf(socket);
    response.on("close", () => this.#connections.answered(connection));
    return this.#connections.asked(connection);
  }

  /** `upgrade` is called for an admitted WebSocket. */
  #listener(upgrade: Peer["upgrade"]): (request: IncomingMessage, response: ServerResponse) => void {
    const { handle, onBug } = this.#options;
    return getRequestListener((request, env) => {
      const incoming = env.incoming as IncomingMessage;
      if (incoming.rawHeaders.length > 2 * HEADERS_MAX) {
        return refusal(
          STATUS_CODE.RequestHeaderFieldsTooLarge,
          `Too many headers: at most ${HEADERS_MAX} are allowed`,
        );
      }
      // The runtime makes no request of this method.
      if (incoming.method === "TRACE") return refusal(STATUS_CODE.BadRequest, "TRACE is not allowed: GET is");
      const { remoteAddress = "", localAddress = remoteAddress } = incoming.socket;
      return handle(ofRuntime(request), { remoteAddress, arrivedAt: localAddress, upgrade });
    }, {
      overrideGlobalObjects: false,
      hostname: "localhost",
      errorHandler: (error) => {
        if (error instanceof RequestError) {
          return refusal(
            STATUS_CODE.BadRequest,
            "The request is malformed: its target or its Host is no URL",
          );
        }
        onBug(error);
        return refusal(STATUS_CODE.InternalServerError, FAULTS.INTERNAL);
      },
    });
  }

  /** Removes all HTTP listeners from a socket that becomes a WebSocket: there are many of those. */
  #release(socket: Socket): void {
    const connection = connectionOf(socket);
    this.#connections.gone(connection);
    connection.removeListener("close", this.#onClose);
    socket.removeListener("error", ignoreError);
  }

  /** Answers a request that is no HTTP, too large or too late, as node:http does, which would close at once. */
  #refuseBroken({ code = "" }: Error & { code?: string }, socket: Socket): void {
    const { _httpMessage } = socket as { _httpMessage?: ServerResponse | null };
    const isHttp = code.startsWith("HPE_") || code.startsWith("ERR_HTTP_");
    if (!isHttp || !socket.writable || _httpMessage?.headersSent) return void socket.destroy();
    const head = `HTTP/1.1 ${STATUS_BY_ERROR[code] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`;
    this.#closes.close(socket, head);
  }

  /** Makes a response for the socket, as node:http gives none for an upgrade: a refusal needs one. */
  #upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): void {
    this.#options.fairReads.of(socket)?.release();
    // Below TLS the connection is another socket.
    if (socket !== connectionOf(socket)) socket.on("error", ignoreError);
    // An earlier request is unanswered: its answer would go between the frames.
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

/** Copies a request with a body: hono's body limit works only on the runtime's own requests. */
function ofRuntime(request: Request): Request {
  const { url, method, headers } = request;
  if (isBodiless(method)) return request;
  return new Request(url, { method, headers: [...headers], body: request.body });
}

function isBodiless(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD";
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function isForWebSocket({ method, headers: { upgrade } }: IncomingMessage): boolean {
  return method === "GET" && upgrade?.toLowerCase() === "websocket";
}

/**
 * Has node:http read by the event `data`. Otherwise Deno's parser takes up to 64 KiB from the handle and answers all
 * requests in it at once. In Node.js a listener of `data` does this; Deno 2.9.6 needs the private call.
 */
function readByEvents(socket: Socket): void {
  const { parser, _handle } = socket as {
    parser?: { unconsume(): void; _consumed: boolean };
    _handle?: { _consumed: boolean };
  };
  if (parser === undefined || _handle === undefined) return;
  parser.unconsume();
  parser._consumed = _handle._consumed = false;
}

/** The accepted socket. For TLS it is a private field of node:tls. */
function connectionOf(socket: Socket): Socket {
  return (socket as { _parent?: Socket })._parent ?? socket;
}

function refusal(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=UTF-8" } });
}

/** Errors of the peer, such as a reset. Without a listener they would end the process. */
function ignoreError(): void {}
