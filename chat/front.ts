/**
 * A front: the port and everybody who came in by it, which is the transport, the HTTP side, whose WebSocket is let in,
 * and the sessions. It decides nothing of the room: what its sessions submit goes to an inbox.
 *
 * @module
 */
import type { Hono } from "hono";
import { steadyClock, wallClock } from "../src/clock.ts";
import { within } from "../src/http_server.ts";
import type { Logger } from "../src/log.ts";
import type { AnswerMetrics } from "../src/metrics_route.ts";
import { LIVE_SUBPROTOCOL } from "../src/protocol/codec.ts";
import type { WebAssets } from "../src/web_assets.ts";
import { adminBodyBytesMax } from "./admin.ts";
import type { Admission, Admitted, Refused } from "./admission.ts";
import { chatApp, refusalResponse } from "./app.ts";
import { CLOSE, type Connection } from "./connection.ts";
import type { ChatMeters } from "./meters.ts";
import { type Inbox, Session } from "./session.ts";
import type { SettingsInForce } from "./settings.ts";
import type { Tls } from "../src/tls_files.ts";
import type { Peer, StartTransport, Transport, TransportOptions } from "./transport.ts";

export interface FrontOptions extends Pick<TransportOptions, "hostname" | "port" | "tls"> {
  readonly transport: StartTransport;
  readonly serverId: number;
  readonly settings: SettingsInForce;
  /** Where what the sessions receive goes: the hub. */
  readonly inbox: Inbox;
  readonly admission: Admission;
  /** What answers under `/admin`. */
  readonly admin: Hono<{ Bindings: Pick<Peer, "remoteAddress"> }>;
  /** Whether what is behind it can do its work. */
  readonly isReady: () => Promise<boolean>;
  readonly assets: WebAssets;
  /** What answers `/metrics`. */
  readonly metrics: AnswerMetrics;
  readonly meters: ChatMeters;
  readonly log: Logger;
}

/** Milliseconds that a stop waits for connections to end, and then for the transport. */
const DRAIN_MS = 1000;

export class Front {
  readonly #options: FrontOptions;
  readonly #sessions = new Set<Session>();
  /** Called when the last of them is over. */
  #onEmpty = () => {};
  #transport: Transport | undefined;
  #isStopping = false;

  private constructor(options: FrontOptions) {
    this.#options = options;
    options.meters.readSockets(this.#sessions);
  }

  /** Opens the port. Throws what the runtime says of it. */
  static async open(options: FrontOptions): Promise<Front> {
    const front = new Front(options);
    front.#transport = await front.#openTransport();
    return front;
  }

  get port(): number {
    return this.#transport?.port ?? 0;
  }

  /** The settings have changed: makes anew what was made of them. */
  reconfigured(): void {
    const { assets, settings } = this.#options;
    assets.refill({ serverName: settings.name });
  }

  /** As the transport does it: false where it cannot. */
  async renewTls(tls: Tls): Promise<boolean> {
    return await this.#transport?.renewTls(tls) ?? false;
  }

  /** Everybody with a socket, connected or not. */
  get sessions(): Iterable<Session> {
    return this.#sessions;
  }

  /** Lets nobody in any more, and says that it is not ready. */
  refuse(): void {
    this.#isStopping = true;
  }

  /** Says goodbye to everyone, cuts who does not answer, and closes the port. */
  async close(): Promise<void> {
    this.refuse();
    const sessions = this.#sessions;
    for (const session of sessions) session.end(CLOSE.stopping);
    // The transport's stop would overtake these.
    await within(DRAIN_MS, this.#empty());
    for (const session of sessions) session.terminate();
    if (this.#transport !== undefined) await within(DRAIN_MS, this.#transport.stop());
  }

  #openTransport(): Promise<Transport> {
    const { hostname, port, tls, settings, admission, isReady, log } = this.#options;
    const { limits } = settings;
    const app = chatApp({
      ...this.#options,
      get serverName() {
        return settings.name;
      },
      upgrade: (request, peer) => this.#upgrade(request, peer),
      isReady: async () => !this.#isStopping && await isReady(),
      steadyMs: steadyClock,
    });
    return this.#options.transport({
      hostname,
      port,
      tls,
      handle: (request, peer) =>
        app.fetch(request, {
          remoteAddress: admission.addressOf(peer.remoteAddress, request.headers.get("x-forwarded-for")),
          upgrade: (socket) => peer.upgrade(socket),
        }),
      limits,
      maxBodyBytes: () => adminBodyBytesMax(limits),
      steadyMs: steadyClock,
      wallMs: wallClock,
      log,
    });
  }

  #upgrade(request: Request, peer: Peer): Response {
    if (this.#isStopping) return new Response("Server is stopping\n", { status: 503 });
    const arrival = { remoteAddress: peer.remoteAddress, origin: request.headers.get("origin") };
    return this.#answerHandshake(request, peer, this.#options.admission.admit(arrival, steadyClock()));
  }

  #answerHandshake(request: Request, peer: Peer, admitted: Admitted | Refused): Response {
    const { remoteAddress } = peer;
    if (admitted.isAdmitted) {
      const subprotocol = offersLive(request.headers) ? LIVE_SUBPROTOCOL : undefined;
      const accept = (connection: Connection) => this.#accept(connection);
      return peer.upgrade({ remoteAddress, subprotocol, accept, gone: admitted.leave });
    }
    this.#options.meters.socketRefused(admitted.reason);
    this.#options.log.debug("socket.refused", { reason: admitted.reason });
    return refusalResponse(admitted);
  }

  #accept(connection: Connection): Session {
    const { inbox, settings: { limits }, serverId, meters, log } = this.#options;
    const session = new Session({
      id: crypto.randomUUID(),
      connection,
      inbox,
      limits,
      serverId,
      steadyMs: steadyClock,
      onOver: this.#onOver,
      meters,
      log,
    });
    meters.socketOpened();
    this.#sessions.add(session);
    return session;
  }

  readonly #onOver = (session: Session): void => {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#onEmpty();
  };

  /** Resolves when nobody is here. */
  #empty(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty = resolve);
  }
}

function offersLive(headers: Headers): boolean {
  const offered = headers.get("sec-websocket-protocol")?.split(",") ?? [];
  return offered.some((name) => name.trim() === LIVE_SUBPROTOCOL);
}
