/**
 * The chat server, put together: the only place of this room that chooses adapters, and the order of its
 * start and its stop.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers";
import type { Announcement } from "../src/announcement.ts";
import { isLoopback } from "../src/address.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import type { Layout } from "../src/kv.ts";
import { logger } from "../src/log.ts";
import { LIVE_SUBPROTOCOL } from "../src/protocol/codec.ts";
import type { Limits } from "../src/protocol/limits.ts";
import { nearestUsername } from "../src/protocol/names.ts";
import { openStore, type Store } from "../src/store.ts";
import { VERSION } from "../src/version.ts";
import { WebAssets } from "../src/web_assets.ts";
import { adminApp, adminBodyBytesMax } from "./admin.ts";
import { Admission } from "./admission.ts";
import { chatApp, refusalResponse } from "./app.ts";
import { KvBanStore } from "./ban_store_kv.ts";
import { Bans } from "./bans.ts";
import { CLOSE, type Connection } from "./connection.ts";
import { Holds } from "./holds.ts";
import { Hub } from "./hub.ts";
import { serverId } from "./identity.ts";
import type { Journal } from "./journal.ts";
import { KvJournal } from "./journal_kv.ts";
import { MemoryJournal } from "./journal_memory.ts";
import { NoJournal } from "./journal_none.ts";
import { KvKeyStore } from "./key_store_kv.ts";
import { moveFromLayout1 } from "./layout_1_kv.ts";
import { ListingClient } from "./listing_client.ts";
import { LiveSessions } from "./live_sessions.ts";
import { messageIds } from "./message_id.ts";
import { Moderation } from "./moderation.ts";
import {
  enoughFor,
  extendPositions,
  NOTHING_TOLD,
  recoverBacklog,
  recoverHistory,
  recoverSessions,
  reservePositions,
} from "./recovery.ts";
import { Registration } from "./registration.ts";
import { Resumption } from "./resumption.ts";
import { oldestKeptId, Retention, type Sweepable } from "./retention.ts";
import { Room } from "./room.ts";
import { Session } from "./session.ts";
import { KvSessionStore } from "./live_session_store_kv.ts";
import type { Peer, StartTransport, TransportName } from "./transport.ts";
import { startServe } from "./transport_serve.ts";

const TRANSPORTS: Readonly<Record<TransportName, StartTransport>> = {
  serve: startServe,
  // Its library is loaded where it is chosen.
  ws: async (options) => (await import("./transport_ws.ts")).startWs(options),
};

/** How long a turn gathers. Where a write takes all that there is, what this round of the event loop brings is one. */
const SOON: Readonly<Record<TransportName, (turn: () => void) => void>> = {
  serve: queueMicrotask,
  ws: setImmediate,
};

export interface ChatOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Undefined: the one that the KV holds, made at the first boot. */
  readonly id: number | undefined;
  readonly name: string;
  /** What listings are told; `:port` leaves the host to the listing, undefined is the port that was opened. */
  readonly address: string | undefined;
  /** Base URLs of the listings to register with. */
  readonly listings: readonly string[];
  /** A path, `:memory:`, a URL, or undefined for the KV that Deno Deploy attaches. */
  readonly kv: string | undefined;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly transport: TransportName;
  /** As `https://chat.example`; undefined allows any. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Takes the address of a client from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean;
  /** Holds clients of this machine to the limits of addresses too. */
  readonly limitLoopback: boolean;
  /** Where only one transport works, so that the other need not be recommended. */
  readonly onDenoDeploy: boolean;
  readonly limits: Limits;
  /** What the admin API wants to see; undefined keeps it off. */
  readonly adminToken: string | undefined;
  /** Milliseconds since 1970; the wall clock where it is not given. */
  readonly nowMs?: () => number;
}

export interface RunningChat extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly id: number;
  /** Withdraws from the listings, tells everyone with 1001, and releases everything. Idempotent. */
  stop(): Promise<void>;
}

/** The rows that this chat server reads and writes, ARCHITECTURE.md "Storage". */
const LAYOUT: Layout = { role: "chat", version: 2 };

/** Milliseconds that a stop waits for messages under way, and for connections to end. */
const DRAIN_MS = 1000;

/**
 * Opens the store and the port, then registers with the listings without waiting for them.
 * Throws `KvUnavailable`, or what Deno says of the port, having released everything.
 */
export async function startChat(options: ChatOptions): Promise<RunningChat> {
  // One process: its ids, its window of history and its order are all that there is of them.
  const store = await openStore(options.kv, LAYOUT, { isShared: false });
  try {
    return await start(options, store);
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

async function start(options: ChatOptions, store: Store): Promise<RunningChat> {
  const { limits, name, nowMs = wallClock } = options;
  const { kv } = store;
  const log = logger("chat");
  const moved = await moveFromLayout1(kv);
  if (moved > 0) log.info("journal.moved_from_layout_1", { messages: moved });
  const id = options.id ?? await serverId(kv, Math.random);
  const kvJournal = options.kv === ":memory:" ? undefined : new KvJournal(kv, () => store.assertInPlace());
  const kept: Journal & Sweepable = kvJournal ?? new MemoryJournal(limits.historyCount);
  const journal: Journal = limits.historyCount === 0 ? new NoJournal() : kept;
  const { history, newestId } = await recoverHistory(journal, limits);
  const room = new Room({
    serverId: id,
    serverName: name,
    ownName: nearestUsername(name, "Server"),
    version: VERSION,
    startedAtMs: nowMs(),
    limits,
    mintId: messageIds({ nowMs, random32 }, newestId),
  });
  const banStore = new KvBanStore(kv);
  const bans = new Bans(await banStore.load());
  const registrations: Registration[] = [];
  let connectedUsers = 0;
  const toldBefore = kvJournal === undefined || limits.historyCount === 0
    ? NOTHING_TOLD
    : await kvJournal.told(enoughFor(limits));
  const backlog = recoverBacklog(toldBefore, limits, {
    reservedFrom: await reservePositions(kv),
    reserve: (upTo) =>
      void extendPositions(kv, upTo).catch((error) => log.error("positions.reserve_failed", { error })),
  });
  const sessionStore = new KvSessionStore(kv);
  const liveSessions = new LiveSessions({ store: sessionStore, mintToken, log });
  const holds = new Holds(
    limits.resumeWindow * 1000,
    (held, hold) => hub.submit(held, { type: "LAPSE", hold }),
  );
  const hub: Hub = new Hub({
    room,
    history,
    journal,
    bans,
    resumption: new Resumption({ backlog, sessions: liveSessions, holds }),
    narrator: { serverId: id, serverName: name },
    maxMessageLength: limits.maxMessageLength,
    nowMs,
    steadyMs: steadyClock,
    soon: SOON[options.transport],
    historyFrom: (nowMs) => oldestKeptId(nowMs, limits.historyDays),
    onRosterChange: (users) => {
      connectedUsers = users;
      for (const registration of registrations) registration.changed();
    },
    log,
  });
  const sessions = new Set<Session>();
  const accept = (connection: Connection): Session => {
    const session = new Session({
      id: crypto.randomUUID(),
      connection,
      inbox: hub,
      limits,
      serverId: id,
      steadyMs: steadyClock,
      log,
    });
    sessions.add(session);
    session.over.then(() => sessions.delete(session));
    return session;
  };
  const moderation = new Moderation({
    hub,
    room,
    bans,
    store: banStore,
    sessions: {
      *[Symbol.iterator]() {
        yield* sessions;
        yield* holds;
      },
    },
    nowMs,
    mintId: () => crypto.randomUUID(),
    log,
  });
  await moderation.sweep();
  await recoverSessions(await sessionStore.load(), toldBefore.named, {
    store: sessionStore,
    room,
    sessions: liveSessions,
    holds,
    resumeWindow: limits.resumeWindow,
  });
  let stopping = false;
  const admission = new Admission(options);
  const upgrade = (request: Request, peer: Peer): Response => {
    if (stopping) return new Response("Server is stopping\n", { status: 503 });
    const { remoteAddress } = peer;
    const admitted = admission.admit({ remoteAddress, origin: request.headers.get("origin") }, steadyClock());
    if (admitted.isAdmitted) {
      const subprotocol = offersLive(request.headers) ? LIVE_SUBPROTOCOL : undefined;
      return peer.upgrade({ remoteAddress, subprotocol, accept, gone: admitted.leave });
    }
    log.debug("socket.refused", { reason: admitted.reason });
    return refusalResponse(admitted);
  };
  const app = chatApp({
    serverName: name,
    upgrade,
    isReady: async () => !stopping && await answers(store),
    admin: adminApp({
      token: options.adminToken,
      moderation,
      limits,
      steadyMs: steadyClock,
      log: logger("admin"),
    }),
    assets: await WebAssets.load(["chat/web", "src/client", "src/web"], { serverName: name }),
    log,
  });
  const starting = TRANSPORTS[options.transport]({
    hostname: options.hostname,
    port: options.port,
    tls: options.tls,
    handle: (request, peer) =>
      app.fetch(request, {
        remoteAddress: admission.addressOf(peer.remoteAddress, request.headers.get("x-forwarded-for")),
        upgrade: (socket) => peer.upgrade(socket),
      }),
    pingInterval: limits.pingInterval,
    pingTimeout: limits.pingTimeout,
    maxFrameBytes: limits.maxFrameBytes,
    maxBodyBytes: adminBodyBytesMax(limits),
    steadyMs: steadyClock,
    wallMs: wallClock,
    log,
  });
  const transport = await starting.catch((error) => {
    holds.stop();
    throw error;
  });
  const { port } = transport;
  const url = `${options.tls ? "https" : "http"}://${reachable(options.hostname)}:${port}`;
  log.info("listening", { url, id, name });
  if (options.transport === "serve" && isPublic(options.hostname) && !options.onDenoDeploy) {
    log.warn("transport.recommended", { flag: "--transport ws", because: "it can cut peers that are stuck" });
  }

  const describe = (): Announcement => ({
    serverName: name,
    address: options.address ?? `:${port}`,
    connectedUsers,
    maxUsers: limits.maxUsers,
  });
  const keys = new KvKeyStore(kv);
  for (const listing of options.listings) {
    registrations.push(
      new Registration({
        listing: new ListingClient(listing, id),
        keys,
        describe,
        random: Math.random,
        log: logger("registration"),
      }),
    );
  }
  const retention = new Retention({
    journal: kept,
    keep: limits.historyCount,
    days: limits.historyDays,
    toldFrom: () => backlog.heldFrom,
    nowMs,
    log,
  });

  async function stopAll(): Promise<void> {
    stopping = true;
    await Promise.all(registrations.map((registration) => registration.stop()));
    // What was received is answered before the goodbye, if the store still works.
    await within(DRAIN_MS, hub.idle());
    for (const session of sessions) session.end(CLOSE.stopping);
    // The transport's stop would overtake these.
    await within(DRAIN_MS, Promise.all(Array.from(sessions, (session) => session.over)));
    for (const session of sessions) session.terminate();
    await within(DRAIN_MS, transport.stop());
    await within(DRAIN_MS, hub.idle());
    holds.stop();
    await within(DRAIN_MS, liveSessions.idle());
    await within(DRAIN_MS, retention.stop());
    store[Symbol.dispose]();
    log.info("stopped");
  }
  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= stopAll();
  return { url, port, id, stop, [Symbol.asyncDispose]: stop };
}

async function answers(store: Store): Promise<boolean> {
  try {
    store.assertInPlace();
    await store.kv.get(["server_id"]);
    return true;
  } catch {
    return false;
  }
}

/** Waits for `work`, but not for ever. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise<void>((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}

/** Whether others than this machine can reach a server that listens there. */
function isPublic(hostname: string): boolean {
  return hostname !== "localhost" && !isLoopback(hostname);
}

/** A host that a person can put into a browser for a server that listens on all of them. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "localhost";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function offersLive(headers: Headers): boolean {
  const offered = headers.get("sec-websocket-protocol")?.split(",") ?? [];
  return offered.some((name) => name.trim() === LIVE_SUBPROTOCOL);
}

/** 256 random bits in base64url. */
function mintToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Random numbers are asked for by the pool: a call costs as much for hundreds as for one. */
const randomPool = new Uint32Array(512);
let randomsLeft = 0;

function random32(): number {
  if (randomsLeft === 0) {
    crypto.getRandomValues(randomPool);
    randomsLeft = randomPool.length;
  }
  return randomPool[--randomsLeft]!;
}
