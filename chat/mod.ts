/**
 * The chat server, put together of a sequencer and its front: the only place of this room that chooses adapters, and
 * the order of its start and its stop.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { isLoopback } from "../src/address.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import type { Layout } from "../src/kv.ts";
import { logger } from "../src/log.ts";
import { metricsRoute } from "../src/metrics_route.ts";
import type { Limits } from "../src/protocol/limits.ts";
import { answersInTime, openStore, type Store } from "../src/store.ts";
import { WebAssets } from "../src/web_assets.ts";
import { adminApp } from "./admin.ts";
import { Admission } from "./admission.ts";
import { KvBanStore } from "./ban_store_kv.ts";
import { Front, type FrontOptions } from "./front.ts";
import { serverId } from "./identity.ts";
import type { Journal } from "./journal.ts";
import { KvJournal } from "./journal_kv.ts";
import { MemoryJournal } from "./journal_memory.ts";
import { NoJournal } from "./journal_none.ts";
import { KvKeyStore } from "./key_store_kv.ts";
import { moveFromLayout1 } from "./layout_1_kv.ts";
import { KvSessionStore } from "./live_session_store_kv.ts";
import { ChatMeters } from "./meters.ts";
import { enoughFor, NOTHING_TOLD } from "./recovery.ts";
import type { Sweepable } from "./retention.ts";
import { Sequencer, type Stores } from "./sequencer.ts";
import type { StartTransport, TransportName } from "./transport.ts";
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
  /** What `/metrics` wants to see; undefined gives it to this machine alone. */
  readonly metricsToken: string | undefined;
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
  const log = logger("chat");
  const moved = await moveFromLayout1(store.kv);
  if (moved > 0) log.info("journal.moved_from_layout_1", { messages: moved });
  const id = options.id ?? await serverId(store.kv, Math.random);
  const meters = new ChatMeters();
  let front: Front | undefined;
  const sequencer = await Sequencer.start({
    id,
    name,
    limits,
    stores: await storesIn(store, options),
    sockets: () => front?.sessions ?? [],
    soon: SOON[options.transport],
    nowMs,
    meters,
    log,
  });
  try {
    front = await openFront(options, sequencer, { id, isReady: () => answers(store), meters, log });
  } catch (error) {
    await sequencer.stop();
    throw error;
  }
  const { port } = front;
  const url = `${options.tls ? "https" : "http"}://${reachable(options.hostname)}:${port}`;
  log.info("listening", { url, id, name });
  if (options.transport === "serve" && isPublic(options.hostname) && !options.onDenoDeploy) {
    log.warn("transport.recommended", { flag: "--transport ws", because: "it can cut peers that are stuck" });
  }
  sequencer.present({ listings: options.listings, address: options.address ?? `:${port}` });

  const opened = front;
  async function stopAll(): Promise<void> {
    opened.refuse();
    // What was received is answered before the goodbye.
    await sequencer.finish();
    await opened.close();
    await sequencer.stop();
    store[Symbol.dispose]();
    log.info("stopped");
  }
  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= stopAll();
  return { url, port, id, stop, [Symbol.asyncDispose]: stop };
}

/** Chooses what keeps each thing. */
async function storesIn(store: Store, { kv: place, limits }: ChatOptions): Promise<Stores> {
  const { kv } = store;
  const kvJournal = place === ":memory:" ? undefined : new KvJournal(kv, () => store.assertInPlace());
  const kept: Journal & Sweepable = kvJournal ?? new MemoryJournal(limits.historyCount);
  return {
    journal: limits.historyCount === 0 ? new NoJournal() : kept,
    kept,
    toldBefore: kvJournal === undefined || limits.historyCount === 0
      ? NOTHING_TOLD
      : await kvJournal.told(enoughFor(limits)),
    bans: new KvBanStore(kv),
    sessions: new KvSessionStore(kv),
    keys: new KvKeyStore(kv),
    kv,
  };
}

async function openFront(
  options: ChatOptions,
  { hub, moderation }: Sequencer,
  { id, isReady, meters, log }: Pick<FrontOptions, "isReady" | "meters" | "log"> & { readonly id: number },
): Promise<Front> {
  const { limits, name, adminToken: token } = options;
  return await Front.open({
    hostname: options.hostname,
    port: options.port,
    tls: options.tls,
    transport: TRANSPORTS[options.transport],
    serverId: id,
    serverName: name,
    limits,
    inbox: hub,
    admission: new Admission(options),
    admin: adminApp({ token, moderation, limits, steadyMs: steadyClock, log: logger("admin") }),
    isReady,
    assets: await WebAssets.load(["chat/web", "src/client", "src/web"], { serverName: name }),
    metrics: metricsRoute({ role: "chat", token: options.metricsToken, meters, steadyMs: steadyClock }),
    meters,
    log,
  });
}

function answers(store: Store): Promise<boolean> {
  return answersInTime(async () => {
    store.assertInPlace();
    await store.kv.get(["server_id"]);
  });
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
