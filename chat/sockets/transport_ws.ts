/**
 * The transport for crowds and for the open internet: the library `ws` on sockets of node:net, where every frame,
 * wait and stuck peer has a bound that is held while it happens.
 *
 * HTTP beside it is served by http_exchange.ts. Compression is not offered: it costs memory for each connection, and
 * what a peer compresses is not bounded before it is expanded. PROTOCOL.md §7.1 and §7.3.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { createServer, Server, type Socket } from "node:net";
import { createServer as createTlsServer, Server as TlsServer } from "node:tls";
// @ts-types="@types/ws"
import { type ServerOptions, WebSocketServer } from "ws";
import { AcceptWatch } from "./accept_watch.ts";
import { PeerSocket, WsConnection, type WsConnectionRules } from "./connection_ws.ts";
import { type Handshake, HttpExchange, REQUEST_MS } from "./http_exchange.ts";
import { FairReads } from "./fair_reads.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { proveTls, type Tls } from "../../src/serving/tls_files.ts";
import type { AdmittedSocket, StartTransport, Transport, TransportOptions } from "./transport.ts";

/** Milliseconds between two looks at all connections, for pings and deadlines: half of the shortest of those. */
const BEAT_MS = 500;
/** Connections whose request has not come whole. Past it the oldest is cut: an honest request is there at once. */
export const UNREAD_REQUESTS_MAX = 1024;
/**
 * Fragments of one message, and reads that one frame came in. The library holds each, and each holds up to 9 KiB of
 * what the socket had allocated for it, however small it is. No known client makes fragments of a chat message, and a
 * network brings 512 bytes at a time at the very least.
 */
export const FRAGMENTS_MAX = 128;
const READS_MAX = 128;
const READ_BYTES_MIN = 512;
/** Milliseconds between two lines of the log that the port's failures make. */
const FAILURE_LOG_MS = 60_000;

/** What the library looks at of a request, and what its handshake is to agree on. */
interface AdmittedRequest extends IncomingMessage {
  readonly subprotocol: string | undefined;
}

/** What the library takes since 8.20 and its types do not name yet. */
interface NewServerOptions extends ServerOptions<typeof PeerSocket> {
  maxBufferedChunks: number;
  maxFragments: number;
}

export const startWs: StartTransport = async (options) => {
  if (options.tls !== undefined) proveTls(options.tls);
  const transport = new WsTransport(options);
  await transport.listen();
  return transport;
};

class WsTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #webSockets: InstanceType<typeof WebSocketServer<typeof PeerSocket>>;
  readonly #server: Server;
  readonly #turns: FairReads;
  /** In order of their arrival. */
  readonly #exchanges = new Set<HttpExchange>();
  readonly #connections = new Set<WsConnection>();
  readonly #rules: WsConnectionRules;
  #beat: ReturnType<typeof setInterval> | undefined;
  #watch: AcceptWatch | undefined;
  #failureLoggedMs = -Infinity;
  /** Resolves when nobody is left after the stop. */
  readonly #empty = Promise.withResolvers<void>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#turns = new FairReads(options.steadyMs);
    const { tls, limits, steadyMs, log } = options;
    this.#rules = {
      log,
      steadyMs,
      get pingIntervalMs() {
        return limits.pingInterval * 1000;
      },
      get pingTimeoutMs() {
        return limits.pingTimeout * 1000;
      },
      onGone: (gone) => {
        this.#connections.delete(gone);
        this.#tellIfEmpty();
      },
    };
    const webSocketOptions: NewServerOptions = {
      noServer: true,
      WebSocket: PeerSocket,
      clientTracking: false,
      perMessageDeflate: false,
      // The connection answers pings itself, within bounds.
      autoPong: false,
      // The library's default would choose whatever a client names first.
      handleProtocols: (_, request) => (request as AdmittedRequest).subprotocol ?? false,
      maxFragments: FRAGMENTS_MAX,
      ...frameBounds(limits),
    };
    this.#webSockets = new WebSocketServer(webSocketOptions);
    this.#server = this.#makeServer(tls);
  }

  #makeServer(tls: Tls | undefined): Server {
    const onSocket = (socket: Socket) => this.#exchange(socket);
    const server = tls === undefined
      ? createServer(onSocket)
      : createTlsServer({ ...tls, handshakeTimeout: REQUEST_MS }, onSocket);
    // With TLS this comes before the handshake.
    server.on("connection", () => this.#watch?.heard(this.#options.steadyMs()));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  async listen(): Promise<void> {
    const { hostname, port, steadyMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#listen(port, resolve);
    await promise;
    this.#server.removeListener("error", reject);
    this.#survive();
    this.#watch = new AcceptWatch({
      hostname,
      port: this.port,
      sharers: this.#options.sharers,
      nowMs: steadyMs(),
      onDeaf: (problem) => this.#reopen(problem),
    });
    this.#beat = setInterval(() => this.#beatAll(steadyMs()), BEAT_MS);
  }

  #listen(port: number, onListening: () => void): void {
    const { hostname: host, sharers } = this.#options;
    // The types of Deno do not name `reusePort` yet.
    const options = { port, host, reusePort: sharers > 1 };
    this.#server.listen(options, onListening);
  }

  /** Those who are connected stay, and it tries again by itself. */
  #survive(): void {
    this.#server.on("error", (error: Error) => {
      this.#watch?.heard(this.#options.steadyMs());
      this.#logFailure("transport.failed", error.message);
    });
  }

  renewTls(tls: Tls): Promise<boolean> {
    if (!(this.#server instanceof TlsServer)) return Promise.resolve(false);
    this.#server.setSecureContext({ ...tls });
    return Promise.resolve(true);
  }

  /** Opens the port anew; whoever is connected stays. */
  #reopen(problem: string): void {
    const { port } = this.#watch!;
    this.#logFailure("port.lost", problem);
    // Whoever has not said in all this time what it wants may hold the descriptors that are wanted.
    for (const exchange of this.#exchanges) if (!exchange.isRead) exchange.socket.destroy();
    this.#server.close();
    this.#listen(port, () => this.#options.log.info("port.reopened", { port }));
  }

  /** Logs what can come again and again while it lasts. */
  #logFailure(event: "transport.failed" | "port.lost", problem: string): void {
    const nowMs = this.#options.steadyMs();
    if (nowMs - this.#failureLoggedMs < FAILURE_LOG_MS) return;
    this.#failureLoggedMs = nowMs;
    this.#options.log.error(event, { problem });
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat);
    this.#beat = undefined;
    this.#watch?.stop();
    // Not its own word that all are gone: some versions of Deno never give it once a connection was cut.
    this.#server.close();
    for (const exchange of this.#exchanges) exchange.socket.destroy();
    for (const connection of this.#connections) connection.terminate();
    this.#tellIfEmpty();
    await this.#empty.promise;
  }

  #tellIfEmpty(): void {
    const isStopped = this.#beat === undefined;
    if (isStopped && this.#exchanges.size === 0 && this.#connections.size === 0) this.#empty.resolve();
  }

  #beatAll(nowMs: number): void {
    for (const exchange of this.#exchanges) if (nowMs >= exchange.deadlineMs) exchange.socket.destroy();
    for (const connection of this.#connections) connection.beat(nowMs);
    this.#watch?.beat(nowMs);
  }

  #exchange(socket: Socket): void {
    const { log, handle, tls, maxBodyBytes, steadyMs, wallMs } = this.#options;
    socket.on("error", ignoreError);
    this.#watch?.heard(steadyMs());
    const exchange: HttpExchange = new HttpExchange(socket, {
      isTls: tls !== undefined,
      maxBodyBytes: maxBodyBytes(),
      handle,
      onUpgrade: (exchange, handshake) => this.#upgrade(exchange, handshake),
      steadyMs,
      wallMs,
      onClosed: () => {
        this.#exchanges.delete(exchange);
        this.#tellIfEmpty();
      },
      onBug: (error) => log.error("bug", { where: "http", error }),
    });
    this.#exchanges.add(exchange);
    if (this.#exchanges.size > UNREAD_REQUESTS_MAX) this.#cutOldestUnread();
  }

  #cutOldestUnread(): void {
    for (const exchange of this.#exchanges) {
      // One that was cut before is here until its end is told.
      if (exchange.isRead || exchange.socket.destroyed) continue;
      exchange.socket.destroy();
      return;
    }
  }

  #upgrade(exchange: HttpExchange, { head: { method, target, headers }, admitted, rest }: Handshake): void {
    const { socket } = exchange;
    const request = {
      method,
      url: target,
      headers: Object.fromEntries(headers),
      subprotocol: admitted.subprotocol,
    } as unknown as AdmittedRequest;
    let isUpgraded = false;
    const head = Buffer.from(rest.buffer, rest.byteOffset, rest.length);
    // The library gives them to each WebSocket as it is opened.
    Object.assign(this.#webSockets.options, frameBounds(this.#options.limits));
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket: PeerSocket) => {
      isUpgraded = true;
      exchange.release();
      this.#exchanges.delete(exchange);
      this.#connect(webSocket, socket, admitted);
    });
    if (!isUpgraded) admitted.gone();
    socket.resume();
  }

  /** What it makes lives as long as the connection, and knows nothing of the request: that would live as long too. */
  #connect(webSocket: PeerSocket, stream: Socket, admitted: AdmittedSocket): void {
    const reading = this.#turns.take(stream);
    this.#connections.add(new WsConnection(webSocket, { admitted, reading, stream }, this.#rules));
  }
}

/** How large a frame may be, and in how many reads it may come. */
function frameBounds({ maxFrameBytes }: Pick<Limits, "maxFrameBytes">) {
  return {
    maxPayload: maxFrameBytes,
    maxBufferedChunks: Math.max(READS_MAX, Math.ceil(maxFrameBytes / READ_BYTES_MIN)),
  };
}

/** Of the peer's making, as a reset. Without a listener it would be an error of the process. */
function ignoreError(): void {}
