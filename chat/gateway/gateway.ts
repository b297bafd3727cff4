/**
 * A gateway: the transport, the HTTP side, admission, and the sessions of one port. It decides nothing about the
 * room; its sessions submit to an inbox.
 *
 * @module
 */
import { steadyClock } from "../../src/clock.ts";
import { settlesWithin } from "../../src/deadline.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { AnswerMetrics } from "../../src/metrics/route.ts";
import { LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";
import type { Participant } from "../delivery/participant.ts";
import { isHandshake, PageAccess, type PageRefusal } from "../../src/serving/page_access.ts";
import type { WebAssets } from "../../src/serving/web_assets.ts";
import type { AdminApp } from "../admin/mount.ts";
import type { Admission, Admitted, Refused } from "./admission.ts";
import { chatApp, refusalResponse } from "./http_app.ts";
import type { Connection } from "../delivery/connection.ts";
import { CLOSE } from "../../src/protocol/close_codes.ts";
import type { ChatMeters } from "../meters.ts";
import { FloodRate, type Inbox, Session, SessionLogs, type SessionRules } from "./session.ts";
import { pageTexts, type SettingsInForce } from "../settings.ts";
import type { Tls } from "../../src/serving/tls_files.ts";
import type { Peer, StartTransport, Transport, TransportOptions } from "../sockets/transport.ts";

/** The gateways of a node: one on the sequencer's thread, or several on threads of their own. */
export interface Gateways {
  readonly port: number;
  /** All participants with a socket, in the room or not. */
  readonly sessions: Iterable<Participant>;
  /** Applies changed settings. */
  reconfigured(): Promise<void>;
  /** As `Transport.renewTls`: false if it cannot. */
  renewTls(tls: Tls): Promise<boolean>;
  /** Refuses new connections and reports not ready. */
  refuse(): void;
  /** Resolves when all received frames are submitted. */
  flushInbound(): Promise<void>;
  /** Closes every connection, cuts those that do not answer, and closes the port. */
  close(): Promise<void>;
}

/** Decides handshakes, at once or after a question to another thread. */
export interface Gate {
  readonly addressOf: Admission["addressOf"];
  readonly httpLimitOf: Admission["httpLimitOf"];
  /** Undefined also if another thread counts. */
  readonly shareOf: Admission["shareOf"];
  admit(...arrival: Parameters<Admission["admit"]>): Admitted | Refused | Promise<Admitted | Refused>;
}

export interface GatewayOptions extends Pick<TransportOptions, "hostname" | "port" | "tls" | "sharers"> {
  readonly transport: StartTransport;
  readonly serverId: number;
  readonly settings: SettingsInForce;
  /** Takes the inputs of the sessions: the sequencer. */
  readonly inbox: Inbox;
  readonly admission: Gate;
  /** True on a platform that puts its own network before the server. */
  readonly isPublic?: boolean;
  /** Serves `/admin`. */
  readonly admin: AdminApp;
  /** True if the store behind the gateway works. */
  readonly isReady: () => Promise<boolean>;
  /** How many are in the room, for a page before its user joins. */
  readonly countUsers: () => number | Promise<number>;
  /** False while the room cannot be reached: new WebSockets are refused. */
  readonly takesSockets?: (() => boolean) | undefined;
  readonly assets: WebAssets;
  /** Serves `/metrics`. */
  readonly metrics: AnswerMetrics;
  readonly meters: ChatMeters;
  /** Called when a session starts and when its connection is gone. */
  readonly register?: { opened(session: Session): void; over(session: Session): void };
  readonly log: Logger;
}

/** Milliseconds that a stop waits for the connections, and again for the transport. */
const DRAIN_MS = 1000;

export class Gateway implements Gateways {
  readonly #options: GatewayOptions;
  readonly #rules: SessionRules;
  readonly #pages: PageAccess;
  readonly #sessions = new Set<Session>();
  /** Called when the last session is over. */
  #onEmpty = () => {};
  #transport: Transport | undefined;
  #isStopping = false;
  #hasStoppedReading = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    const { settings, inbox, serverId, isPublic = false, meters, log } = options;
    const { limits } = settings;
    this.#rules = {
      ...{ inbox, limits, serverId, meters, log },
      floodRate: new FloodRate(limits),
      steadyMs: steadyClock,
      logs: new SessionLogs(steadyClock),
      onOver: (session) => this.#onOver(session),
    };
    this.#pages = new PageAccess({ rules: settings, isPublic, steadyMs: steadyClock, log });
    meters.readSockets(this.#sessions);
  }

  /** Opens the port. Throws the runtime's error. */
  static async open(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    gateway.#transport = await gateway.#openTransport();
    return gateway;
  }

  get port(): number {
    return this.#transport?.port ?? 0;
  }

  reconfigured(): Promise<void> {
    const { assets, settings } = this.#options;
    assets.refill(pageTexts(settings));
    return Promise.resolve();
  }

  async renewTls(tls: Tls): Promise<boolean> {
    return await this.#transport?.renewTls(tls) ?? false;
  }

  get sessions(): Iterable<Session> {
    return this.#sessions;
  }

  refuse(): void {
    this.#isStopping = true;
  }

  /** Nothing to do on the sequencer's thread. */
  flushInbound(): Promise<void> {
    return Promise.resolve();
  }

  /** Stops reading on all sessions, new ones included; frames that were read are answered. */
  stopReading(): void {
    this.#hasStoppedReading = true;
    for (const session of this.#sessions) session.stopReading();
  }

  async close(): Promise<void> {
    this.refuse();
    const sessions = this.#sessions;
    for (const session of sessions) session.outbox.close(CLOSE.stopping);
    // Stopping the transport first would overtake the close frames.
    await settlesWithin(this.#empty(), DRAIN_MS);
    for (const session of sessions) session.terminate();
    if (this.#transport !== undefined) await settlesWithin(this.#transport.stop(), DRAIN_MS);
  }

  #openTransport(): Promise<Transport> {
    const { hostname, port, tls, sharers, settings, admission, isReady, log } = this.#options;
    const { countUsers, admin, assets, metrics, meters } = this.#options;
    const { limits } = settings;
    const app = chatApp({
      ...{ countUsers, admin, assets, metrics, meters, log },
      get serverName() {
        return settings.name;
      },
      refusePage: (request, { arrivedAt }) => this.#refusePage(request, arrivedAt),
      upgrade: (request, peer) => this.#upgrade(request, peer),
      isReady: async () => !this.#isStopping && await isReady(),
      steadyMs: steadyClock,
    });
    return this.#options.transport({
      hostname,
      port,
      tls,
      sharers,
      handle: (request, peer) =>
        app.fetch(request, {
          remoteAddress: admission.addressOf(peer.remoteAddress, request.headers.get("x-forwarded-for")),
          arrivedAt: peer.arrivedAt,
          upgrade: (socket) => peer.upgrade(socket),
        }),
      limits,
      httpLimitOf: (peerAddress) => admission.httpLimitOf(peerAddress),
      steadyMs: steadyClock,
      log,
    });
  }

  #refusePage(request: Request, arrivedAt: string): PageRefusal | undefined {
    const refused = this.#pages.refuse(request, arrivedAt);
    if (refused !== undefined && isHandshake(request)) this.#options.meters.socketRefused("origin");
    return refused;
  }

  #upgrade(request: Request, peer: Peer): Response | Promise<Response> {
    if (this.#isStopping) return stopping();
    if (this.#options.takesSockets?.() === false) return cutOff();
    const admitted = this.#options.admission.admit(peer.remoteAddress, steadyClock());
    if (!(admitted instanceof Promise)) return this.#answerHandshake(request, peer, admitted);
    const { signal } = request;
    return admitted.then((admitted) => this.#answerHandshake(request, peer, admitted, signal));
  }

  /** `left` is the request's signal if the admission took time. */
  #answerHandshake(request: Request, peer: Peer, admitted: Admitted | Refused, left?: AbortSignal): Response {
    const { remoteAddress } = peer;
    if (this.#isStopping && admitted.isAdmitted) {
      admitted.leave();
      return stopping();
    }
    if (admitted.isAdmitted) {
      const subprotocol = offersLive(request.headers) ? LIVE_SUBPROTOCOL : undefined;
      return peer.upgrade({
        remoteAddress,
        subprotocol,
        accept: this.#accept,
        gone: admitted.leave,
        ...(left && { left }),
      });
    }
    this.#options.meters.socketRefused(admitted.reason);
    this.#options.log.debug("socket.refused", { reason: admitted.reason });
    return refusalResponse(admitted);
  }

  readonly #accept = (connection: Connection): Session => {
    const share = this.#options.admission.shareOf(connection.remoteAddress);
    const session = new Session({ id: crypto.randomUUID(), connection, share }, this.#rules);
    this.#options.meters.socketOpened();
    if (this.#hasStoppedReading) session.stopReading();
    this.#sessions.add(session);
    this.#options.register?.opened(session);
    return session;
  };

  #onOver(session: Session): void {
    this.#sessions.delete(session);
    this.#options.register?.over(session);
    if (this.#sessions.size === 0) this.#onEmpty();
  }

  /** Resolves when there are no sessions. */
  #empty(): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty = resolve);
  }
}

function stopping(): Response {
  return new Response("Server is stopping\n", { status: 503 });
}

function cutOff(): Response {
  return new Response("Server is cut off from the others, try another one or later\n", { status: 503 });
}

function offersLive(headers: Headers): boolean {
  const offered = headers.get("sec-websocket-protocol")?.split(",") ?? [];
  return offered.some((name) => name.trim() === LIVE_SUBPROTOCOL);
}
