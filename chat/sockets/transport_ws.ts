/**
 * The transport for many clients and for the public internet: the library `ws` on sockets of node:http, with limits
 * enforced on every frame, wait and stuck peer, PROTOCOL.md §7.1 and §7.3.
 *
 * @module
 */
import { proveTls, type Tls } from "../../src/serving/tls_files.ts";
import { WsConnection, type WsConnectionRules } from "./connection_ws.ts";
import { FairReads } from "./fair_reads.ts";
import { shrink, WsHandshakes } from "./handshake_ws.ts";
import { type AdmittedUpgrade, HTTP_WAITS, type HttpWaits, NodeHttp } from "./http_node.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/** Milliseconds between two beats, for pings and deadlines: no deadline is late by more. */
const BEAT_MS = 500;
/** Milliseconds between two logged failures of the port. */
const FAILURE_LOG_MS = 60_000;

/** Opens the port. Throws the runtime's error, or that of a certificate that does not fit its key. */
export async function startWs(options: TransportOptions, waits: HttpWaits = HTTP_WAITS): Promise<Transport> {
  if (options.tls !== undefined) proveTls(options.tls);
  const transport = new WsTransport(options, waits);
  await transport.listen();
  return transport;
}

class WsTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #http: NodeHttp;
  readonly #handshakes: WsHandshakes;
  readonly #fairReads: FairReads;
  readonly #connections = new Set<WsConnection>();
  readonly #rules: WsConnectionRules;
  #beat: ReturnType<typeof setInterval> | undefined;
  #failureLoggedMs = -Infinity;
  /** Called when the last WebSocket is closed. */
  #onEmpty = () => {};

  constructor(options: TransportOptions, waits: HttpWaits) {
    this.#options = options;
    const { tls, limits, sharers, httpLimitOf, steadyMs, log, handle } = options;
    this.#handshakes = new WsHandshakes(limits);
    this.#fairReads = new FairReads(steadyMs);
    this.#http = new NodeHttp({
      tls,
      waits,
      limits,
      sharers,
      httpLimitOf,
      fairReads: this.#fairReads,
      steadyMs,
      handle,
      onLetIn: (letIn) => this.#connect(letIn),
      onBug: (error) => log.error("bug", { where: "http", error }),
      onFailure: (error) => this.#logFailure(error),
    });
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
        if (this.#connections.size === 0) this.#onEmpty();
      },
    };
  }

  get port(): number {
    return this.#http.port;
  }

  async listen(): Promise<void> {
    const { hostname, port, steadyMs } = this.#options;
    await this.#http.listen(port, hostname);
    this.#beat = setInterval(() => {
      const nowMs = steadyMs();
      for (const connection of this.#connections) connection.beat(nowMs);
      this.#http.cutIdle();
      this.#http.wake();
    }, BEAT_MS);
  }

  renewTls(tls: Tls): Promise<boolean> {
    return Promise.resolve(this.#http.renewTls(tls));
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat);
    const stopped = this.#http.stop();
    if (this.#connections.size > 0) {
      const empty = new Promise<void>((resolve) => this.#onEmpty = resolve);
      for (const connection of this.#connections) connection.terminate();
      await empty;
    }
    await stopped;
  }

  /** Its closures live as long as the connection, so none of them keeps the request. */
  #connect({ request, socket, admitted }: AdmittedUpgrade): void {
    const webSocket = this.#handshakes.shake(request, socket, admitted.subprotocol);
    if (webSocket === undefined) {
      // The library would cut it as soon as its refusal is written.
      socket.removeListener("finish", socket.destroy);
      socket.once("close", admitted.gone);
      return this.#http.closeRefused(socket);
    }
    const reading = this.#fairReads.add(socket, "read");
    shrink(socket, webSocket);
    this.#connections.add(new WsConnection(webSocket, { admitted, reading, stream: socket }, this.#rules));
  }

  /** At most one line a minute: the failure may repeat. Open connections stay. */
  #logFailure({ message }: Error): void {
    const nowMs = this.#options.steadyMs();
    if (nowMs - this.#failureLoggedMs < FAILURE_LOG_MS) return;
    this.#failureLoggedMs = nowMs;
    this.#options.log.error("transport.failed", { problem: message });
  }
}
